"""What each branch would change in the target, for all of them at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged
from coffee_hooks.base.model import Sha


def changed_paths(repo: Repo, before: Sha, merged: Mapping[Sha, Merged | None]) -> dict[Sha, tuple[str, ...]]:
    """What landing each tip would change: the target's tree *before* against the merged one. One git process."""
    trees = list(dict.fromkeys(m.tree for m in merged.values() if m and m.tree != before))
    if not trees:
        return {}
    said = repo.objects(
        "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        stdin="".join(f"{before} {tree}\n" for tree in trees).encode(),
    )  # fmt: skip
    by_tree = parse_diff_trees(said.out, trees)
    return {tip: by_tree[m.tree] for tip, m in merged.items() if m and m.tree in by_tree}


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
