"""Files beside likely ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice

from coffee_hooks.predict.corpus import Corpus, folder_of
from coffee_hooks.predict.signals.spread import Lead, Spread

LED = 60
"""Likely files whose folders count."""
_LEAST = 0.3


def neighbours(corpus: Corpus) -> Spread:
    """The share of all that is likely which lies in the folder of a file, the file itself left out.

    Only files that are likely by themselves are looked at: a folder says nothing about one in particular.
    """
    folders = [folder_of(path) for path in corpus.paths]

    def find(lead: Lead) -> Mapping[int, float]:
        inside: dict[str, float] = defaultdict(float)
        led = list(islice(lead, LED))
        for at in led:
            inside[folders[at]] += lead[at]
        whole = max(_LEAST, sum(lead.values()))
        mine = {at: lead[at] for at in led}
        return {at: (inside[folders[at]] - mine.get(at, 0.0)) / whole for at in lead if folders[at] in inside}

    return Spread("neighbours", find, lambda _lead, at: f"other likely files are in {folders[at] or 'the top folder'}")
