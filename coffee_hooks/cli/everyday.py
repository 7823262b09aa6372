"""``init run status merge``: what people type every day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coffee_hooks.base import output
from coffee_hooks.base.errors import UsageError
from coffee_hooks.cli.app import EVERY_DAY, command, here
from coffee_hooks.cli.values import duration, known_format


@command("init", EVERY_DAY)
def init(
    pre_commit: Annotated[bool, typer.Option("--pre-commit", help="Add our hooks to .pre-commit-config.yaml.")] = False,
    hooks: Annotated[bool, typer.Option("--hooks", help="Install the native git hooks.")] = False,
    github: Annotated[bool, typer.Option("--github", help="Write the GitHub workflows, and set shared: true.")] = False,
    target: Annotated[str | None, typer.Option(metavar="BRANCH", help="The branch that work lands on.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be written.")] = False,
) -> int:
    """Set this repository up: write .coffee.yaml and create the target branch.

    \b
    Example:
      coffee init --hooks
    """
    from coffee_hooks.init.plan import Wanted
    from coffee_hooks.init.set_up import set_up

    done = set_up(here(), Wanted(target, pre_commit, hooks, github, dry_run))
    output.answer_json("init", {"written": list(done.written), "kept": list(done.kept)})
    for line in done.lines:
        output.answer(line)
    return 0


@command("run", EVERY_DAY)
def run_(
    once: Annotated[bool, typer.Option("--once", help="One round, for cron and CI.")] = False,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when nothing is left to do.")] = False,
    poll: Annotated[str | None, typer.Option(metavar="30s", help="Longest pause between two rounds.")] = None,
    max_parallel: Annotated[int | None, typer.Option(min=1, help="At most so many agents at once.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="The agent to start.")] = None,
    wait: Annotated[str, typer.Option(metavar="0s", help="Wait so long for another loop to end.")] = "0s",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what the next round would do.")] = False,
) -> int:
    """Do it all: start agents, notice what is finished, land it, clean up. Ctrl-C stops it; agents go on.

    \b
    Example:
      coffee run --until-idle --max-parallel 3
    """
    from coffee_hooks.loop.moment import Wishes
    from coffee_hooks.loop.run import RunAsk, Until, run_for

    if once and until_idle:
        raise UsageError("--once and --until-idle exclude each other", hint="coffee run --help")
    until = Until.ONE_ROUND if once else Until.IDLE if until_idle else Until.STOPPED
    wishes = Wishes(agent, max_parallel, duration(poll, "--poll") if poll else None, duration(wait, "--wait"))
    return run_for(here(), RunAsk(until, wishes, dry_run))


@command("status", EVERY_DAY)
def status(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Show it again whenever it changes.")] = False,
) -> int:
    """Show tasks, agents, branches and what stands in their way.

    \b
    Example:
      coffee status --watch
    """
    from coffee_hooks.loop.status import show_status

    return show_status(here(), watch)


@command("merge", EVERY_DAY)
def merge(
    branches: Annotated[
        list[str] | None, typer.Argument(metavar="[BRANCH]...", help="Default: all ready ones.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run the gate, move nothing.")] = False,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Push what landed.")] = True,
    batch: Annotated[str | None, typer.Option(metavar="N|auto", help="How many branches are tested together.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, metavar="N", help="How many gates run side by side.")] = None,
    retest: Annotated[bool, typer.Option("--retest", help="Ignore remembered verdicts.")] = False,
    wait: Annotated[str, typer.Option(metavar="0s", help="Wait so long for another merge.")] = "0s",
    record: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --check: write down what was green, for --recorded.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Test nothing: land the trees that FILE calls green.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="text, json or github.")] = "text",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would land, without a test.")] = False,
) -> int:
    """Test what is ready together with the target, then land it.

    \b
    Example:
      coffee merge
      coffee merge roadmap-wt1 --check
      coffee merge --jobs 4
    """
    from coffee_hooks.loop.merging import Ask, merge_for

    if record and not check:
        raise UsageError("--record is only for --check", hint="coffee merge --check --record FILE")
    if recorded and (branches or check or retest or batch or jobs or dry_run):
        raise UsageError("--recorded lands what was tested, all of it", hint="coffee merge --recorded FILE")
    ask = Ask(
        tuple(branches or ()), check=check, push=push, retest=retest, batch=_batch(batch), jobs=jobs,
        dry_run=dry_run, wait=duration(wait, "--wait"), record=record, recorded=recorded,
        format=known_format(format_, "text json github"),
    )  # fmt: skip
    return merge_for(here(), ask)


def _batch(text: str | None) -> int | None:
    """How many, 0 for ``auto``, None when nothing was said."""
    if text in (None, "auto"):
        return None if text is None else 0
    if text is None or not text.isdecimal() or not 0 < int(text) < 10_000:
        raise UsageError(f"--batch must be a number or auto, not {text!r}", hint="coffee merge --help")
    return int(text)
