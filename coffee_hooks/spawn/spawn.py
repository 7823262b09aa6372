"""The beginning of every spawn: its lock, and what an earlier call that was killed left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from coffee_hooks.base.lock import LockProof, hold
from coffee_hooks.base.project import Project
from coffee_hooks.spawn.claim import Job
from coffee_hooks.spawn.crew import Crew, muster
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


__all__ = ["Crew", "Skipped", "SpawnReport", "Spawned", "enlisting", "muster"]
