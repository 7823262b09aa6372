"""Whether a merged roadmap is one: nothing lost, nothing twice, nothing gone back."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import combinations

from coffee_hooks.base.model import Status
from coffee_hooks.sources.roadmap_blocks import Blocks, Name, all_lines
from coffee_hooks.sources.status_lines import merge_status, pick
from coffee_hooks.sources.task_names import TaskKey
from coffee_hooks.sources.titles import same_work


def is_sound(base: Blocks, ours: Blocks, theirs: Blocks, merged: Blocks) -> bool:
    """Whether every item stands as often as it should, none twice under two titles, and every status is right."""
    old, one, other, both = (_statuses(version) for version in (base, ours, theirs, merged))
    for name in {*old, *one, *other, *both}:
        counts = [len(items.get(name, ())) for items in (old, one, other)]
        wanted = pick(*counts)
        if len(both.get(name, ())) != (max(counts[1:]) if wanted is None else wanted):
            return False
        if name in one and name in other and name in both and max(counts) == 1:
            before = old[name][0] if name in old else None
            if both[name][0] is not merge_status(before, one[name][0], other[name][0]):
                return False
    before_one, before_other = _twins(ours), _twins(theirs)
    return _keeps_lines(base, ours, theirs, merged) and all(
        times <= max(before_one[task], before_other[task]) for task, times in _twins(merged).items()
    )


def _keeps_lines(base: Blocks, ours: Blocks, theirs: Blocks, merged: Blocks) -> bool:
    """Whether each line stands as often as the edits say. A text can belong to another block than it did."""
    old, one, other, both = (
        Counter(line.key for line in all_lines(version)) for version in (base, ours, theirs, merged)
    )
    for key in {*old, *one, *other, *both}:
        counts = (old[key], one[key], other[key])
        if old[key] in counts[1:]:
            low = high = sum(counts[1:]) - old[key]
        else:  # both changed it: alike, each for itself, or some of each
            wanted = (one[key], other[key], one[key] + other[key] - old[key])
            low, high = min(wanted), max(wanted)
        if key[0].strip() and not low <= both[key] <= high:
            return False
    return True


def _statuses(roadmap: Blocks) -> Mapping[Name, list[Status]]:
    """What each item says of its status, as often as its heading stands there."""
    found: dict[Name, list[Status]] = defaultdict(list)
    for name, status in roadmap.items:
        found[name].append(status)
    return found


def _twins(roadmap: Blocks) -> Counter[TaskKey]:
    """For each id how many pairs of its headings name the same work."""
    titles: dict[TaskKey, list[str]] = defaultdict(list)
    for name, _ in roadmap.items:
        for task in name.ids:
            titles[task].append(name.title)
    return Counter(
        task for task, each in titles.items() for one, other in combinations(each, 2) if same_work(one, other)
    )
