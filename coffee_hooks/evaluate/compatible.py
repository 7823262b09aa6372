"""Largest compatible sets of a conflict graph. Vertices are bits of an integer; the lowest has the highest priority."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

EXACT = 20
"""Up to this many vertices the largest set is found exactly, beyond by greedy choice."""


def choose(conflicts: Sequence[int], candidates: int, limit: int | None = None) -> int:
    """As many of *candidates* as have no conflict with each other, at most *limit*.

    *conflicts* holds the neighbours of each vertex. Of several largest sets it is the one whose vertices, sorted,
    come first in lexicographic order. Exact for up to ``EXACT`` candidates; beyond, the better of two greedy sets:
    by priority, and fewest conflicts first.
    """
    most = candidates.bit_count() if limit is None else limit
    if candidates.bit_count() <= EXACT:
        return _exact(conflicts, candidates, most)
    by_priority = _take(conflicts, bits(candidates), most)
    degrees = sorted(bits(candidates), key=lambda at: (conflicts[at] & candidates).bit_count())
    by_degree = _take(conflicts, degrees, most)
    return min(by_priority, by_degree, key=lambda picked: (-picked.bit_count(), [*bits(picked)]))


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits of *mask*, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _exact(conflicts: Sequence[int], candidates: int, most: int) -> int:
    @cache
    def size(rest: int) -> int:
        """Branch on a vertex of highest degree; one of degree 0 or 1 is in some largest set."""
        best, at = 0, 0
        for vertex in bits(rest):
            degree = (conflicts[vertex] & rest).bit_count()
            if degree <= 1:
                return 1 + size(rest & ~(conflicts[vertex] | 1 << vertex))
            if degree > best:
                best, at = degree, vertex
        if not best:
            return 0
        return max(1 + size(rest & ~(conflicts[at] | 1 << at)), size(rest & ~(1 << at)))

    picked, missing = 0, min(most, size(candidates))
    for vertex in bits(candidates):
        if not missing:
            break
        candidates &= ~(1 << vertex)
        if not conflicts[vertex] & picked and 1 + size(candidates & ~conflicts[vertex]) >= missing:
            picked |= 1 << vertex
            candidates &= ~conflicts[vertex]
            missing -= 1
    return picked


def _take(conflicts: Sequence[int], order: Iterable[int], most: int) -> int:
    picked = blocked = 0
    for at in order:
        if picked.bit_count() < most and not blocked >> at & 1:
            picked |= 1 << at
            blocked |= conflicts[at]
    return picked
