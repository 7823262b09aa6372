"""What was predicted beside what the landings changed, as far as both are known here."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import PathKind, Sha
from coffee_hooks.evaluate.comparison import Comparison, Expected, compare
from coffee_hooks.state.landings import Member
from coffee_hooks.state.predictions import Prediction

_COMMIT = re.compile(r"\n?\x01([0-9a-f]{40,64})\n?")


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
