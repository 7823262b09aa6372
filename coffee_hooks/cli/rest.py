"""Everything that is typed now and then."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coffee_hooks.base import output
from coffee_hooks.cli.app import REST, command, here
from coffee_hooks.cli.values import duration


@command("demo", REST)
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Keep the sample repository and say where it is.")] = False,
) -> int:
    """Run the whole loop for real on a sample repository. Of its five tasks one is red, one conflicts, one depends.

    \b
    Example:
      coffee demo --keep
    """
    from coffee_hooks.loop.demo import run_demo

    return run_demo(keep)


@command("logs", REST)
def logs(
    task: Annotated[str, typer.Argument(metavar="TASK")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the agent ends.")] = False,
) -> int:
    """Print the log of a task's agent.

    \b
    Example:
      coffee logs US-104 --follow
    """
    from coffee_hooks.loop.tasks import print_log

    return print_log(here(), task, follow)


@command("stop", REST)
def stop(task: Annotated[str, typer.Argument(metavar="TASK")]) -> int:
    """Stop a task's agent and everything it started. Its worktree stays.

    \b
    Example:
      coffee stop US-104
    """
    from coffee_hooks.loop.tasks import stop_task

    stopped = stop_task(here(), task)
    output.answer_json("stop", {"task": stopped.task, "stopped": stopped.running, "pid": stopped.pid})
    output.answer(f"{stopped.task} {'is stopped' if stopped.running else 'was not running'}")
    return 0


@command("resume", REST)
def resume(
    task: Annotated[str, typer.Argument(metavar="TASK")],
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="The agent to start.")] = None,
) -> int:
    """Start a task's agent again in the same worktree.

    \b
    Example:
      coffee resume US-104
    """
    from coffee_hooks.loop.tasks import resume_task

    again = resume_task(here(), task, agent)
    output.answer_json(
        "resume", {"task": again.task, "branch": again.branch, "pid": again.pid, "attempt": again.attempt}
    )
    output.answer(f"{again.task} runs again (PID {again.pid}, attempt {again.attempt})")
    return 0


@command("review", REST)
def review(
    branch: Annotated[
        str | None, typer.Argument(metavar="[BRANCH]", help="Default: all that wait for nothing but their review.")
    ] = None,
) -> int:
    """Run review.command on a branch, in a clone of its own.

    Its exit code 0 approves, 1 rejects, anything else decides nothing. What it prints is the report. Naming a branch
    reviews it again, whatever was said before.

    \b
    Example:
      coffee review roadmap-wt1
    """
    from coffee_hooks.loop.reviewing import review_for

    return review_for(here(), branch)


@command("revert", REST)
def revert(
    task: Annotated[str, typer.Argument(metavar="TASK", help="A task that landed, or its branch.")],
    check: Annotated[bool, typer.Option("--check", help="Run the gate, move nothing.")] = False,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Push what landed.")] = True,
    retest: Annotated[bool, typer.Option("--retest", help="Ignore remembered verdicts.")] = False,
    wait: Annotated[str, typer.Option(metavar="0s", help="Wait so long for a merge to end.")] = "0s",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Only say what would happen, without a test.")
    ] = False,
) -> int:
    """Take a landed task back: a tested commit on top of the target, which loses nothing else.

    To land it again: coffee merge BRANCH, as it is or with a repair.

    \b
    Example:
      coffee revert US-104
      coffee revert US-104 --check
    """
    from coffee_hooks.loop.reverting import Ask, revert_for

    ask = Ask(task, check=check, push=push, retest=retest, dry_run=dry_run, wait=duration(wait, "--wait"))
    return revert_for(here(), ask)


@command("restore", REST)
def restore(
    branch: Annotated[str | None, typer.Argument(metavar="[BRANCH]", help="Default: list what is parked.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would come back.")] = False,
) -> int:
    """List what cleanup parked, or bring a branch back with its worktree.

    \b
    Example:
      coffee restore roadmap-wt1
    """
    from coffee_hooks.loop.cleaning import restore_for

    return restore_for(here(), branch, dry_run)


@command("verify", REST)
def verify(
    since: Annotated[str | None, typer.Option(metavar="REV", help="Only commits after this one.")] = None,
) -> int:
    """Prove from the landing record that every commit we landed was tested first.

    \b
    Example:
      coffee verify --since v1.0
    """
    from coffee_hooks.loop.verifying import verify_for

    return verify_for(here(), since)


@command("metrics", REST)
def metrics(
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day on; default: 30 days.")] = None,
) -> int:
    """Measure the five success criteria and how long each phase takes, over the last 30 days.

    What was not recorded here is left out, and without data there is no value.

    \b
    Example:
      coffee metrics --since 2026-11-01
    """
    from coffee_hooks.loop.metrics import metrics_for

    return metrics_for(here(), since)


@command("report", REST)
def report(
    html: Annotated[str, typer.Option(metavar="FILE", help="Where to write the page; - for stdout.")],
    since: Annotated[str | None, typer.Option(metavar="DATE", help="From this day on; default: 30 days.")] = None,
) -> int:
    """Write one page that shows what happened: tasks over time, outcomes, collisions, criteria.

    It holds everything itself: no network, no script.

    \b
    Example:
      coffee report --html report.html
    """
    from coffee_hooks.loop.reporting import report_for

    return report_for(here(), html, since)


@command("notifications", REST)
def notifications(
    agent: Annotated[str | None, typer.Option(metavar="RECIPIENT", help="Only those for this recipient.")] = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only unread ones.")] = False,
    ack: Annotated[int | None, typer.Option(metavar="N", help="Mark number N as read.")] = None,
) -> int:
    """Read the notifications of this repository.

    \b
    Example:
      coffee notifications --agent architect --unread
    """
    from coffee_hooks.loop.mailbox import print_notifications

    return print_notifications(here(), agent, unread, ack)


@command("listen", REST)
def listen() -> int:
    """Be user_listener: print new notifications as they come and ring the terminal bell.

    \b
    Example:
      coffee listen
    """
    from coffee_hooks.loop.mailbox import listen_here

    return listen_here(here())


@command("doctor", REST)
def doctor(
    fix: Annotated[bool, typer.Option("--fix", help="Repair what is provably ours.")] = False,
) -> int:
    """Check git, gate, hooks, remote and leftovers, and say how to repair each.

    \b
    Example:
      coffee doctor
    """
    from coffee_hooks.doctor.examine import examine

    report = examine(here(), fix)
    output.answer_json(
        "doctor", {"checks": [{"id": c.id, "ok": c.ok, "detail": c.detail, "hint": c.hint} for c in report]}
    )
    for check in report:
        output.answer(f"{'ok ' if check.ok else 'NO '} {check.id}: {check.detail}")
        if not check.ok and check.hint:
            output.answer(f"    -> {check.hint}")
    return 0 if all(check.ok for check in report) else 1


@command("schema", REST)
def schema(
    name: Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="Default: list them.")] = None,
) -> int:
    """Print the JSON Schema of a command's --json output.

    \b
    Example:
      coffee schema merge
    """
    from coffee_hooks.base.errors import UsageError

    folder = Path(__file__).parent.parent / "schemas"
    known = sorted(path.stem for path in folder.glob("*.json"))
    if name is None:
        output.answer("\n".join(known))
        output.answer_json("schema", {"schemas": known})
        return 0
    if name not in known:
        raise UsageError(f"there is no schema for {name!r}", hint=f"known: {' '.join(known)}")
    output.configure(as_json=False)
    output.answer((folder / f"{name}.json").read_text().rstrip())
    return 0
