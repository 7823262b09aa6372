"""Places in a tree as patterns of path segments, and whether two of them can mean the same path.

A segment may hold ``*`` (any characters) and ``?`` (one); the segment ``**`` stands for any number of folders.
Everything else is literal. Nothing here is worse than polynomial: patterns are hostile.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from coffee_hooks.base.model import PathKind

Segments = tuple[str, ...]

FOLDERS = "**"
"""The segment for any number of folders."""


def segments_of(pattern: str, kind: PathKind) -> Segments:
    """*pattern* as segments: a directory holds everything below it, a name without a folder may be in any."""
    parts = tuple(part for part in pattern.split("/") if part not in ("", "."))
    if kind is PathKind.DIRECTORY:
        return (*parts, FOLDERS)
    if kind is PathKind.BARE or (kind is PathKind.GLOB and len(parts) == 1):
        return (FOLDERS, *parts)
    return parts


def literal_prefix(segments: Segments) -> str:
    """The folders that everything matching *segments* is below, joined by slashes; empty when there are none."""
    wild = next((at for at, part in enumerate(segments) if is_wild(part)), len(segments))
    return "/".join(segments[:wild])


def is_wild(part: str) -> bool:
    """Whether *part* may stand for more than itself."""
    return "*" in part or "?" in part


def meet(first: Segments, second: Segments) -> bool:
    """Whether some path matches both patterns."""
    low, high = 0, 0
    shorter = min(len(first), len(second))
    while low < shorter and FOLDERS not in (first[low], second[low]):  # both ends are fixed: most pairs part here
        if not _segments_meet(first[low], second[low]):
            return False
        low += 1
    while high < shorter - low and FOLDERS not in (first[-1 - high], second[-1 - high]):
        if not _segments_meet(first[-1 - high], second[-1 - high]):
            return False
        high += 1
    return _product(first[low : len(first) - high], second[low : len(second) - high], FOLDERS, _segments_meet)


def segment_matcher(wildcard: str) -> Callable[[str], object]:
    """A test, truthy or not, whether a name matches *wildcard*."""
    return _compiled(wildcard).match


def _segments_meet(first: str, second: str) -> bool:
    if first == second:
        return True
    if not is_wild(first):
        return is_wild(second) and _compiled(second).match(first) is not None
    if not is_wild(second):
        return _compiled(first).match(second) is not None
    return _product(first, second, "*", lambda one, other: one == other or "?" in (one, other))


def _product(first: Sequence[str], second: Sequence[str], star: str, agree: Callable[[str, str], bool]) -> bool:
    """Whether two patterns have a common match: reachability in the product of their automata, from the end.

    ``below[at]`` and ``row[at]`` answer it for ``second[at:]`` and the tail of *first* behind and at the current item.
    """
    below = [all(item == star for item in second[at:]) for at in range(len(second) + 1)]
    for item in reversed(first):
        row = [item == star and below[-1]] * (len(second) + 1)
        for at in range(len(second) - 1, -1, -1):
            if star in (item, second[at]):
                row[at] = below[at] or row[at + 1]
            else:
                row[at] = below[at + 1] and agree(item, second[at])
        below = row
    return below[0]


@lru_cache(maxsize=4096)
def _compiled(wildcard: str) -> re.Pattern[str]:
    # translate() makes every star atomic, so that a hostile wildcard cannot backtrack for ever.
    return re.compile(fnmatch.translate(wildcard.replace("[", "[[]")))
