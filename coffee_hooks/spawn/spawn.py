"""Claim tasks and bring them to their agents, after what an earlier call that was killed left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from coffee_hooks.base.lock import LockProof, hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.spawn.claim import Job, claim_all
from coffee_hooks.spawn.crew import Crew, muster
from coffee_hooks.spawn.launch import launch
from coffee_hooks.spawn.living import count_busy
from coffee_hooks.spawn.prompt import Assignment, assignment
from coffee_hooks.spawn.recover import recover
from coffee_hooks.spawn.report import Skipped, Spawned, SpawnReport
from coffee_hooks.state.store import Store

LOCK_SECONDS = 60.0
"""How long one spawn waits for another on this machine; only evaluating and claiming needs the lock."""


@contextlib.contextmanager
def enlisting(project: Project, store: Store, most: int) -> Iterator[tuple[LockProof, tuple[Job, ...]]]:
    """Hold the spawn lock; yields its proof, and at most *most* claims that a killed spawn left for us to go on with.

    Raises LockedError when another spawn does not end.
    """
    with hold(project.repo, "spawn", wait=LOCK_SECONDS) as proof, contextlib.ExitStack() as on_failure:
        found = recover(project, store, most, proof)
        for job in found:
            on_failure.callback(job.making.finish)
        yield proof, found
        on_failure.pop_all()


def spawn(project: Project, store: Store, base: Sha, work: Sequence[Assignment], crew: Crew) -> SpawnReport:
    """Start an agent for each of *work* at *base*, and for what a killed spawn left.

    Raises what `launch` raises, and LockedError when another spawn does not end.
    """
    known = {assignment.task: assignment for assignment in work}
    places = max(0, project.config.agent.max_parallel - count_busy(project.repo.state_dir, store))
    with enlisting(project, store, places) as (proof, found):
        jobs, skipped = claim_all(project, base, [*known], proof)
    plan = read_plan(project, base) if found else None

    def describe(job: Job) -> Assignment:
        claim = job.claim
        return known[claim.task] if plan is None else assignment(plan, claim.task, claim.reason)

    report = launch(project, store, [*found, *jobs], crew, describe)
    return SpawnReport(report.spawned, (*report.skipped, *skipped))


__all__ = ["Crew", "Skipped", "SpawnReport", "Spawned", "enlisting", "muster", "spawn"]
