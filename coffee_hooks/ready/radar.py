"""Which branches meet: pairs that touch a common path, and whether git could merge them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged, merge_trees
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.ready.escaped import Escaped
from coffee_hooks.sources.roadmap_conflict import resolve

MOST_ROADMAPS = 100
"""Pairs whose roadmaps are merged in one look: about 2 s where these are long."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Branches *a* and *b* both change *paths*; *conflict* when git cannot merge the two, None when nobody tried."""

    a: str
    b: str
    paths: tuple[str, ...]
    conflict: bool | None


@dataclass(frozen=True, slots=True)
class Outside:
    """*branch* changes *paths* where nobody foresaw that *task* would."""

    branch: str
    task: TaskId
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Radar:
    """What is worth a look while agents work. All of it is sorted by branch, then by path."""

    overlaps: tuple[Overlap, ...]
    outside: tuple[Outside, ...] = ()
    escaped: tuple[Escaped, ...] = ()


def worth_telling(overlaps: Iterable[Overlap], shared: Callable[[str], bool]) -> tuple[Overlap, ...]:
    """*overlaps* without those in files alone that are *shared* by all tasks, unless they conflict. Pure."""
    return tuple(o for o in overlaps if o.conflict or not all(map(shared, o.paths)))


def shared_paths(touched: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Pairs of branches with the paths both touch; pairs without one are not looked at."""
    owners: dict[str, list[str]] = defaultdict(list)
    for branch in sorted(touched):
        for path in touched[branch]:
            owners[path].append(branch)
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path in sorted(owners):
        for a, b in combinations(dict.fromkeys(owners[path]), 2):
            found[a, b].append(path)
    return {pair: tuple(paths) for pair, paths in sorted(found.items())}


def find_conflicts(
    repo: Repo, pairs: Sequence[tuple[Sha, Sha]], target: Sha | None = None, roadmaps: Sequence[str] = ()
) -> dict[tuple[Sha, Sha], bool | None]:
    """Whether the two of each pair conflict; what git could not say is left out. A few processes for all.

    *roadmaps*: where *target* may have its roadmap, which is merged item by item. That takes a moment for each pair:
    those beyond MOST_ROADMAPS are None, for the next time.
    """
    found = dict(zip(pairs, merge_trees(repo, pairs), strict=True))
    asked = [pair for pair, merged in found.items() if merged and not merged.clean and _is_roadmap(merged, roadmaps)]
    if asked and target is not None:
        now = asked[:MOST_ROADMAPS]
        found.update(zip(now, resolve(repo, target, roadmaps, now, [found[pair] for pair in now]), strict=True))
    known: dict[tuple[Sha, Sha], bool | None] = {pair: not merged.clean for pair, merged in found.items() if merged}
    return known | dict.fromkeys(asked[MOST_ROADMAPS:])


def _is_roadmap(merged: Merged, roadmaps: Sequence[str]) -> bool:
    """Whether the only path that conflicts may be the roadmap."""
    return len(merged.conflicts) == 1 and merged.conflicts[0] in roadmaps
