"""A three-way merge of sequences: what either side changed, where neither touches what the other did."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import TypeVar

T = TypeVar("T")
MAX_PAIRS = 1_000_000
"""Pairs of elements that are compared where no unique element gives a hold; beyond it a gap counts as all changed."""


def match(a: Sequence[Hashable], b: Sequence[Hashable]) -> dict[int, int]:
    """Positions of *a* and the equal ones of *b*, both ascending.

    Elements that stand once in both are matched first, so that blank lines do not pull unrelated text together.
    """
    found: dict[int, int] = {}
    gaps = [(0, len(a), 0, len(b))]
    while gaps:
        low, high, left, right = gaps.pop()
        while low < high and left < right and a[low] == b[left]:
            found[low] = left
            low, left = low + 1, left + 1
        while low < high and left < right and a[high - 1] == b[right - 1]:
            high, right = high - 1, right - 1
            found[high] = right
        if low == high or left == right:
            continue
        anchors = _anchors(a[low:high], b[left:right])
        if anchors:
            at, to = low, left
            for one, other in [*((low + one, left + other) for one, other in anchors), (high, right)]:
                gaps.append((at, one, to, other))
                at, to = one, other  # the anchor itself opens the next gap, as its common beginning
        elif (high - low) * (right - left) <= MAX_PAIRS:
            blocks = SequenceMatcher(None, a[low:high], b[left:right], autojunk=False).get_matching_blocks()
            found.update((low + one + n, left + other + n) for one, other, size in blocks for n in range(size))
    return found


def _anchors(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The longest ascending row of elements that stand exactly once in both."""
    in_a, in_b = Counter(a), Counter(b)
    places = {element: at for at, element in enumerate(b) if in_b[element] == 1}
    pairs = [(at, places[element]) for at, element in enumerate(a) if in_a[element] == 1 and element in places]
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, to) in enumerate(pairs):
        length = bisect_left(tails, to)
        tails[length : length + 1] = [to]
        ends[length : length + 1] = [index]
        before.append(ends[length - 1] if length else -1)
    row: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        row.append(pairs[index])
        index = before[index]
    return row[::-1]


Resolve = Callable[[Sequence[T], Sequence[T], Sequence[T]], "list[T] | None"]


def merge(
    versions: tuple[Sequence[T], Sequence[T], Sequence[T]], key: Callable[[T], Hashable], resolve: Resolve[T]
) -> list[T] | None:
    """Merge base, ours and theirs, cut where all three have elements with one *key*.

    *resolve* merges what lies between two cuts and every common element; its None ends it with None.
    """
    merged: list[T] = []
    for part in _parts(versions, key):
        done = resolve(*part)
        if done is None:
            return None
        merged += done
    return merged


def _parts(
    versions: tuple[Sequence[T], Sequence[T], Sequence[T]], key: Callable[[T], Hashable]
) -> Iterator[tuple[Sequence[T], Sequence[T], Sequence[T]]]:
    base, ours, theirs = versions
    keys = [[key(element) for element in version] for version in versions]
    to_ours, to_theirs = match(keys[0], keys[1]), match(keys[0], keys[2])
    done = (0, 0, 0)
    for at in [*sorted(to_ours.keys() & to_theirs.keys()), None]:
        here = (len(base), len(ours), len(theirs)) if at is None else (at, to_ours[at], to_theirs[at])
        between = (base[done[0] : here[0]], ours[done[1] : here[1]], theirs[done[2] : here[2]])
        if any(between):
            yield between
        if at is not None:
            yield (base[at : at + 1], ours[here[1] : here[1] + 1], theirs[here[2] : here[2] + 1])
        done = (here[0] + 1, here[1] + 1, here[2] + 1)
