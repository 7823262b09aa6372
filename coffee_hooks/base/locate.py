"""Where the repository is, found by reading files: for callers that have not started git yet."""

from __future__ import annotations

import os
from pathlib import Path

from coffee_hooks.base.errors import UsageError

_POINTER_BYTES = 1 << 16
_HINT = "go into a repository, or name it with -C PATH"


def find_common_dir(start: Path) -> Path:
    """The git directory shared by all worktrees of the repository that *start* is in, absolute and resolved.

    Linked worktrees, submodules and separate git directories are followed; ``GIT_DIR`` and its kin are
    not asked, because inside a hook they may name another repository. Raises ``UsageError`` when there
    is no repository, and for the inside of a bare one (its linked worktrees are fine).
    """
    try:
        here = start.resolve(strict=True)
    except OSError as error:
        raise UsageError(f"there is no folder {start}", hint=_HINT, detail=str(error)) from error
    for folder in (here, *here.parents):
        if common := _opened(folder / ".git"):
            return common
        if _is_git_dir(folder, folder):
            if folder.name == ".git":
                return folder
            raise UsageError(f"{folder} is a bare repository", hint="use a clone or a worktree of it")
    raise UsageError(f"not a git repository: {here}", hint=_HINT)


def _opened(entry: Path) -> Path | None:
    """The common directory behind a ``.git`` entry; None when git would look further up."""
    if entry.is_file():
        pointer = _first_line(entry)
        if not pointer.startswith("gitdir: "):
            raise UsageError(f"{entry} is not a git file", hint=_HINT)
        entry = entry.parent / pointer.removeprefix("gitdir: ")
        if not entry.is_dir():
            raise UsageError(f"the repository of {entry} is gone", hint="run: git worktree repair")
    common = entry / _first_line(entry / "commondir")
    return common.resolve() if _is_git_dir(entry, common) else None


def _is_git_dir(own: Path, common: Path) -> bool:
    try:
        head = os.path.lexists(own / "HEAD")
        return head and (common / "objects").is_dir() and (common / "refs").is_dir()
    except OSError:
        return False


def _first_line(path: Path) -> str:
    """The text of a pointer file, empty when there is none; names need not be UTF-8."""
    try:
        with path.open("rb") as file:
            return os.fsdecode(file.read(_POINTER_BYTES).rstrip(b"\r\n"))
    except OSError:
        return ""
