"""Which of some tasks to start side by side. Tasks are bits of an integer; the lowest has the highest priority."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coffee_hooks.evaluate.ascent import ascend, take
from coffee_hooks.evaluate.optimum import optimum
from coffee_hooks.evaluate.stakes import Stakes, even

EXACT = 20
"""Among up to this many tasks that gain something the best set is found exactly, beyond by small steps."""
TRIED = 500
"""So many, divided by the number of tasks, are tried as the first of a set: hundreds take no longer than dozens."""


def choose(conflicts: Sequence[int], candidates: int, limit: int | None = None, stakes: Stakes | None = None) -> int:
    """The *candidates* without a conflict that are worth most together, at most *limit*.

    *conflicts* holds the rivals of each task; in *stakes* they cost ``APART``. Without *stakes* every task gains the
    same, and a set is worth most that is largest. Of several such sets it is the one whose tasks, sorted, come first
    in lexicographic order. Exact for up to ``EXACT`` candidates that gain anything; beyond, the best of several sets
    that no step makes better: grown from nothing, from a greedy choice by priority, from one by fewest conflicts, and
    from single tasks.
    """
    stakes = stakes or even(conflicts)
    tasks = [task for task in bits(candidates) if stakes.gains[task] >= 0]
    most = candidates.bit_count() if limit is None else limit
    if len(tasks) <= EXACT:
        here = stakes.among(tasks)
        picked = optimum(here, most, here.worth(ascend(here, (), most)))
    else:
        tasks = [*bits(candidates)]
        here = stakes.among(tasks)
        rivals = [(conflicts[task] & candidates).bit_count() for task in tasks]
        by_priority = range(len(tasks))
        by_rivals = sorted(by_priority, key=rivals.__getitem__)
        alone = ([task][:most] for task in by_priority[: TRIED // len(tasks)])
        starts = (), take(here, by_priority, most), take(here, by_rivals, most), *alone
        picked = min((ascend(here, start, most) for start in starts), key=lambda found: (-here.worth(found), found))
    return sum(1 << tasks[at] for at in picked)


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits of *mask*, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
