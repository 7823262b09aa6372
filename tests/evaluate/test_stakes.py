"""What a risk costs, and what is left to gain."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.evaluate.stakes import PAIRS, PARTS, Stakes, cost

SHARE = st.floats(0, 1)


@pytest.mark.parametrize(
    ("risk", "threshold", "parts"),
    [
        (0.15, 0.2, 150_000),
        (0.2, 0.2, PARTS // PAIRS),
        (0.0, 0.2, 0),
        (0.9, 1.0, 180_000),
        (1.0, 1.0, PARTS // PAIRS),
        (0.0, 0.0, 0),
        (0.01, 0.0, PARTS // PAIRS),
        (5e-324, 5e-324, PARTS // PAIRS),
    ],
)
def test_the_threshold_is_the_dial(risk: float, threshold: float, parts: int) -> None:
    """At the threshold a fixed share is lost of what is gained, below it less; above it no more."""
    assert cost(risk, threshold) == parts


@given(SHARE, SHARE, SHARE)
def test_a_cost_grows_with_the_risk_up_to_one_start(risk: float, more: float, threshold: float) -> None:
    """Whole numbers within half a part of the exact quotient, monotone, and never more than a start gains."""
    low, high = sorted((risk, more))
    assert 0 <= cost(low, threshold) <= cost(high, threshold) <= PARTS // PAIRS
    if low < threshold:
        assert abs(cost(low, threshold) - PARTS * Fraction(low) / (PAIRS * Fraction(threshold))) <= Fraction(501, 1000)


def test_what_is_at_work_is_paid_for() -> None:
    """Beside a task each other one gains less; a part keeps its own gains and costs, in its order."""
    stakes = Stakes([10, 10, 10], [[0, 3, 4], [3, 0, 5], [4, 5, 0]])
    assert stakes.beside([2]) == Stakes([6, 5, 10], stakes.costs)
    assert stakes.worth([0, 1, 2]) == 30 - 3 - 4 - 5
    for tasks in ([], [2], [2, 0]):
        part = stakes.among(tasks)
        assert part.worth(range(len(tasks))) == stakes.worth(tasks)
        assert [*part.gains] == [10] * len(tasks)
