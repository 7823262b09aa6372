"""Has anything changed that the status shows? A look at the times of some files, and no git process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from coffee_hooks.base.config import FILE
from coffee_hooks.base.git import Repo
from coffee_hooks.base.remote import COPIES
from coffee_hooks.loop.signs import modified
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import AgentRun

REFS = (
    "packed-refs", "refs/heads", "refs/remotes", "refs/coffee", "refs/coffee/tasks", "refs/coffee/verdicts",
    "refs/coffee/reviews", "reftable", "config", "coffee/agents",
)  # fmt: skip
"""What changes with every branch, claim, verdict and review: a folder does when a file in it is replaced."""

Glance = tuple[object, ...]
"""Only good for being compared with another one."""


def glance(repo: Repo, running: Iterable[AgentRun]) -> Glance:
    """What everything looks like now; *running* are the runs that had not ended when the status was read."""
    copies = [copy for remote in _folders(repo.common_dir / COPIES) for copy in (remote, *_folders(remote))]
    remotes = [*_folders(repo.common_dir / "refs" / "remotes"), *copies]
    return (
        tuple(modified(repo.common_dir / name) for name in REFS),
        tuple(map(modified, remotes)),
        modified(repo.main / FILE),
        tuple(_database(repo.state_dir)),
        tuple((place.name, *_checkout(place)) for place in _folders(repo.common_dir / "worktrees")),
        _checkout(repo.common_dir),
        tuple((run.id, look(repo.state_dir, run).running) for run in running),
    )


def _checkout(git_dir: Path) -> tuple[int, ...]:
    """When a worktree was last on another commit, had something staged, or was in the middle of something."""
    return tuple(modified(git_dir / name) for name in ("HEAD", "index", "logs/HEAD", "MERGE_HEAD", "rebase-merge"))


def _database(state_dir: Path) -> Iterator[tuple[int, int]]:
    """Written to, and not only read: readers make an empty journal and take it away."""
    for name in ("state.db", "state.db-wal"):
        try:
            found = (state_dir / name).stat()
        except OSError:
            continue
        if found.st_size:
            yield found.st_mtime_ns, found.st_size


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as found:
            return sorted(Path(each.path) for each in found)
    except OSError:
        return []
