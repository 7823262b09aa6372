"""Okapi BM25: how well a document answers a query (Robertson and Zaragoza, 2009, "The Probabilistic Relevance
Framework: BM25 and Beyond")."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SATURATION = 1.2
LENGTH = 0.75

MOST_WORDS = 64
"""Words of a query that are looked up, the weightiest."""
_COMMON_SHARE = 0.4
_COMMON = 2000
_FEW = 20


@dataclass(frozen=True, slots=True)
class Postings:
    """Which documents have a word: those of ``groups[k][word]``, ascending, have it *often[k]* times."""

    often: Sequence[float]
    groups: Sequence[Mapping[str, Sequence[int]]]

    def number(self, word: str) -> int:
        """How many documents have *word*."""
        return sum(len(group[word]) for group in self.groups if word in group)

    def has(self, word: str, at: int) -> bool:
        """Whether document *at* has *word*."""
        documents = (group[word] for group in self.groups if word in group)
        return any(at in found[(place := bisect_left(found, at)) : place + 1] for found in documents)


def rarity(word_in: int, documents: int) -> float:
    """The inverse document frequency of a word that is *word_in* so many of all *documents*."""
    return math.log(1 + (documents - word_in + 0.5) / (word_in + 0.5))


def most(documents: int) -> float:
    """A word that is in more of so many *documents* is everywhere."""
    return max(_FEW, min(_COMMON_SHARE * documents, _COMMON))


def weighed(weights: Mapping[str, float], postings: Postings, documents: int) -> dict[str, float]:
    """The words to look up, each with its weight times its rarity; words that are everywhere tell nothing."""
    common = most(documents)
    found = {
        word: weight * rarity(number, documents)
        for word, weight in weights.items()
        if 0 < (number := postings.number(word)) <= common
    }
    kept = sorted(found, key=lambda word: (-found[word], word))[:MOST_WORDS]
    return {word: found[word] for word in kept}


def scores(words: Mapping[str, float], postings: Postings, lengths: Sequence[float]) -> Mapping[int, float]:
    """The score of every document that has one of *words*."""
    found: dict[int, float] = defaultdict(float)
    for word, weight in words.items():
        for often, group in zip(postings.often, postings.groups, strict=True):
            value = weight * often * (SATURATION + 1)
            for at in group.get(word, ()):
                found[at] += value / (often + lengths[at])
    return found


def norms(sizes: Sequence[int]) -> list[float]:
    """What the length of each document adds to the denominator."""
    mean = max(1.0, sum(sizes) / max(1, len(sizes)))
    return [SATURATION * (1 - LENGTH + LENGTH * size / mean) for size in sizes]
