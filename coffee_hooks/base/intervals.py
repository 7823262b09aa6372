"""Arithmetic on intervals of time, each a start and an end. Pure; all times in one unit."""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The time that any of *intervals* covers, as intervals apart from each other, in order; empty ones are dropped."""
    found: list[Interval] = []
    for start, end in sorted(each for each in intervals if each[1] > each[0]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def common(some: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """The time that both *some* and *others* cover, in order."""
    ours, theirs, found = union(some), union(others), []
    here = there = 0
    while here < len(ours) and there < len(theirs):
        start, end = max(ours[here][0], theirs[there][0]), min(ours[here][1], theirs[there][1])
        if start < end:
            found.append((start, end))
        if ours[here][1] < theirs[there][1]:
            here += 1
        else:
            there += 1
    return found


def covered(intervals: Iterable[Interval]) -> float:
    """Length of the union of *intervals*."""
    return sum(end - start for start, end in union(intervals))
