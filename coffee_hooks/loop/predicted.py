"""What was predicted of a task when it was claimed, kept until its landing shows what it really touched."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import PathKind, Sha
from coffee_hooks.evaluate.comparison import Comparison, Expected, compare
from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.landings import Member
from coffee_hooks.state.predictions import Prediction, remember
from coffee_hooks.state.store import Store

MOST = 50
"""So many places of a task are remembered, the likeliest."""

_COMMIT = re.compile(r"\n?\x01([0-9a-f]{40,64})\n?")


def remember_predictions(store: Store, evaluation: Evaluation, claims: Iterable[Claim]) -> None:
    """Keep where the tasks of *claims*, made just now, are expected to work."""
    for claim in claims:
        verdict = evaluation.verdict(claim.task)
        if verdict is not None:
            foot = verdict.footprint
            ordered = sorted(foot.places, key=lambda place: (-place.probability, place.pattern))[:MOST]
            places = tuple((place.pattern, place.kind.value, place.probability) for place in ordered)
            remember(store, Prediction(claim.task, claim.branch, time.time(), foot.scope.value, places))


def compare_all(
    repo: Repo, members: Sequence[Member], remembered: Mapping[str, Prediction], roadmaps: Collection[str]
) -> list[Comparison]:
    """Each landing of *members* whose prediction is remembered beside what it changed. At most one git process."""
    known = [member for member in members if member.branch in remembered]
    changed = _changed(repo, {member.merge_commit for member in known})
    found = []
    for member in known:
        if member.merge_commit in changed:
            said = remembered[member.branch]
            expected = [Expected(pattern, PathKind(kind), probability) for pattern, kind, probability in said.places]
            shared = {*roadmaps, *([member.roadmap] if member.roadmap else [])}
            found.append(compare(said.task, member.branch, said.scope, expected, changed[member.merge_commit], shared))
    return found


def _changed(repo: Repo, merges: Collection[Sha]) -> dict[Sha, list[str]]:
    """The paths that each of *merges* changed against its first parent; those that are not here are left out."""
    if not merges:
        return {}
    args = ("log", "-z", "--no-walk=unsorted", "--ignore-missing", "--diff-merges=first-parent", "--no-renames")
    raw = repo.objects(*args, "--name-only", "--format=%x01%H", *sorted(merges)).out
    found: dict[Sha, list[str]] = {}
    for field in os.fsdecode(raw).split("\0"):
        if head := _COMMIT.match(field):
            sha = Sha(head[1])
            found[sha] = []
        path = field[head.end() :] if head else field.lstrip("\n")  # the first may stand behind the commit
        if path and found:
            found[sha].append(path)
    return found
