"""What is believed of the share of branches that turn the gate red, from everything seen so far. Pure.

The rate is unknown, so it is a distribution over a grid of rates, and Bayes' rule is exact on it: a green run of k
branches has the likelihood (1-p)^k, a red one 1-(1-p)^k, a blamed branch p.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import mul

# From one branch in four hundred to one in two, evenly spaced in the logarithm of the odds. Where more are red each is
# tested alone, as at one in two: to tell such rates apart gains nothing, and believing in them costs the others.
_RATES: tuple[float, ...] = tuple(1 / (1 + 400 * math.exp(-math.log(400) * i / 40)) for i in range(41))

ENOUGH = 10
"""Branches; with less known, the whole queue is tried first."""


@dataclass(frozen=True, slots=True)
class History:
    """Branches of this repository that were judged before: so many landed, so many were blamed."""

    good: int = 0
    bad: int = 0

    @property
    def known(self) -> bool:
        """Whether it is enough to choose the size of a first batch by."""
        return self.good + self.bad >= ENOUGH


@dataclass(frozen=True, slots=True)
class Belief:
    """The probability of each rate of the grid."""

    weights: tuple[float, ...]

    @property
    def rate(self) -> float:
        """The expected share of red branches, between 0 and 1."""
        rate: float = sum(map(mul, self.weights, _RATES))
        return rate

    def all_good(self, count: int) -> float:
        """The probability that *count* branches are green together."""
        chance: float = sum(map(mul, self.weights, _powers(count)))
        return chance


def believe(history: History, reds: Iterable[int]) -> Belief:
    """The belief after *history* and sets of branches, of the sizes *reds*, that were red together."""
    return _believe(history.good, history.bad, tuple(sorted(reds)))


@lru_cache(maxsize=4096)
def _believe(good: int, bad: int, reds: tuple[int, ...]) -> Belief:
    weights = [power * math.pow(rate, bad) for power, rate in zip(_powers(good), _RATES, strict=True)]
    for size in reds:
        weights = [weight * (1 - power) for weight, power in zip(weights, _powers(size), strict=True)]
    total = sum(weights)
    if total <= 0.0:  # a history beyond what floats can multiply
        rate = bad / (good + bad)
        nearest = min(range(len(_RATES)), key=lambda i: abs(_RATES[i] - rate))
        return Belief(tuple(float(i == nearest) for i in range(len(_RATES))))
    return Belief(tuple(weight / total for weight in weights))


@lru_cache(maxsize=4096)
def _powers(count: int) -> tuple[float, ...]:
    return tuple(math.pow(1 - rate, count) for rate in _RATES)
