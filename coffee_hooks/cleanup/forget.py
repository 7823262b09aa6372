"""Which verdicts and reviews nobody will ask for again. Whoever asks all the same has it tested or reviewed again."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import REVIEWS, Move, read_json
from coffee_hooks.cleanup.integrated import read_commits
from coffee_hooks.cleanup.scene import Scene
from coffee_hooks.state import blame
from coffee_hooks.state.verdicts import PREFIX, tree_of, written_at

KEPT_SECONDS = 7 * 24 * 3600.0
"""So long a verdict waits for its tree to be asked for again."""


def outdated(scene: Scene) -> tuple[Move, ...]:
    """The deletions of verdicts, blames and reviews that are of no use any more, in order of name.

    One git process where there are any that did not land, another where one of these is old.
    """
    refs = {ref: blob for ref, blob in scene.refs.items() if ref.startswith(PREFIX)}
    reviews = {ref: Sha(ref.removeprefix(REVIEWS)) for ref in scene.refs if ref.startswith(REVIEWS)}
    blames = {ref: Sha(ref.removeprefix(blame.PREFIX)) for ref in refs if ref.startswith(blame.PREFIX)}
    # A blame or a review is for the commit that was judged: it goes with the last branch that is still there.
    tips = {sha for ref, sha in scene.refs.items() if not ref.startswith((PREFIX, REVIEWS))}
    standing = [ref for ref, sha in blames.items() if sha in tips]
    tested = {ref: tree for ref in refs.keys() - blames.keys() if (tree := tree_of(ref))}
    trees = {ref: tree for ref, tree in tested.items() if tree not in scene.landed_trees}
    values = read_json(scene.project.repo, dict.fromkeys(refs[ref] for ref in sorted({*standing, *trees})))
    red = {found.tree for ref in standing if (found := blame.decode(ref, values.get(refs[ref], {})))}
    old = old_verdicts(trees, {ref: values.get(refs[ref], {}) for ref in trees}, red, scene.now)
    if old:
        targets = read_commits(scene.project.repo, {scene.target, scene.remote_target}).values()
        here = {commit.tree for commit in targets}
        old = [ref for ref in old if trees[ref] not in here]
    gone = {ref for judged in (blames, reviews) for ref, sha in judged.items() if sha not in tips}
    return tuple(Move(ref, scene.refs[ref], ABSENT) for ref in sorted({*old, *gone}))


def old_verdicts(
    trees: Mapping[str, Sha], values: Mapping[str, Mapping[str, Any]], wanted: AbstractSet[Sha], now: float
) -> list[str]:
    """The refs in *trees* whose verdict is old, but for the *wanted* trees; one without a date is old. Pure."""
    return [ref for ref, tree in trees.items() if tree not in wanted and written_at(values[ref]) < now - KEPT_SECONDS]
