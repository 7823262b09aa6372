"""In which order the blocks of a merged roadmap stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from coffee_hooks.sources.diff3 import match
from coffee_hooks.sources.roadmap_blocks import Name

Key = tuple[Name, tuple[object, ...]]
"""A block as all three versions know it: its name, and what tells it from others of that name."""


def arrange(base: Sequence[Key], ours: Sequence[Key], theirs: Sequence[Key], kept: Collection[Key]) -> list[Key] | None:
    """The order of the *kept* keys: the one of the side that moved blocks, new ones behind what they stood behind.

    Where both sides have new ones at a place, ours come first. None when both moved blocks, differently.
    """
    common = set(base).intersection(ours, theirs)
    old, one, other = ([key for key in keys if key in common] for keys in (base, ours, theirs))
    if other in (old, one):
        return _weave(base, ours, theirs, kept, first=True)
    return _weave(base, theirs, ours, kept, first=False) if one == old else None


def _weave(
    base: Sequence[Key], skeleton: Sequence[Key], other: Sequence[Key], kept: Collection[Key], *, first: bool
) -> list[Key]:
    """The *skeleton* with the new keys of *other*; *first*: new keys of the skeleton precede them."""
    order = [key for key in skeleton if key in kept]
    known = set(order)
    fresh = known.difference(base, other)
    shared = [key for key in other if key in known]
    firm = {shared[at] for at in match(shared, [key for key in order if key in set(shared)])}
    anchor = -1
    for key in other:
        if key in firm:
            anchor = order.index(key)
        elif key in kept and key not in known:
            anchor += 1
            while anchor < len(order) and order[anchor] in fresh and _yields(key, order[anchor], first=first):
                anchor += 1
            order.insert(anchor, key)
    return order


def _yields(key: Key, standing: Key, *, first: bool) -> bool:
    """Whether *key* goes behind a new block that stands there. No text comes between a new item and its group."""
    is_text, over_text = not key[0].ids, not standing[0].ids
    return first and is_text if over_text else first or is_text
