"""The form of the signals that follow a lead: from files that look likely to those that go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

Lead = Mapping[int, float]
"""How likely each file looks at first, in 0..1, the likeliest first."""

SEEDS = 12
"""Files, the likeliest, that are followed."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One way from file to file. *name* is that of its weight in the model."""

    name: str
    find: Callable[[Lead], Mapping[int, float]]
    """How strongly for each file that the likely ones lead to, in 0..1."""
    say: Callable[[Lead, int], str]
    """Which file leads to this one, for a person; only asked of files that are led to."""


def seeds(lead: Lead) -> list[int]:
    """The files that are followed."""
    return list(islice(lead, SEEDS))
