"""Two edits of a roadmap become one: by item, not by line, so that neighbours do not disturb each other.

Statuses move forward, the items that either side added are kept, and nothing is guessed: an edit that is not
understood is a conflict, and so is a result in which an item is lost, stands twice or went back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from coffee_hooks.sources import diff3
from coffee_hooks.sources.roadmap_blocks import Block, Blocks, Name, all_lines, join, split
from coffee_hooks.sources.roadmap_order import Key, arrange
from coffee_hooks.sources.roadmap_sound import is_sound
from coffee_hooks.sources.status_lines import Line, merge_lines, pick
from coffee_hooks.sources.task_names import TaskKey

Keyed = dict[Key, Block]


def merge_roadmaps(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The roadmap with the edits of both sides. None when that takes a person. Pure; never raises.

    What no side changed keeps its bytes. A side that changed nothing gives the other one as it is, whatever that did.
    """
    if theirs in (base, ours):
        return ours
    if ours == base:
        return theirs
    versions = (split(base), split(ours), split(theirs))
    for merge in (_by_block, _by_line):
        merged = merge(*versions)
        if merged is not None:
            data = join(merged)
            if is_sound(*versions, split(data)):
                return data
    return None


def _by_block(base: Blocks, ours: Blocks, theirs: Blocks) -> Blocks | None:
    keyed = _keyed(base, ours, theirs)
    if keyed is None or base.open or ours.open or theirs.open:  # what is behind an open fence is not text alone
        return None
    old, one, other = keyed
    merged: Keyed = {}
    for key in dict.fromkeys((*old, *one, *other)):
        there = (old.get(key), one.get(key), other.get(key))
        block = _merge_block(*there)
        if block is not None:
            merged[key] = block
        elif not _is_removed(*there):
            return None
    order = arrange(tuple(old), tuple(one), tuple(other), merged)
    return None if order is None else _whole((base, ours, theirs), [merged[key] for key in order])


def _by_line(base: Blocks, ours: Blocks, theirs: Blocks) -> Blocks | None:
    """What blocks cannot tell, lines may: a heading that cuts was renamed, edited lines around it were not."""
    lines = _merge_text(*(all_lines(version) for version in (base, ours, theirs)))
    if lines is None:
        return None
    return _whole((base, ours, theirs), [Block(ours.blocks[0].name, tuple(lines), None)])


def _whole(versions: tuple[Blocks, Blocks, Blocks], blocks: Sequence[Block]) -> Blocks:
    base, ours, theirs = versions
    bom, end = pick(base.bom, ours.bom, theirs.bom), pick(base.end, ours.end, theirs.end)
    return Blocks(ours.bom if bom is None else bom, tuple(blocks), ours.end if end is None else end)


def _keyed(*versions: Blocks) -> tuple[Keyed, Keyed, Keyed] | None:
    """The blocks of each version under keys that all versions share; None when they cannot be told apart.

    A text whose heading stands several times is known by the item above it. An item with a new title is known by its
    old name while its ids leave no doubt.
    """
    counts = [Counter(block.name for block in version.blocks) for version in versions]
    often = {name for count in counts for name, times in count.items() if times > 1}
    if any(name.ids and len({count[name] for count in counts}) > 1 for name in often):
        return None
    base, ours, theirs = (_with_keys(version.blocks, often) for version in versions)
    return base, _renamed(base, ours), _renamed(base, theirs)


def _with_keys(blocks: Sequence[Block], often: set[Name]) -> Keyed:
    keyed: Keyed = {}
    seen: Counter[Key] = Counter()
    item: Name | None = None
    for block in blocks:
        item = block.name if block.name.ids else item
        key: Key = (block.name, (item,) if block.name in often and not block.name.ids else ())
        keyed[block.name, (*key[1], seen[key])] = block
        seen[key] += 1
    return keyed


def _renamed(base: Keyed, side: Keyed) -> Keyed:
    gone, new = _by_ids(base, side), _by_ids(side, base)
    old = {new[ids][0]: keys[0] for ids, keys in gone.items() if len(keys) == 1 and len(new.get(ids, ())) == 1}
    return {old.get(key, key): block for key, block in side.items()}


def _by_ids(keyed: Keyed, other: Keyed) -> Mapping[tuple[TaskKey, ...], list[Key]]:
    """The items of *keyed* that *other* does not have."""
    found: dict[tuple[TaskKey, ...], list[Key]] = defaultdict(list)
    for key in keyed:
        if key[0].ids and key not in other:
            found[key[0].ids].append(key)
    return found


def _merge_block(base: Block | None, ours: Block | None, theirs: Block | None) -> Block | None:
    """One block of the result; None when it goes, or cannot be merged."""
    if ours is None or theirs is None:
        return (ours or theirs) if base is None else None
    lines = _merge_text(base.lines if base else None, ours.lines, theirs.lines)
    if lines is None:
        return None
    blanks = [block.blanks for block in (base, ours, theirs) if block and block.blanks is not None]
    known = (blanks[0], ours.blanks, theirs.blanks) if len(blanks) == 3 else None
    chosen = pick(*known) if known else None
    return replace(ours, lines=tuple(lines), blanks=max(blanks, key=len, default=None) if chosen is None else chosen)


def _merge_text(base: Sequence[Line] | None, ours: Sequence[Line], theirs: Sequence[Line]) -> Sequence[Line] | None:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if base is None:  # both added it: alike but for the status, or not at all
        return merge_lines((), ours, theirs)
    return diff3.merge((base, ours, theirs), lambda line: line.key, merge_lines)


def _is_removed(base: Block | None, ours: Block | None, theirs: Block | None) -> bool:
    """Whether a block goes: one side removed it and the other left it alone, or both removed it."""
    if base is None or (ours and theirs):
        return False
    left = ours or theirs
    return left is None or left.lines == base.lines
