"""What would happen if branches landed: each alone on the target, and any two that touch a common path together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.ready.changes import ANYTHING, Effect, find_effects
from coffee_hooks.ready.memo import Memo, keep, key_of, recall
from coffee_hooks.ready.radar import Overlap, find_conflicts, shared_paths
from coffee_hooks.ready.unwanted import Policy
from coffee_hooks.sources.roadmap_places import roadmap_paths

MOST = 5_000
"""Pairs that are merged to see whether they conflict: about 2 s of git. Of more nobody reads a list."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """*effects* by tip, without those that git could not merge; *overlaps* of branches by name."""

    effects: Mapping[Sha, Effect]
    overlaps: tuple[Overlap, ...]


def foresee(
    repo: Repo,
    target: Sha,
    tips: Mapping[str, Sha],
    *,
    every: bool,
    roadmap: str | None = None,
    policy: Policy = ANYTHING,
) -> Foreseen:
    """Merge what is not known from the last time, in a few git processes. *tips* by branch.

    *roadmap*: where it is, if the configuration says so. *every*: these are all the branches there are, so what is
    known of others can be forgotten.
    """

    @cache
    def merging() -> Repo:
        return with_attributes_of(repo, target)

    roadmaps = roadmap_paths(roadmap)
    key = key_of(repo, target, roadmaps, policy)
    memo = recall(repo, key)
    effects = {tip: memo.effects[tip] for tip in tips.values() if tip in memo.effects}
    if new := [tip for tip in dict.fromkeys(tips.values()) if tip not in effects]:
        effects |= find_effects(merging(), target, new, roadmaps, policy)
    shared = shared_paths({name: effects[tip].paths for name, tip in tips.items() if tip in effects})
    pairs = {names: (tips[names[0]], tips[names[1]]) for names in list(shared)[:MOST]}
    conflicts: dict[tuple[Sha, Sha], bool | None] = {
        pair: memo.conflicts[pair] for pair in pairs.values() if pair in memo.conflicts
    }
    if untried := [pair for pair in dict.fromkeys(pairs.values()) if pair not in conflicts]:
        conflicts |= find_conflicts(merging(), untried, target, roadmaps)
    answers = {pair: answer for pair, answer in conflicts.items() if answer is not None}
    found = Memo(effects, answers)
    if not every:
        found = Memo({**memo.effects, **effects}, {**memo.conflicts, **answers})
    if found != memo:
        keep(repo, key, found)
    # What git could not say counts as a conflict; None is a pair that nobody tried.
    overlaps = (
        Overlap(*names, paths, conflicts.get(pairs[names], True) if names in pairs else None)
        for names, paths in shared.items()
    )
    return Foreseen(effects, tuple(overlaps))
