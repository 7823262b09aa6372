"""``init run status merge``: what people type every day."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from coffee_hooks.base import output
from coffee_hooks.cli.app import EVERY_DAY, command, here
from coffee_hooks.cli.values import duration


@command("init", EVERY_DAY)
def init(
    pre_commit: Annotated[bool, typer.Option("--pre-commit", help="Add our hooks to .pre-commit-config.yaml.")] = False,
    hooks: Annotated[bool, typer.Option("--hooks", help="Install the native git hooks.")] = False,
    target: Annotated[str | None, typer.Option(metavar="BRANCH", help="The branch that work lands on.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would be written.")] = False,
) -> int:
    """Set this repository up: write .coffee.yaml and create the target branch.

    \b
    Example:
      coffee init --hooks
    """
    from coffee_hooks.loop.setup import Wanted, set_up

    done = set_up(here(), Wanted(target, pre_commit, hooks, dry_run))
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
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what the next round would do.")] = False,
) -> int:
    """Do it all: start agents, notice what is finished, land it, clean up. Ctrl-C stops it; agents go on.

    \b
    Example:
      coffee run --until-idle --max-parallel 3
    """
    import time

    from coffee_hooks.base.project import open_project
    from coffee_hooks.loop.preview import preview
    from coffee_hooks.loop.run import Orchestrator, Until
    from coffee_hooks.state.store import open_store

    def tell(event: str, fields: dict[str, Any]) -> None:
        output.answer_json("run", {"event": event, "at": round(time.time(), 3), **fields})

    with open_store(open_project(here()).repo.state_dir) as store:
        if dry_run:
            for line in preview(open_project(here()), store, max_parallel):
                output.answer(line)
            return 0
        until = Until.ONE_TICK if once else Until.IDLE if until_idle else Until.STOPPED
        seconds = duration(poll, "--poll") if poll else None
        return Orchestrator(here(), store, tell, agent, max_parallel, seconds).run(until)


@command("status", EVERY_DAY)
def status() -> int:
    """Show tasks, agents, branches and what stands in their way.

    \b
    Example:
      coffee status --json
    """
    from coffee_hooks.base.project import open_project
    from coffee_hooks.loop.status import read_status, to_json, to_text
    from coffee_hooks.state.store import open_store

    project = open_project(here())
    with open_store(project.repo.state_dir) as store:
        found = read_status(project, store)
    output.answer_json("status", to_json(found))
    output.answer(to_text(found))
    return 0


@command("merge", EVERY_DAY)
def merge(
    branches: Annotated[
        list[str] | None, typer.Argument(metavar="[BRANCH]...", help="Default: all ready ones.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Run the gate, move nothing.")] = False,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Push what landed.")] = True,
    retest: Annotated[bool, typer.Option("--retest", help="Ignore remembered verdicts.")] = False,
    wait: Annotated[str, typer.Option(metavar="0s", help="Wait so long for another merge.")] = "0s",
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Only say what would land, without a test.")] = False,
) -> int:
    """Test what is ready together with the target, then land it.

    \b
    Example:
      coffee merge roadmap-wt1 --check
    """
    from coffee_hooks.loop.merging import Ask, merge_for

    ask = Ask(
        tuple(branches or ()), check=check, push=push, retest=retest, dry_run=dry_run, wait=duration(wait, "--wait")
    )
    return merge_for(here(), ask)
