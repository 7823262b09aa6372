"""``evaluate spawn detect-ready cleanup done``: each phase by itself."""

from __future__ import annotations

from typing import Annotated

import typer

from coffee_hooks.base import output
from coffee_hooks.base.errors import UsageError
from coffee_hooks.cli.app import STEPS, command, here
from coffee_hooks.cli.values import known_format


@command("evaluate", STEPS)
def evaluate(
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="Default: planned items with a spec.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every planned item, spec or not.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Select at most so many.")] = None,
    risk: Annotated[float | None, typer.Option(min=0.0, max=1.0, help="Collision risk that is still accepted.")] = None,
    explain: Annotated[
        tuple[str, str] | None, typer.Option(metavar="A B", help="Say why two tasks may not meet.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", help="text, json, github or mermaid; svg with --backtest.")
    ] = "text",
    backtest: Annotated[
        int | None, typer.Option(min=2, metavar="N", help="Say how good this is for the last N tasks that landed here.")
    ] = None,
) -> int:
    """Work out which tasks can be done at the same time, and why not.

    \b
    Example:
      coffee evaluate US-104 US-105
      coffee evaluate --explain US-104 US-106
      coffee evaluate --backtest 50
    """
    from coffee_hooks.loop.evaluating import Question, evaluate_for

    forms = "text json svg" if backtest else "text json github mermaid"
    question = Question(tuple(tasks or ()), all_, limit, risk, explain, known_format(format_, forms), backtest)
    return evaluate_for(here(), question)


@command("spawn", STEPS)
def spawn(
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK]...", help="Default: what evaluate selects.")
    ] = None,
    max_parallel: Annotated[int | None, typer.Option(min=1, help="At most so many agents at once.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="The agent to start.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the agents to end.")] = False,
    in_here: Annotated[
        bool, typer.Option("--here", help="Run the agent of one task in this checkout, in the foreground.")
    ] = False,
    on: Annotated[str, typer.Option("--on", metavar="local|github", help="Where the agents run.")] = "local",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be started.")] = False,
) -> int:
    """Give each task its own branch, worktree and agent.

    \b
    Example:
      coffee spawn US-104 US-105 --wait
      coffee spawn --on github
    """
    from coffee_hooks.loop.spawning import SpawnAsk, spawn_for

    if on not in ("local", "github"):
        raise UsageError(f"agents run on local or github, not on {on!r}", hint="coffee spawn --help")
    if in_here and (len(tasks or ()) != 1 or on != "local" or max_parallel):
        raise UsageError("--here takes exactly one task", hint="coffee spawn US-104 --here")
    if on == "github" and (agent or wait):
        raise UsageError("on GitHub the workflow chooses the agent", hint="coffee spawn --on github; coffee status")
    return spawn_for(here(), SpawnAsk(tuple(tasks or ()), agent, max_parallel, wait, dry_run, in_here, on))


@command("detect-ready", STEPS)
def detect_ready(
    branch: Annotated[str | None, typer.Option(metavar="BRANCH", help="Only this branch.")] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json or github.")] = "text",
    fetch: Annotated[bool, typer.Option("--fetch", help="Ask the remote first.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 1 when nothing is ready.")] = False,
) -> int:
    """Say which branches are finished, and what stands in the way of the others.

    \b
    Example:
      coffee detect-ready --fetch
    """
    from coffee_hooks.loop.readiness import ReadyAsk, ready_for

    return ready_for(here(), ReadyAsk(branch, known_format(format_, "text json github"), fetch, exit_code))


@command("cleanup", STEPS)
def cleanup(
    branches: Annotated[
        list[str] | None, typer.Argument(metavar="[BRANCH]...", help="Default: all that landed.")
    ] = None,
    remote: Annotated[bool | None, typer.Option("--remote/--no-remote", help="Delete them on the remote too.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Even with uncommitted work (it is saved first).")] = False,
    force_delete: Annotated[
        bool, typer.Option("--force-delete", help="Even unmerged branches (they are parked).")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be removed.")] = False,
) -> int:
    """Remove worktrees and branches whose work has landed. Nothing is lost: coffee restore brings it back.

    \b
    Example:
      coffee cleanup --dry-run
    """
    from coffee_hooks.loop.cleaning import CleanupAsk, cleanup_for

    return cleanup_for(here(), CleanupAsk(tuple(branches or ()), remote, force, force_delete, dry_run))


@command("done", STEPS)
def done(
    message: Annotated[str | None, typer.Option(metavar="TEXT", help="A word for whoever lands it.")] = None,
) -> int:
    """Run inside a worktree: this HEAD is finished.

    \b
    Example:
      coffee done
    """
    from coffee_hooks.loop.done import declare_done

    finished = declare_done(here(), message)
    output.answer_json("done", {"task": finished.task, "branch": finished.branch, "sha": finished.sha})
    output.answer(f"{finished.task or finished.branch} is finished at {finished.sha[:12]}")
    return 0
