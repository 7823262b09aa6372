"""Branch numbers that are never used twice."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBERED = re.compile(r"(?:roadmap-)?wt(\d{1,9})")


def next_number(names: Iterable[str], seq: int = 0) -> int:
    """1 + the highest number among *names* (branches, worktree folders, graves, claims, landings) and *seq*.

    Any part of a path counts: a branch ``roadmap-wt7/x`` stands in the way of ``roadmap-wt7``.
    """
    return 1 + max(seq, *(number_of(part) for name in names for part in name.split("/")), 0)


def number_of(name: str) -> int:
    """7 for ``roadmap-wt7`` and ``wt7``, 0 for any other name."""
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else 0


def branch_name(number: int) -> str:
    """``roadmap-wt7``."""
    return f"roadmap-wt{number}"


def folder_name(branch: str) -> str:
    """The worktree's folder: ``wt7`` for ``roadmap-wt7``."""
    return branch.removeprefix("roadmap-")
