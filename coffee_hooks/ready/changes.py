"""What each branch would change in the target, for all of them at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged, merge_trees
from coffee_hooks.base.model import Sha
from coffee_hooks.base.parts import in_parts
from coffee_hooks.sources.roadmap_conflict import resolve


@dataclass(frozen=True, slots=True)
class Effect:
    """What landing a commit would do to the target: the merge, and the paths that would change."""

    merged: Merged
    paths: tuple[str, ...]


def find_effects(repo: Repo, target: Sha, tips: Sequence[Sha], roadmaps: Sequence[str] = ()) -> dict[Sha, Effect]:
    """The effect of each tip on *target*; what git cannot merge is left out. A few git processes for all.

    *roadmaps*: where the roadmap may be, which is merged item by item.
    """
    # The target merged with itself is its own tree, which saves a process.
    pairs = [(target, tip) for tip in tips]
    own, *found = merge_trees(repo, [(target, target), *pairs])
    if own is None:
        return {}
    results = resolve(repo, target, roadmaps, pairs, found)
    merged = {tip: result for tip, result in zip(tips, results, strict=True) if result}
    trees = list(dict.fromkeys(result.tree for result in merged.values() if result.tree != own.tree))
    paths = dict(zip(trees, in_parts(lambda part: _paths(repo, own.tree, part), trees), strict=True)) if trees else {}
    return {tip: Effect(result, paths.get(result.tree, ())) for tip, result in merged.items()}


def _paths(repo: Repo, before: Sha, trees: Sequence[Sha]) -> list[tuple[str, ...]]:
    said = repo.objects(
        "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        stdin="".join(f"{before} {tree}\n" for tree in trees).encode(),
    )  # fmt: skip
    found = parse_diff_trees(said.out, trees)
    return [found[tree] for tree in trees]


def parse_diff_trees(data: bytes, trees: Sequence[Sha]) -> dict[Sha, tuple[str, ...]]:
    """Paths per tree of ``diff-tree --stdin -r -z --raw``: a header line ``A B``, then ``:meta NUL path NUL``."""
    found: dict[Sha, list[str]] = {tree: [] for tree in trees}
    current: list[str] = []
    fields = iter(data.split(b"\0"))
    for field in fields:
        head, _, rest = field.rpartition(b"\n")
        if head:
            current = found[Sha(head.rpartition(b" ")[2].decode())]
        if rest.startswith(b":"):
            current.append(os.fsdecode(next(fields)))
    return {tree: tuple(paths) for tree, paths in found.items()}
