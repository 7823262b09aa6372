"""What git starts, not people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coffee_hooks.base.errors import UsageError
from coffee_hooks.cli.app import command, here


@command("merge-driver", None)
def merge_driver(
    kind: Annotated[str, typer.Argument(metavar="roadmap")],
    base: Annotated[Path, typer.Argument(metavar="%O")],
    ours: Annotated[Path, typer.Argument(metavar="%A", help="Gets the result.")],
    theirs: Annotated[Path, typer.Argument(metavar="%B")],
    marker_size: Annotated[int, typer.Option(min=1, help="Length of conflict markers.")] = 7,
    markers: Annotated[bool, typer.Option("--markers/--no-markers", help="Whether a conflict is written.")] = True,
) -> int:
    """Merge two versions of the roadmap item by item. Exit 1: it takes a person, and %A has the conflict markers.

    \b
    Example:
      git config merge.coffee-roadmap.driver 'coffee merge-driver roadmap %O %A %B'
    """
    from coffee_hooks.init.merge_files import merge_files

    if kind != "roadmap":
        raise UsageError(f"there is no merge driver for {kind!r}", hint="coffee merge-driver roadmap %O %A %B")
    top = here()
    done = merge_files(top / base, top / ours, top / theirs, marker_size=marker_size, markers=markers)
    return 0 if done else 1
