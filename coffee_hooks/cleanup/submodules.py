"""Submodules of a worktree keep their repositories inside its git folder: removing it removes their commits too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from coffee_hooks.base.git import Result, in_worktree
from coffee_hooks.base.text import printable


def unpublished(top: Path, git_dir: Path, submodules: Iterable[str]) -> tuple[str, ...]:
    """A sentence for each submodule repository with commits that no remote of it is known to have.

    *submodules* are the paths of the gitlinks in the index; repositories left behind in *git_dir* count as well.
    """
    found = [
        f"the submodule {printable(path)} has commits that exist nowhere else"
        for path in submodules
        if (top / path / ".git").is_dir() and _only_here(_local(top / path))
    ]
    found += [
        f"the submodule {printable(name)} has commits that exist nowhere else"
        for name, repository in _repositories(git_dir / "modules")
        if _only_here(_local(repository, env={"GIT_DIR": str(repository)}))
    ]
    return tuple(dict.fromkeys(found))


def _local(folder: Path, env: dict[str, str] | None = None) -> Result:
    return in_worktree(
        folder, "rev-list", "--max-count=1", "--all", "HEAD", "--not", "--remotes", "--", env=env, ok=(0, 128)
    )


def _only_here(said: Result) -> bool:
    return said.rc != 0 or bool(said.text)


def _repositories(modules: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, files in os.walk(modules):
        if "HEAD" in files and "objects" in folders:
            yield Path(folder).relative_to(modules).as_posix(), Path(folder)
            folders[:] = [name for name in folders if name == "modules"]
