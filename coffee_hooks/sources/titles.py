"""Whether two titles speak of the same work."""

from __future__ import annotations

import re

SAME = 0.6
"""Share of common words from which two titles count as one; the origin's 16 pairs lie above, others below."""

_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset(("a", "an", "and", "for", "in", "of", "on", "or", "the", "to", "with"))
_VAGUE = re.compile(
    r"add|agent|create|feature|implement(?:ation)?|integration|new|skill|spec(?:ification)?|support|system|technical"
    r"|update"
)
"""Words in so many titles that sharing one says nothing."""


def same_work(one: str, other: str) -> bool:
    """Whether two titles of one id are one work: equal, one inside the other, or nearly equal.

    Titles that differ in a number (``Phase 1``, ``Phase 2``) are different; an empty title fits any.
    """
    a, b = words(one), words(other)
    if not a or not b or a <= b or b <= a:
        return True
    if {word for word in a if word.isdigit()} != {word for word in b if word.isdigit()}:
        return False
    return len(a & b) >= SAME * len(a | b)


def kinship(one: str, other: str) -> float:
    """How much two titles of different documents share, 0..1: common telling words, by the shorter title."""
    a, b = _telling(one), _telling(other)
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def words(title: str) -> frozenset[str]:
    """The words of a title that mean something, lower case; what stands in brackets is an aside."""
    found = frozenset(_WORD.findall(_ASIDE.sub(" ", title).lower()))
    return (found or frozenset(_WORD.findall(title.lower()))) - _EMPTY


def _telling(title: str) -> frozenset[str]:
    found = frozenset(word.removesuffix("s") for word in words(title))
    return frozenset(word for word in found if not _VAGUE.fullmatch(word)) or found
