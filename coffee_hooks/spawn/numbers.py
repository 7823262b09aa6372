"""Branch numbers that are never used twice."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERED = re.compile(r"(?:.*/)?(?:roadmap-)?wt(\d{1,9})")


def next_number(names: Iterable[str], seq: int = 0) -> int:
    """1 + the highest number among *names* (branches, worktree folders, graves, claims, landings) and *seq*."""
    numbers = (int(found[1]) for found in map(_NUMBERED.fullmatch, names) if found)
    return 1 + max(seq, *numbers, 0)


def branch_name(number: int) -> str:
    """``roadmap-wt7``."""
    return f"roadmap-wt{number}"


def folder_name(branch: str) -> str:
    """The worktree's folder: ``wt7`` for ``roadmap-wt7``."""
    return branch.removeprefix("roadmap-")
