"""Changing git's list of worktrees, one at a time.

git reads the entries of all worktrees in most of its commands, and dies of one that another git is just writing
("failed to read .git/worktrees/wt2/commondir"). So entries are made and removed under a lock; filling a worktree with
files is the slow part and needs none.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.lock import hold
from coffee_hooks.base.worktrees import Worktree, list_worktrees

LOCK_SECONDS = 60.0

_threads = threading.Lock()


@contextlib.contextmanager
def _alone(repo: Repo) -> Iterator[None]:
    with _threads, hold(repo, "worktrees", wait=LOCK_SECONDS):
        yield


def settled_worktrees(repo: Repo) -> tuple[Worktree, ...]:
    """Every worktree while none is being added or removed by us. Raises GitFailed, LockedError."""
    with _alone(repo):
        return list_worktrees(repo)


def add_worktree(repo: Repo, path: Path, branch: str) -> None:
    """Check *branch* out in the empty folder *path*. Raises GitFailed, LockedError."""
    with _alone(repo):
        in_worktree(repo.main, "worktree", "add", "--quiet", "--no-checkout", "--", str(path), branch)
    in_worktree(path, "reset", "--quiet", "--hard", "--no-recurse-submodules")


def remove_worktree(repo: Repo, path: Path, branch: str) -> None:
    """Remove the worktree of *branch* at *path* with all that is in it; nothing when there is none."""
    real = os.path.realpath(path)
    with _alone(repo):
        if any(os.path.realpath(w.path) == real and w.branch == branch for w in list_worktrees(repo)):
            # Twice --force: git locks a worktree while it makes it, and a killed git leaves the lock.
            in_worktree(repo.main, "worktree", "remove", "--force", "--force", "--", str(path), ok=(0, 128))
