"""How good risks were, once it is known which pairs of tasks really touched a common file. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

BINS = 10
THRESHOLDS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair of tasks: the *risk*, in 0..1, that was seen in it, and whether it *met* in a file."""

    risk: float
    met: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs with a risk in *low*..*high*: how many, the risk they had on average, and the share that met."""

    low: float
    high: float
    pairs: int
    risk: float
    met: float


@dataclass(frozen=True, slots=True)
class Cut:
    """What a threshold would have done. *avoided* is the share of the pairs that met which it keeps apart (recall),
    *lost* the share of those that did not, *precision* the share of the pairs kept apart that met, None for no pair.
    """

    threshold: float
    precision: float | None
    avoided: float
    lost: float


def average_precision(judged: Sequence[Judged]) -> float | None:
    """The mean of the precision at each pair that met, riskiest first; equal risks count together. None for none."""
    positives = sum(each.met for each in judged)
    seen = hit = 0
    total = 0.0
    for met, number in _steps(judged):
        seen, hit = seen + number, hit + met
        total += met * hit / seen
    return total / positives if positives else None


def area_under_curve(judged: Sequence[Judged]) -> float | None:
    """The chance that a pair that met was seen as riskier than one that did not; None without one of each."""
    positives = sum(each.met for each in judged)
    negatives = len(judged) - positives
    above = 0  # pairs that met and were riskier
    total = 0.0
    for met, number in _steps(judged):
        total += (number - met) * (above + met / 2)
        above += met
    return total / (positives * negatives) if positives and negatives else None


def calibration(judged: Sequence[Judged]) -> list[Bin]:
    """The pairs by their risk in `BINS` equal steps; steps without pairs are left out."""
    found: list[list[Judged]] = [[] for _ in range(BINS)]
    for each in judged:
        found[min(int(each.risk * BINS), BINS - 1)].append(each)
    return [
        Bin(
            at / BINS,
            (at + 1) / BINS,
            len(pairs),
            math.fsum(each.risk for each in pairs) / len(pairs),
            sum(each.met for each in pairs) / len(pairs),
        )
        for at, pairs in enumerate(found)
        if pairs
    ]


def calibration_error(judged: Sequence[Judged]) -> float:
    """The expected calibration error: how far risk and reality are apart in the bins, weighed by their pairs."""
    bins = calibration(judged)
    return math.fsum(abs(each.risk - each.met) * each.pairs for each in bins) / max(1, len(judged))


def cuts(judged: Sequence[Judged]) -> list[Cut]:
    """What each of `THRESHOLDS` would have done: a pair is kept apart when its risk is above."""
    return [_cut(judged, threshold) for threshold in THRESHOLDS]


def best_threshold(judged: Sequence[Judged]) -> float | None:
    """The lowest of `THRESHOLDS` that avoids most against what it loses (Youden's index); None without both kinds."""
    if area_under_curve(judged) is None:
        return None
    return max(cuts(judged), key=lambda cut: (cut.avoided - cut.lost, -cut.threshold)).threshold


def _cut(judged: Sequence[Judged], threshold: float) -> Cut:
    apart = [each for each in judged if each.risk > threshold]
    hit = sum(each.met for each in apart)
    positives = sum(each.met for each in judged)
    negatives = len(judged) - positives
    return Cut(
        threshold,
        hit / len(apart) if apart else None,
        hit / positives if positives else 0.0,
        (len(apart) - hit) / negatives if negatives else 0.0,
    )


def _steps(judged: Sequence[Judged]) -> Iterator[tuple[int, int]]:
    """For each risk, the highest first, how many pairs met and how many there are."""
    ordered = sorted(judged, key=lambda each: -each.risk)
    for _, group in groupby(ordered, key=lambda each: each.risk):
        pairs = list(group)
        yield sum(each.met for each in pairs), len(pairs)
