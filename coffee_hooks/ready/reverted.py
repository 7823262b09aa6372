"""Branches whose landing was taken back: git calls their commits merged, and would land a repair without them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.undo import pretend, undoing
from coffee_hooks.ready.branches import Branch
from coffee_hooks.ready.changes import Effect
from coffee_hooks.sources.roadmap_conflict import merge_items
from coffee_hooks.sources.roadmap_places import roadmap_paths
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.reverts import any_reverts, taken_back


@dataclass(frozen=True, slots=True)
class Reverted:
    """*commit* took the landing of a branch back. *inside*: the branch holds that commit, so it lands as it is."""

    commit: Sha
    inside: bool


def find_reverted(repo: Repo, name: str, target: Sha, branches: Iterable[Branch]) -> dict[str, Reverted]:
    """Those of *branches* whose landing on the branch *name* was taken back and is still, at its commit *target*.

    One git process where nothing ever was.
    """
    if not any_reverts(repo):
        return {}
    gone = taken_back(read_landings(repo), name)
    return {
        branch.name: Reverted(commit, is_ancestor(repo, commit, branch.tip))
        for branch in branches
        if (commit := gone.get(branch.name)) and resolve_commit(repo, commit) and is_ancestor(repo, commit, target)
    }


def effects_on_top(
    project: Project, target: Sha, tips: Mapping[str, Sha], reverted: Mapping[str, Reverted]
) -> dict[Sha, Effect]:
    """What landing each *reverted* branch of *tips* would do to *target*, which gets its earlier work back first."""
    wanted = {tips[name]: gone.commit for name, gone in reverted.items() if name in tips and not gone.inside}
    pinned = with_attributes_of(project.repo, target) if wanted else project.repo
    roadmaps = roadmap_paths(project.config.roadmap)
    found = {}
    for tip, commit in wanted.items():
        try:
            found[tip] = _effect(pinned, target, roadmaps, tip, commit)
        except GitFailed:  # then it says of this one what it would say of any branch
            continue
    return found


def _effect(repo: Repo, target: Sha, roadmaps: Sequence[str], tip: Sha, revert: Sha) -> Effect:
    merged = merge_items(repo, target, roadmaps, *undoing(repo, target, revert))
    if merged.clean:
        merged = merge_items(repo, target, roadmaps, pretend(repo, merged.tree, target), tip)
    said = repo.objects("diff-tree", "-r", "-z", "--name-only", "--no-renames", f"{target}^{{tree}}", merged.tree)
    return Effect(merged, tuple(os.fsdecode(path) for path in said.out.split(b"\0") if path))
