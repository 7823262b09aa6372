"""Okapi BM25: how well a document answers a query (Robertson and Zaragoza, 2009, "The Probabilistic Relevance
Framework: BM25 and Beyond")."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

SATURATION = 1.2
LENGTH = 0.75

MOST_WORDS = 64
"""Words of a query that are looked up, the weightiest."""
_COMMON_SHARE = 0.4
_COMMON = 2000
_FEW = 20

Postings = Mapping[str, Sequence[tuple[int, float]]]
"""For each word the documents that have it, with how often."""


def rarity(word_in: int, documents: int) -> float:
    """The inverse document frequency of a word that is *word_in* so many of all *documents*."""
    return math.log(1 + (documents - word_in + 0.5) / (word_in + 0.5))


def weighed(weights: Mapping[str, float], postings: Postings, documents: int) -> dict[str, float]:
    """The words to look up, each with its weight times its rarity; words that are everywhere tell nothing."""
    common = max(_FEW, min(_COMMON_SHARE * documents, _COMMON))
    found = {
        word: weight * rarity(len(postings[word]), documents)
        for word, weight in weights.items()
        if word in postings and len(postings[word]) <= common
    }
    kept = sorted(found, key=lambda word: (-found[word], word))[:MOST_WORDS]
    return {word: found[word] for word in kept}


def scores(words: Mapping[str, float], postings: Postings, lengths: Sequence[float]) -> Mapping[int, float]:
    """The score of every document that has one of *words*."""
    found: dict[int, float] = defaultdict(float)
    for word, weight in words.items():
        for at, often in postings[word]:
            found[at] += weight * often * (SATURATION + 1) / (often + lengths[at])
    return found


def norms(sizes: Sequence[int]) -> list[float]:
    """What the length of each document adds to the denominator."""
    mean = max(1.0, sum(sizes) / max(1, len(sizes)))
    return [SATURATION * (1 - LENGTH + LENGTH * size / mean) for size in sizes]
