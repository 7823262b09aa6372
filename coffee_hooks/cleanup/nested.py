"""Repositories below an ignored folder: git does not look into them, and their work goes with the folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.text import printable


def with_work(top: Path, names: Iterable[str], counts: Callable[[str], bool]) -> Iterator[str]:
    """A sentence for each of the repositories *names* that holds work: a clone of what exists elsewhere may go.

    Their own ignored files count where *counts* says so of the name.
    """
    for name in names:
        if what := _work(top / name, counts):
            yield f"{printable(name)} is another repository, with {what}"


def _work(folder: Path, counts: Callable[[str], bool]) -> str | None:
    here = in_worktree(
        folder, "rev-list", "--max-count=1", "--exclude=refs/tags/*", "--all", "HEAD", "--not", "--remotes", "--tags",
        "--", ok=(0, 128),
    )  # fmt: skip
    if here.rc or here.text:
        return "commits that exist nowhere else"
    quiet = {"GIT_OPTIONAL_LOCKS": "0"}
    if in_worktree(folder, "status", "--porcelain", "--untracked-files=all", "--ignore-submodules=none", env=quiet).out:
        return "uncommitted work"
    ignored = in_worktree(folder, "ls-files", "--others", "--ignored", "--exclude-standard", "-z", env=quiet).records
    found = next((name for name in ignored if counts(name) or _is_repository(folder, name)), None)
    return found and f"{printable(found)} in it"


def _is_repository(folder: Path, name: str) -> bool:
    return name.endswith(os.sep) and os.path.lexists(folder / name / ".git")
