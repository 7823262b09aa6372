"""The figures of a backtest against their definitions, worked out by brute force."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.evaluate.scores import (
    THRESHOLDS,
    Judged,
    area_under_curve,
    average_precision,
    best_threshold,
    calibration,
    calibration_error,
    cuts,
)

risks = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.25, 0.5, 0.9, 1.0]) | st.floats(0, 1)
pairs = st.lists(st.builds(Judged, risks, st.booleans()), max_size=25)


@given(pairs)
def test_average_precision_is_the_mean_over_the_pairs_that_met(judged: list[Judged]) -> None:
    """For each of them: of all pairs at least as risky, the share that met."""
    met = [each for each in judged if each.met]
    shares = []
    for one in met:
        seen = [each.met for each in judged if each.risk >= one.risk]
        shares.append(sum(seen) / len(seen))
    assert average_precision(judged) == (pytest.approx(sum(shares) / len(shares)) if met else None)


@given(pairs)
def test_the_area_is_a_chance(judged: list[Judged]) -> None:
    """Of a pair that met and one that did not, the first is the riskier one; equal ones count half."""
    met, apart = ([each.risk for each in judged if each.met is kind] for kind in (True, False))
    wins = [1.0 if one > other else 0.5 if one == other else 0.0 for one, other in product(met, apart)]
    assert area_under_curve(judged) == (pytest.approx(sum(wins) / len(wins)) if wins else None)


@given(pairs)
def test_calibration_puts_every_pair_into_one_bin(judged: list[Judged]) -> None:
    """Bins do not overlap, their pairs add up, and the error is what their pairs are wrong by on average."""
    bins = calibration(judged)
    assert sum(each.pairs for each in bins) == len(judged)
    for each in bins:
        inside = [one for one in judged if each.low <= one.risk < each.high or one.risk == each.high == 1]
        assert each.low - 1e-9 <= each.risk <= each.high + 1e-9
        assert each.pairs == len(inside) or any(abs(one.risk * 10 % 1) < 1e-9 for one in judged)
    wrong = sum(abs(each.risk - each.met) * each.pairs for each in bins)
    assert calibration_error(judged) == pytest.approx(wrong / len(judged) if judged else 0)


@given(pairs)
def test_a_cut_keeps_apart_what_is_above_it(judged: list[Judged]) -> None:
    """Recall, loss and precision at every threshold; the best has the greatest difference, the lowest of several."""
    found = cuts(judged)
    assert [cut.threshold for cut in found] == list(THRESHOLDS)
    for cut in found:
        apart = [each.met for each in judged if each.risk > cut.threshold]
        met, not_met = sum(each.met for each in judged), sum(not each.met for each in judged)
        assert cut.precision == (pytest.approx(sum(apart) / len(apart)) if apart else None)
        assert cut.avoided == pytest.approx(sum(apart) / met if met else 0)
        assert cut.lost == pytest.approx((len(apart) - sum(apart)) / not_met if not_met else 0)
    best = best_threshold(judged)
    if area_under_curve(judged) is None:
        assert best is None
    else:
        most = max(cut.avoided - cut.lost for cut in found)
        assert best == min(cut.threshold for cut in found if cut.avoided - cut.lost == most)
