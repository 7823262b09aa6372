"""Which branches meet: pairs that touch a common path, and whether git could merge them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_trees
from coffee_hooks.base.model import Sha

MOST = 5_000
"""Pairs that are merged to see whether they conflict: about 2 s of git. Of more nobody reads a list."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Branches *a* and *b* both change *paths*; *conflict* when git cannot merge the two, None when nobody tried."""

    a: str
    b: str
    paths: tuple[str, ...]
    conflict: bool | None


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


def find_overlaps(repo: Repo, tips: Mapping[str, Sha], touched: Mapping[str, Sequence[str]]) -> tuple[Overlap, ...]:
    """Overlaps of all branches in *touched*; one git process for all merges."""
    shared = shared_paths(touched)
    tried = list(shared)[:MOST]
    merged = merge_trees(repo, [(tips[a], tips[b]) for a, b in tried])
    conflict = {pair: result is None or not result.clean for pair, result in zip(tried, merged, strict=True)}
    return tuple(Overlap(a, b, paths, conflict.get((a, b))) for (a, b), paths in shared.items())
