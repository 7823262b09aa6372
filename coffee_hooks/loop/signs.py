"""Waiting for something to happen: a look at two folders now and then, and no git process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from coffee_hooks.base.git import Repo
from coffee_hooks.state.reviewing import folder as reviews_folder

LOOK_SECONDS = 0.1


class Signs(NamedTuple):
    """When the folder of agents' orders was last changed and what is in it, when those of claims and reviews were.

    In nanoseconds; the names, because the times of two changes in one tick of the clock are equal.
    """

    agents: tuple[int, frozenset[str]] = (0, frozenset())
    claims: int = 0
    reviews: int = 0


def look(repo: Repo) -> Signs:
    """The signs now. A supervisor's last act is to take its order away."""
    orders = repo.state_dir / "agents"
    return Signs(
        (modified(orders), _names(orders)),
        modified(repo.common_dir / "refs" / "coffee" / "tasks"),
        modified(reviews_folder(repo.state_dir)),
    )


def wait_for_sign(repo: Repo, before: Signs, seconds: float) -> None:
    """Sleep until the signs differ from *before*, at most *seconds*.

    A claim alone is waited on for one more look: an agent's end moves its claim first and its order after it.
    """
    deadline = time.monotonic() + seconds
    claimed = False
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(LOOK_SECONDS, left))
        now = look(repo)
        if now.agents != before.agents or now.reviews != before.reviews or claimed:
            return
        claimed = now.claims != before.claims


def _names(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except OSError:
        return frozenset()


def modified(path: Path) -> int:
    """When *path* was last changed, in nanoseconds; 0 when it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
