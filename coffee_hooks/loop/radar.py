"""The radar: what running branches do to each other, to what was foreseen for them, and to the user's own checkout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.worktrees import operation_in
from coffee_hooks.ready.escaped import Edit, Suspect, edits_of, find_escaped, named_in
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.overlaps import find_overlaps
from coffee_hooks.ready.radar import Outside, Radar, worth_telling
from coffee_hooks.sources.bookkeeping import is_bookkeeping
from coffee_hooks.sources.roadmap_places import roadmap_paths
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import AgentRun, all_runs
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.store import Store

if TYPE_CHECKING:
    from coffee_hooks.loop.foreseen import Foreseen

MOST_EDITS = 1_000
"""Edits of the main checkout that are looked at; an agent that lost its way makes a handful."""

Covers = Callable[[str], bool]
"""Whether a path is one of those that it speaks of."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A task that is claimed and has not landed: its branch as it is now, and when its agent ran here.

    *spans* are as those of a `Suspect`, *logs* what the agent wrote meanwhile.
    """

    claim: Claim
    candidate: Candidate
    spans: tuple[tuple[float, float | None], ...]
    logs: frozenset[str]


def scan(project: Project, store: Store, readiness: Readiness, claims: Mapping[TaskId, Claim]) -> Radar:
    """What is worth a look in *readiness*, and in everything that is not committed yet.

    One git process where something is claimed, four when the target has moved, and what `find_overlaps` takes.
    Raises GitFailed.
    """
    shared = _shared(project)
    overlaps = worth_telling(find_overlaps(project, readiness), shared)
    tasks = list(_open_tasks(project.repo.state_dir, store, readiness, claims))
    edits = _edits(project.repo, readiness, tasks)
    if not edits and not any(task.candidate.paths for task in tasks):
        return Radar(overlaps)
    from coffee_hooks.loop.foreseen import foresee  # loads another phase, and most looks need none

    places = foresee(project, readiness.target_sha, [task.claim.task for task in tasks])
    suspects = [_suspect(task, places.get(task.claim.task), project.repo.main, edits) for task in tasks]
    outside = (_outside(task, places.get(task.claim.task), shared) for task in tasks)
    return Radar(overlaps, tuple(filter(None, outside)), find_escaped(edits, suspects, shared))


def _shared(project: Project) -> Covers:
    roadmaps = roadmap_paths(project.config.roadmap)
    return lambda path: path in roadmaps or is_bookkeeping(path)


def _open_tasks(state_dir: Path, store: Store, readiness: Readiness, claims: Mapping[TaskId, Claim]) -> Iterator[_Task]:
    open_ = {claim.branch: claim for claim in claims.values() if claim.open}
    found = {candidate.branch.name: candidate for candidate in readiness.candidates if candidate.branch.name in open_}
    runs: dict[str, list[AgentRun]] = {}
    for run in all_runs(store) if found else ():
        runs.setdefault(run.branch, []).append(run)
    for name, candidate in found.items():
        known = runs.get(name, ())
        spans = tuple((run.started, _end(state_dir, run)) for run in known)
        if not spans and candidate.worktree:  # the record was lost
            spans = ((float(open_[name].since), None),)
        yield _Task(open_[name], candidate, spans, frozenset(run.log for run in known))


def _end(state_dir: Path, run: AgentRun) -> float | None:
    """When *run* ended, None while it goes on; of one that vanished, when it was last heard of."""
    if run.ended is not None:
        return run.ended
    return None if look(state_dir, run).running else run.last_sign


def _outside(task: _Task, place: Foreseen | None, shared: Covers) -> Outside | None:
    if place is None:
        return None
    paths = tuple(path for path in task.candidate.paths if not shared(path) and not place.covers(path))
    return Outside(task.claim.branch, task.claim.task, paths) if paths else None


def _edits(repo: Repo, readiness: Readiness, tasks: Sequence[_Task]) -> list[Edit]:
    """Edits of the main checkout since the first agent started.

    None where it is the checkout of a branch that is judged (they are that branch's own) or a merge is going on there.
    """
    started = [start for task in tasks for start, _ in task.spans]
    at_home = any(candidate.worktree == repo.main for candidate in readiness.candidates)
    if not started or at_home or operation_in(repo.common_dir):
        return []
    try:
        return [edit for edit in edits_of(repo.main) if edit.changed >= min(started)][:MOST_EDITS]
    except GitFailed:  # what cannot be read accuses nobody
        return []


def _suspect(task: _Task, place: Foreseen | None, main: Path, edits: Sequence[Edit]) -> Suspect:
    foreseen = place.footprint.covers if place else lambda _: False
    suspect = Suspect(task.claim.task, task.claim.branch, task.spans, frozenset(task.candidate.paths), foreseen)
    asked = [edit.path for edit in edits if suspect.ran_at(edit.changed)]
    named = frozenset().union(*(named_in(Path(log), main, asked) for log in task.logs))
    return replace(suspect, named=named)
