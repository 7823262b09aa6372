"""The axis of the bars: in order, whole, and with long pauses cut short."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.report.scale import FULL, scale

MOMENTS = st.integers(0, 100_000)


@given(st.lists(st.tuples(MOMENTS, st.integers(0, 500)), max_size=12), MOMENTS, MOMENTS)
def test_time_runs_from_left_to_right(spells: list[tuple[int, int]], one: int, other: int) -> None:
    """Pieces follow each other from 0 to all of it, places keep the order of moments, and the way back is the same."""
    first, last = sorted((one, other))
    made = scale([(start, start + length) for start, length in spells], first, last)
    pieces = made.pieces
    assert (pieces[0].left, pieces[-1].right) == (0, FULL)
    assert (pieces[0].start, pieces[-1].end) == (first, max(last, first + 1))
    for before, after in pairwise(pieces):
        assert before.right == after.left and before.end == after.start
        assert before.left < before.right
    moments = sorted({first, last, *(start for start, _ in spells if first <= start <= last)})
    places = [made.place(moment) for moment in moments]
    assert places == sorted(places) and all(0 <= place <= FULL for place in places)
    assert [made.moment(place) for place in places] == pytest.approx(moments, abs=1e-3)


def test_a_night_between_two_minutes_of_work_takes_little_room() -> None:
    """Only pauses are cut, never work: a minute in the evening is as wide as one in the morning."""
    made = scale([(0, 60), (40_000, 40_060)], 0, 40_060)
    assert [(cut.start, cut.end) for cut in made.cuts] == [(60, 40_000)]
    assert made.place(60) == pytest.approx(FULL - made.place(40_000))
    assert made.place(60) > 45


def test_without_work_nothing_is_cut() -> None:
    """A time in which nothing is known to have happened is drawn as it is; so is a moment."""
    assert scale([], 0, 1000).cuts == ()
    assert scale([], 5, 5).place(5) == 0
