"""Bring claims to their agents: worktree, files, setup, prompt, supervisor; or undo exactly what was begun."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.spawn.claim import Job, Origin, give_back
from coffee_hooks.spawn.copies import Copies, choose_copies
from coffee_hooks.spawn.crew import Crew
from coffee_hooks.spawn.kit import Kit, pack
from coffee_hooks.spawn.living import at_work
from coffee_hooks.spawn.notices import narrate_surprises
from coffee_hooks.spawn.place import hide_leftovers, prepare_root, worktree_path
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.report import Skipped, Spawned, SpawnReport
from coffee_hooks.spawn.start import Starting, answered, begin
from coffee_hooks.spawn.trees import settled_worktrees
from coffee_hooks.spawn.worktree import (
    Made,
    WorktreeFailed,
    continue_worktree,
    make_worktree,
    restore_worktree,
    undo_worktree,
)
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, note

SIDE_BY_SIDE = 4
WORKTREE_FAILED, AGENT_FAILED = "worktree-failed", "agent-failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that did not get its agent, and at which step it failed."""

    job: Job
    code: str
    error: CoffeeError


@dataclass(slots=True)
class Progress:
    """How far a call got: the branches whose agents run, and the jobs that failed."""

    started: set[str] = field(default_factory=set)
    failed: list[Failure] = field(default_factory=list)


def launch(
    project: Project, store: Store, jobs: Sequence[Job], crew: Crew, describe: Callable[[Job], Assignment]
) -> SpawnReport:
    """Give every job its worktree and its agent; *describe* says what an agent is told.

    A claim of this call that does not get that far is given back, and so are all of them when this is interrupted.
    Raises the first error when nothing at all could be started: WorktreeFailed or EnvironmentFailure (exit 4).
    """
    if not jobs:
        return SpawnReport((), ())
    progress = Progress()
    with contextlib.ExitStack() as at_the_end:  # however it comes
        for job in jobs:
            at_the_end.callback(_settle, project, store, job, progress)
        prepare_root(project)
        hide_leftovers(project, crew.command)
        made = _make_all(project, store, jobs, crew, describe, progress)
        spawned = _start_all(project, store, made, crew, progress)
    if not spawned:
        raise progress.failed[0].error
    skipped = (Skipped(f.job.claim.task, f.code, f.error.what) for f in progress.failed)
    return SpawnReport(tuple(spawned), tuple(skipped))


def _settle(project: Project, store: Store, job: Job, progress: Progress) -> None:
    """Undo a job that has no agent, and let go of it."""
    try:
        if job.claim.branch not in progress.started:
            codes = {failure.job.claim.branch: failure.code for failure in progress.failed}
            _give_up(project, store, job, codes.get(job.claim.branch, "interrupted"))
    finally:
        job.making.finish()


def _give_up(project: Project, store: Store, job: Job, reason: str) -> None:
    claim = job.claim
    if job.origin is Origin.FOUND or claim.branch in at_work(project.repo.state_dir, store):
        return  # somebody worked there before, or its supervisor got further than we heard
    if undo_worktree(project, claim.branch, worktree_path(project, claim.branch)):
        if give_back(project, claim, reason):
            return
    elif claims_.update(project.repo, claim, state=ClaimState.RELEASED, reason=reason):
        output.say(f"{claim.branch} and its worktree could not be removed and stay")
        return
    output.say(f"{claim.task} keeps its claim: {claim.branch} has moved meanwhile")


def _make_all(
    project: Project,
    store: Store,
    jobs: Sequence[Job],
    crew: Crew,
    describe: Callable[[Job], Assignment],
    progress: Progress,
) -> list[tuple[Job, Kit]]:
    """Worktrees side by side; returns the jobs that have theirs."""
    worktrees = settled_worktrees(project.repo)
    known = {w.branch: w for w in worktrees}
    avoid = [project.worktrees_root, *(w.path for w in worktrees)]
    copies = choose_copies(project.repo.main, project.config.worktrees.copy, avoid)
    for refusal in copies.refused:
        output.say(f"not copied: {printable(refusal)}")
    made: list[tuple[Job, Kit]] = []

    def one(job: Job) -> tuple[Kit, Made] | CoffeeError:
        there = known.get(job.claim.branch)
        place = there.path if there else worktree_path(project, job.claim.branch)
        try:
            kit = pack(project, job.claim, place, describe(job), crew.agent)
            return kit, _worktree(project, kit, copies, there)
        except CoffeeError as error:
            return error

    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        for job, result in zip(jobs, pool.map(one, jobs), strict=True):
            if isinstance(result, CoffeeError):
                progress.failed.append(Failure(job, WORKTREE_FAILED, result))
                continue
            kit, times = result
            made.append((job, kit))
            claim = job.claim
            note(store, Timing(claim.task, claim.branch, Phase.WORKTREE, times.started, times.ended))
    if made:
        output.say(messages.CREATED_WORKTREES)
    for job, kit in made:
        output.say(messages.created_worktree(str(kit.worktree), job.claim.branch, job.claim.task))
    narrate_surprises(project, [kit for _, kit in made])
    return made


def _worktree(project: Project, kit: Kit, copies: Copies, there: Worktree | None) -> Made:
    """The worktree of a kit: finished where there is one, else made, which is tried twice."""
    if there is not None:
        if there.missing:
            restore_worktree(kit.claim, there)
        return continue_worktree(project, kit, copies)
    try:
        return make_worktree(project, kit, copies)
    except WorktreeFailed as failed:
        output.say(f"{failed.what} ({printable(failed.detail or failed.hint)}); trying once more")
        return make_worktree(project, kit, copies)


def _start_all(
    project: Project, store: Store, made: Sequence[tuple[Job, Kit]], crew: Crew, progress: Progress
) -> list[Spawned]:
    """All supervisors first, then their answers: an interpreter takes its time to start."""
    pending: list[tuple[Job, Starting]] = []
    for job, kit in made:
        try:
            pending.append((job, begin(project, store, kit, crew, job.since)))
        except CoffeeError as error:
            progress.failed.append(Failure(job, AGENT_FAILED, error))
        except OSError as error:
            what = f"the agent of {job.claim.task} could not be started: {error.strerror}"
            progress.failed.append(Failure(job, AGENT_FAILED, EnvironmentFailure(what, hint="coffee doctor")))
    spawned: list[Spawned] = []
    for job, starting in pending:
        claim, kit = job.claim, starting.kit
        try:
            pid = answered(store, starting)
        except CoffeeError as error:
            progress.failed.append(Failure(job, AGENT_FAILED, error))
            continue
        progress.started.add(claim.branch)
        if claim.attempt == 1:
            note(store, Timing(claim.task, claim.branch, Phase.CLAIM, job.claimed, time.time()))
        output.say(messages.spawned(pid, claim.task, kit.worktree.name))
        spawned.append(
            Spawned(claim.task, claim.branch, kit.worktree, claim.base, pid, crew.name, kit.log, claim.attempt)
        )
    return spawned
