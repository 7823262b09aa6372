"""Arithmetic on intervals, against counting."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.intervals import common, covered, union

INTERVALS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8)


def steps(intervals: list[tuple[int, int]]) -> set[int]:
    """The whole steps that any of *intervals* covers."""
    return {at for start, end in intervals for at in range(start, end)}


@given(INTERVALS, INTERVALS)
def test_intervals_are_sets_of_time(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """Union, intersection and length are those of the steps that are covered; results are apart and in order."""
    assert steps(union(some)) == steps(some)  # type: ignore[arg-type]
    assert covered(some) == len(steps(some))
    both = common(some, others)
    assert steps(both) == steps(some) & steps(others)  # type: ignore[arg-type]
    for found in (union(some), both):
        assert all(start < end for start, end in found)
        assert all(one[1] <= other[0] for one, other in pairwise(found))
