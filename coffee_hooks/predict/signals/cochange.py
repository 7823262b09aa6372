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

    def rules(lead: Lead) -> Mapping[int, tuple[float, int]]:
        best: dict[int, tuple[float, int]] = {}
        for seed in seeds(lead):
            for at, number in together[seed].items() if seed in together else ():
                if number >= SUPPORT and at != seed:
                    strength = lead[seed] * number / (changed[seed] + _DOUBT)
                    best[at] = max(best.get(at, (0.0, seed)), (strength, seed))
        return best

    def find(lead: Lead) -> Mapping[int, float]:
        return {at: strength for at, (strength, _) in rules(lead).items()}

    def say(lead: Lead, at: int) -> str:
        seed = rules(lead)[at][1]
        return f"it changed with {corpus.paths[seed]} in {together[seed][at]} of {changed[seed]} changes of that"

    return Spread("cochange", find, say)
