"""Take a worktree away in one atomic step: its folder is renamed first and deleted afterwards.

A kill in the middle leaves either the whole worktree or a folder that only waits to be swept.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.project import Project
from coffee_hooks.base.removal import remove_tree
from coffee_hooks.cleanup.values import Home

_TRASH = ".coffee-removed-"


def discard(project: Project, home: Home) -> None:
    """Remove the worktree; everything in it was checked and parked. Raises OSError or GitFailed with it in place."""
    trash = home.path.with_name(_TRASH + uuid.uuid4().hex)
    if not home.missing:
        home.path.rename(trash)
    in_worktree(project.repo.main, "worktree", "remove", "--", os.fspath(home.path))
    _delete(trash)


def sweep(folders: Iterable[Path]) -> None:
    """Delete what a killed run had already taken away."""
    for folder in folders:
        with contextlib.suppress(OSError):
            for path in folder.glob(f"{_TRASH}*"):
                _delete(path)


def _delete(folder: Path) -> None:
    """Delete a tree; what refuses stays for the next sweep."""
    with contextlib.suppress(OSError):
        remove_tree(folder)
