"""How often and how lately a file was changed, whatever the task."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from coffee_hooks.predict.corpus import Corpus

FADING = 300
"""After this many further changes a change counts 1/e."""
LATELY = 50
"""Changes that are recent."""


@dataclass(frozen=True, slots=True)
class Churn:
    """*share* is the faded share of the changes that touched a file, *lately* how many of the recent ones did, *ever*
    how many at all. Files that none touched are in none."""

    share: Mapping[int, float]
    lately: Mapping[int, int]
    ever: Mapping[int, int]
    total: int


def churn(corpus: Corpus) -> Churn:
    """The churn of every file."""
    share: dict[int, float] = {}
    lately: Counter[int] = Counter()
    ever: Counter[int] = Counter()
    whole = 0.0
    for number, (_, files) in enumerate(corpus.edits):
        weight = math.exp(-number / FADING)
        whole += weight
        ever.update(files)
        lately.update(files if number < LATELY else ())
        for at in files:
            share[at] = share.get(at, 0.0) + weight
    return Churn({at: weight / whole for at, weight in share.items()}, lately, ever, len(corpus.edits))
