"""Many questions for git shared out to a few processes, the answers in the order of the questions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

MOST_PARTS = 4
LEAST_IN_PART = 32
"""A process costs about as much as ten small questions; below this, sharing out gains nothing."""


def processors() -> int:
    """The processors that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def in_parts(ask: Callable[[Sequence[Asked]], list[Answer]], items: Sequence[Asked]) -> list[Answer]:
    """What *ask* answers for all *items*, asked for contiguous parts of them side by side.

    *ask* returns one answer for each item and runs in threads; the first error it raises is raised here.
    """
    count = max(1, min(MOST_PARTS, processors(), len(items) // LEAST_IN_PART))
    if count == 1:
        return ask(items)
    ends = [len(items) * number // count for number in range(count + 1)]
    parts = [items[start:end] for start, end in pairwise(ends)]
    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(chain.from_iterable(pool.map(ask, parts)))
