"""Where branches meet at this moment, with what is not committed yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from coffee_hooks.base.attributes import with_attributes_of
from coffee_hooks.base.errors import LockedError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.project import Project
from coffee_hooks.ready.foresee import MOST
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.radar import Overlap, find_conflicts, shared_paths
from coffee_hooks.ready.uncommitted import Work, as_commit, set_apart
from coffee_hooks.sources.roadmap_places import roadmap_paths

Pair = tuple[str, str]


def find_overlaps(project: Project, readiness: Readiness) -> tuple[Overlap, ...]:
    """The overlaps of *readiness* as they are with uncommitted work.

    No git process where nothing is uncommitted, or nothing that meets another branch; else three for each checkout
    that does, and a few for all merges together. Raises GitFailed.
    """
    seen = {candidate.branch.name: candidate for candidate in readiness.candidates}
    if not any(candidate.uncommitted for candidate in seen.values()):
        return readiness.overlaps
    shared = shared_paths({name: candidate.paths for name, candidate in seen.items()})
    moved = {pair: paths for pair, paths in shared.items() if any(seen[name].uncommitted for name in pair)}
    found = {(o.a, o.b): o for o in readiness.overlaps}
    try:
        answers = _merge(project, readiness, seen, list(moved)[:MOST])
    except LockedError:  # another look takes long: this one goes by the commits alone
        answers = {}
    for pair, paths in moved.items():
        before = found[pair].conflict if pair in found else None
        found[pair] = Overlap(*pair, paths, answers.get(pair, before or None))
    return tuple(found[pair] for pair in sorted(found))


def _merge(
    project: Project, readiness: Readiness, seen: Mapping[str, Candidate], pairs: Sequence[Pair]
) -> dict[Pair, bool | None]:
    """Whether the two of each pair conflict as their checkouts are now; None where what they share was not read."""
    if not pairs:
        return {}
    target, roadmaps = readiness.target_sha, roadmap_paths(project.config.roadmap)
    with set_apart(project.repo) as apart:
        works = _works(apart, {name: seen[name] for pair in pairs for name in pair})
        asked = {(a, b): (works[a].commit, works[b].commit) for a, b in pairs}
        merging = with_attributes_of(apart, target)
        conflicts = find_conflicts(merging, list(dict.fromkeys(asked.values())), target, roadmaps)
    found: dict[Pair, bool | None] = {}
    for (a, b), commits in asked.items():
        answer = conflicts.get(commits, True)  # what git could not say counts as a conflict
        unread = (works[a].unseen | works[b].unseen).intersection(seen[a].paths, seen[b].paths)
        found[a, b] = None if answer is False and unread else answer
    return found


def _works(apart: Repo, seen: Mapping[str, Candidate]) -> dict[str, Work]:
    def work(candidate: Candidate) -> Work:
        tip = candidate.branch.tip
        return as_commit(apart, tip, candidate.uncommitted) if candidate.uncommitted else Work(tip)

    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(seen, pool.map(work, seen.values()), strict=True))
