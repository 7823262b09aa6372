"""Merges in which git found a conflict in the roadmap: its items are merged one by one, for whoever asks.

Landing, readiness, the radar and cleanup all ask here, so that they never disagree about what a conflict is.
"""

from __future__ import annotations

from collections.abc import Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import Merged, conflict_entries, merge_tree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.trees import replace_blobs
from coffee_hooks.sources.roadmap_places import any_of_them, find_roadmap

FORM = 2
"""Of the answers: whoever remembers them asks again under another number."""

Pair = tuple[Sha, Sha]
_Blobs = tuple[str, str, str]


def merge_items(repo: Repo, target: Sha, paths: Sequence[str], ours: Sha, theirs: Sha) -> Merged:
    """The merge of two commits, in the roadmap item by item; *target* and *paths* as in resolve. Raises GitFailed."""
    merged = merge_tree(repo, ours, theirs)
    return merged if merged.clean else resolve(repo, target, paths, [(ours, theirs)], [merged])[0] or merged


def resolve(
    repo: Repo, target: Sha, paths: Sequence[str], pairs: Sequence[Pair], results: Sequence[Merged | None]
) -> list[Merged | None]:
    """*results* of merging *pairs* without the conflicts in the roadmap that no person is needed for.

    The roadmap is the first of *paths* that *target* has; a single one is not looked for. No git process where none
    of it conflicts, nine at most however many do. Raises GitFailed.
    """
    found = list(results)
    met = {path for merged in results if merged and not merged.clean for path in merged.conflicts}
    roadmap = _roadmap(repo, target, paths) if any_of_them(met, paths) else None
    if roadmap is None or roadmap not in met:
        return found
    asked = [at for at, merged in enumerate(results) if merged and not merged.clean and roadmap in merged.conflicts]
    texts = _merged_roadmaps(repo, [pairs[at] for at in asked], roadmap)
    known = [
        (at, merged, text)
        for at, text in zip(asked, texts, strict=True)
        if text is not None and (merged := results[at])
    ]
    trees = replace_blobs(repo, [(merged.tree, roadmap, text) for _, merged, text in known])
    for (at, merged, _), tree in zip(known, trees, strict=True):
        if tree is not None:
            rest = tuple(path for path in merged.conflicts if path != roadmap)
            found[at] = Merged(tree, not rest, rest)
    return found


def _roadmap(repo: Repo, target: Sha, paths: Sequence[str]) -> str | None:
    return paths[0] if len(paths) == 1 else find_roadmap(repo, target, paths)


def _merged_roadmaps(repo: Repo, pairs: Sequence[Pair], path: str) -> list[bytes | None]:
    """The roadmap of each merge, None where it stays a conflict."""
    from coffee_hooks.sources.roadmap_merge import merge_roadmaps

    triples = [_blobs_of(entries or (), path) for entries in conflict_entries(repo, pairs)]
    blobs = read_blobs(repo, [name for triple in triples if triple for name in triple if name])
    merged: dict[_Blobs, bytes | None] = {}
    for triple in triples:
        if triple is not None and triple not in merged:
            merged[triple] = merge_roadmaps(*(blobs.get(Sha(name), b"") for name in triple))
    return [merged[triple] if triple else None for triple in triples]


def _blobs_of(entries: Sequence[str], path: str) -> _Blobs | None:
    """The blobs of base (empty without one), ours and theirs; None unless these are regular files. Pure."""
    stages: dict[str, str] = {}
    for entry in entries:
        meta, _, name = entry.partition("\t")
        if name == path:
            mode, blob, stage = meta.split(" ")
            if mode not in ("100644", "100755"):
                return None
            stages[stage] = blob
    return (stages.get("1", ""), stages["2"], stages["3"]) if {"2", "3"} <= stages.keys() else None
