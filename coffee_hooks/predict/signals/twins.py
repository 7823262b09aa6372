"""A source file and its tests, told by their names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice

from coffee_hooks.predict.corpus import Corpus, grouped, subject_of
from coffee_hooks.predict.signals.spread import Lead, Spread

LED = 30
"""Likely files whose twins are looked for."""


def twins(corpus: Corpus) -> Spread:
    """The tests of a likely source file, and the source of a likely test; shared out where there are several."""
    by_subject = grouped((subject_of(path), at) for at, path in enumerate(corpus.paths))

    def pairs(lead: Lead) -> Iterator[tuple[int, int, float]]:
        for seed in islice(lead, LED):
            alike = by_subject[subject_of(corpus.paths[seed])]
            for at in alike:
                if corpus.tests[at] is not corpus.tests[seed]:
                    yield seed, at, lead[seed] / math.sqrt(len(alike) - 1)

    def find(lead: Lead) -> Mapping[int, float]:
        found: dict[int, float] = {}
        for _, at, strength in pairs(lead):
            found[at] = max(strength, found.get(at, 0.0))
        return found

    def say(lead: Lead, at: int) -> str:
        seed = next(seed for seed, twin, _ in pairs(lead) if twin == at)
        test, source = (at, seed) if corpus.tests[at] else (seed, at)
        return f"{corpus.paths[test]} tests {corpus.paths[source]}"

    return Spread("twins", find, say)
