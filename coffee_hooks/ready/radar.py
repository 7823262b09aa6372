"""Which branches meet: pairs that touch a common path, and whether git could merge them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_trees
from coffee_hooks.base.model import Sha


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


def find_conflicts(repo: Repo, pairs: Sequence[tuple[Sha, Sha]]) -> dict[tuple[Sha, Sha], bool]:
    """Whether git cannot merge the two of each pair; what git could not say is left out. A few processes for all."""
    return {pair: not merged.clean for pair, merged in zip(pairs, merge_trees(repo, pairs), strict=True) if merged}
