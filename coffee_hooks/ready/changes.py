"""What each branch would change in the target, for all of them at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged, merge_trees
from coffee_hooks.base.model import Sha
from coffee_hooks.base.parts import in_parts
from coffee_hooks.ready.unwanted import Policy, find_copies, find_large, find_secrets
from coffee_hooks.sources.roadmap_conflict import resolve

ANYTHING = Policy()


@dataclass(frozen=True, slots=True)
class Effect:
    """What landing a commit would do to the target: the merge, and the paths that would change.

    *secrets* and *large* are files that a person has to allow.
    """

    merged: Merged
    paths: tuple[str, ...]
    secrets: tuple[str, ...] = ()
    large: tuple[str, ...] = ()


def find_effects(
    repo: Repo, target: Sha, tips: Sequence[Sha], roadmaps: Sequence[str] = (), policy: Policy = ANYTHING
) -> dict[Sha, Effect]:
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
    new = dict(zip(trees, in_parts(lambda part: _changes(repo, own.tree, part), trees), strict=True)) if trees else {}
    changed = {tip: new.get(result.tree, {}) for tip, result in merged.items()}
    secrets = find_secrets(repo, target, list(merged), policy)
    copies = find_copies(repo, target, changed, policy)
    large = find_large(repo, changed, policy)
    return {
        tip: Effect(
            result,
            tuple(changed[tip]),
            tuple(dict.fromkeys((*secrets.get(tip, ()), *copies.get(tip, ())))),
            large.get(tip, ()),
        )
        for tip, result in merged.items()
    }


def _changes(repo: Repo, before: Sha, trees: Sequence[Sha]) -> list[dict[str, Sha]]:
    said = repo.objects(
        "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        stdin="".join(f"{before} {tree}\n" for tree in trees).encode(),
    )  # fmt: skip
    found = parse_diff_trees(said.out, trees)
    return [found[tree] for tree in trees]


def parse_diff_trees(data: bytes, trees: Sequence[Sha]) -> dict[Sha, dict[str, Sha]]:
    """Per tree of ``diff-tree --stdin -r -z --raw`` each path with its new blob, zeros where it is gone: a header line
    ``A B``, then ``:meta NUL path NUL``."""
    found: dict[Sha, dict[str, Sha]] = {tree: {} for tree in trees}
    current: dict[str, Sha] = {}
    fields = iter(data.split(b"\0"))
    for field in fields:
        head, _, rest = field.rpartition(b"\n")
        if head:
            current = found[Sha(head.rpartition(b" ")[2].decode())]
        if rest.startswith(b":"):
            current[os.fsdecode(next(fields))] = Sha(rest.split(b" ")[3].decode())
    return found
