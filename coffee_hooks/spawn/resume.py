"""Start the agent of a claimed task again, in the same worktree."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import read_ref, transact
from coffee_hooks.spawn.claim import Job, Origin
from coffee_hooks.spawn.crew import Crew
from coffee_hooks.spawn.launch import launch
from coffee_hooks.spawn.living import at_work
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.report import Spawned
from coffee_hooks.spawn.spawn import LOCK_SECONDS
from coffee_hooks.spawn.stop import end_unwatched
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import EndReason, latest_run
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.graveyard import Grave, next_grave, read_graves
from coffee_hooks.state.store import Store


def resume(project: Project, store: Store, claim: Claim, work: Assignment, crew: Crew) -> Spawned:
    """Start another attempt of *claim* where the last one stopped; its commits are kept under a salvage ref first.

    Raises RuleError when its agent still runs or somebody changed the claim, UsageError when its branch is gone, and
    what `launch` raises; then the claim is as it was.
    """
    with hold(project.repo, "spawn", wait=LOCK_SECONDS):
        job = _next_attempt(project, store, claim)
    with _reverted_on_failure(project, store, claim, job):
        report = launch(project, store, [job], crew, lambda _: work)
    return report.spawned[0]


def _next_attempt(project: Project, store: Store, claim: Claim) -> Job:
    repo = project.repo
    if claim.branch in at_work(repo.state_dir, store):
        raise RuleError(f"the agent of {claim.task} is still at work", hint=f"coffee stop {claim.task}")
    before = latest_run(store, claim.task)
    if before is not None and before.branch == claim.branch:
        end_unwatched(store, before, EndReason.LOST)  # two of them would write into one worktree
    tip = read_ref(repo, f"refs/heads/{claim.branch}")
    if tip is None:
        raise UsageError(f"branch {claim.branch} is gone", hint=f"coffee restore {claim.branch}")
    making = take(repo.state_dir, claim.branch)
    if making is None:
        raise RuleError(f"the agent of {claim.task} is being started this very moment", hint="coffee status")
    try:
        _salvage(project, claim, tip)
        again = claims_.update(
            repo, claim, state=ClaimState.CLAIMED, attempt=claim.attempt + 1, sha=None, reason=None,
            since=int(time.time()), start=tip, barren=claim.barren_at(tip),
        )  # fmt: skip
        if again is None:
            raise RuleError(f"somebody else changed the claim on {claim.task}", hint="coffee status")
    except BaseException:
        making.finish()
        raise
    # What was finished once and came back needs new commits; after a crash the old ones may be all there is to do.
    return Job(again, making, Origin.FOUND, tip if claim.sha == tip else claim.base)


@contextmanager
def _reverted_on_failure(project: Project, store: Store, before: Claim, job: Job) -> Iterator[None]:
    repo = project.repo
    try:
        yield
    except BaseException:
        if before.branch not in at_work(repo.state_dir, store):  # interrupted while it waited to hear of its start
            claims_.update(
                repo, job.claim, state=before.state, attempt=before.attempt, sha=before.sha, reason=before.reason,
                since=before.since, start=before.start, barren=before.barren,
            )  # fmt: skip
        raise


def _salvage(project: Project, claim: Claim, tip: Sha) -> None:
    if tip == claim.base:
        return
    graves = [grave for grave in read_graves(project.repo) if grave.branch == claim.branch]
    if not any(grave.tip == tip for grave in graves):
        transact(
            project.repo, Grave(claim.branch, next_grave(graves, claim.branch), tip).burial(), reason="coffee: salvage"
        )
