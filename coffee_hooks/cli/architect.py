"""``architect``: the verbs of the workflow, thin over ``coffee merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coffee_hooks.base import output
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.output import Loudness
from coffee_hooks.cli.app import Command, Group, here, root

app = typer.Typer(
    name="architect", cls=Group, add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    pretty_exceptions_enable=False,
)  # fmt: skip


@app.callback()
def top(
    where: Annotated[Path, typer.Option("-C", metavar="PATH", help="Work in the repository around PATH.")] = Path(),
) -> None:
    """Land the work of parallel agents.

    \b
    Example:
      architect merge-worktree-branches --merge roadmap-wt1 --us-number 104
    """
    root(where)


@app.command("merge-worktree-branches", cls=Command, rich_help_panel="The steps")
def merge_worktree_branches(
    check: Annotated[str | None, typer.Option(metavar="BRANCH", help="Test it, move nothing.")] = None,
    merge: Annotated[str | None, typer.Option(metavar="BRANCH", help="Test it and land it.")] = None,
    us_number: Annotated[str | None, typer.Option(metavar="TASK", help="The task you expect on it.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the branches and what stands in their way.")] = False,
    dry_run: Annotated[str | None, typer.Option(metavar="BRANCH", help="Say what would land.")] = None,
) -> int:
    """Check, merge or list the branches of parallel work.

    \b
    Example:
      architect merge-worktree-branches --list
    """
    from coffee_hooks.loop.merging import Ask, merge_for
    from coffee_hooks.loop.readiness import ReadyAsk, ready_for
    from coffee_hooks.loop.tasks import expect_task

    asked = [branch for branch in (check, merge, dry_run) if branch is not None]
    if len(asked) + list_ != 1:
        raise UsageError("say exactly one of --check, --merge, --list and --dry-run", hint="architect --help")
    if list_:
        return ready_for(here(), ReadyAsk(None, "text", False, False))
    if us_number is not None:
        expect_task(here(), asked[0], us_number)
    return merge_for(here(), Ask((asked[0],), check=check is not None, dry_run=dry_run is not None))


def run(argv: list[str]) -> int:
    """Parse *argv*, run the verb, return the exit code."""
    output.configure(loudness=Loudness.NORMAL, as_json=False)
    result = typer.main.get_command(app).main(args=argv, prog_name="architect", standalone_mode=False)
    return result if isinstance(result, int) else 0
