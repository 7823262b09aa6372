"""Files that used to change together: association rules over the history (Zimmermann et al., 2004, "Mining Version
Histories to Guide Software Changes")."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.signals.spread import Lead, Spread, seeds

WIDEST = 15
"""Changes of more files make no rules: they would relate everything to everything."""
SUPPORT = 2
"""How often two files have to have changed together."""
_DOUBT = 3
"""Changes without the other file that every rule is taken to have seen."""


def cochange(corpus: Corpus) -> Spread:
    """The confidence of the best rule from a likely file, times that file's probability."""
    changed: Counter[int] = Counter()
    together: dict[int, Counter[int]] = defaultdict(Counter)
    for _, files in corpus.edits:
        if len(files) <= WIDEST:
            changed.update(files)
            for at in files:
                together[at].update(files)

    def followed(lead: Lead) -> list[int]:
        return [seed for seed in seeds(lead) if seed in together]

    def strength(lead: Lead, seed: int, at: int) -> float:
        return lead[seed] * together[seed][at] / (changed[seed] + _DOUBT)

    def find(lead: Lead) -> Mapping[int, float]:
        best: dict[int, float] = {}
        for seed in followed(lead):
            for at, number in together[seed].items():
                if number >= SUPPORT and at != seed:
                    best[at] = max(best.get(at, 0.0), strength(lead, seed, at))
        return best

    def say(lead: Lead, at: int) -> str:
        leading = (seed for seed in followed(lead) if together[seed][at] >= SUPPORT and at != seed)
        seed = max(leading, key=lambda seed: (strength(lead, seed, at), seed))
        return f"it changed with {corpus.paths[seed]} in {together[seed][at]} of {changed[seed]} changes of that"

    return Spread("cochange", find, say)
