"""The repository around a folder, and the git that reads it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.git import OLDEST_GIT, Repo, execute, in_worktree


def discover(start: Path) -> Repo:
    """The repository around *start*.

    Raises UsageError when there is none or it is bare, EnvironmentFailure when git is too old or the clone is shallow.
    """
    version = git_version()
    if version < OLDEST_GIT:
        raise EnvironmentFailure(
            f"git {version[0]}.{version[1]} is too old", hint="install git 2.39 or newer, then run this again"
        )
    said = in_worktree(start, "rev-parse", "--path-format=absolute", *_PLACES, "--show-toplevel", ok=(0, 128))
    bare, inside, shallow, *places = (said.text.split("\n", 3) + 3 * [""])[:4]
    if not bare or (said.rc and inside == "true"):
        raise _unreadable(said.err)
    if bare == "true" or inside != "true":
        raise UsageError(
            "this is a bare repository" if bare == "true" else "this is not inside a worktree",
            hint="run coffee in a clone of it with a working tree",
        )
    if shallow == "true":
        raise EnvironmentFailure(
            "this clone is shallow, so what is merged cannot be known", hint="run: git fetch --unshallow"
        )
    common, git_dir, top = _three(start, places[0])
    return Repo(common, top, top if git_dir == common else _main_worktree(start, common, top), version)


_PLACES = (
    "--is-bare-repository", "--is-inside-work-tree", "--is-shallow-repository",
    "--git-common-dir", "--absolute-git-dir",
)  # fmt: skip


def _three(start: Path, said: str) -> tuple[Path, Path, Path]:
    """Common dir, git dir and top of the worktree; asked for one by one where a name holds a line break."""
    lines = said.split("\n")
    if len(lines) != 3:
        asked = ("--git-common-dir", "--absolute-git-dir", "--show-toplevel")
        lines = [in_worktree(start, "rev-parse", "--path-format=absolute", each).text for each in asked]
    common, git_dir, top = map(Path, lines)
    return common, git_dir, top


def _unreadable(said: str) -> UsageError:
    first = next(iter(said.strip().splitlines()), "")
    if "not a git repository" in said:
        return UsageError(
            "this is not a git repository", hint="run coffee inside one, or name it with -C PATH", detail=first
        )
    trusted = re.search(r"git config --global --add safe\.directory .+", said)
    return UsageError(
        "git cannot read this repository", hint=f"run: {trusted[0]}" if trusted else "run: git status", detail=first
    )


def _main_worktree(start: Path, common: Path, top: Path) -> Path:
    listed = in_worktree(start, "worktree", "list", "--porcelain", "-z").out.split(b"\0", 1)[0]
    main = Path(os.fsdecode(listed.removeprefix(b"worktree ")))
    # git derives this path from the common dir, which says nothing for a submodule or a separate git dir.
    if main == common and in_worktree(start, "rev-parse", "--absolute-git-dir").text == str(common):
        return top
    return main


def git_version() -> tuple[int, int]:
    """Major and minor of the git on PATH."""
    text = execute(["git", "version"], env={}, stdin=None, seconds=30).text
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
