"""``coffee run --dry-run``: what the next round would do."""

from __future__ import annotations

from collections.abc import Iterator

from coffee_hooks.base.project import Project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.values import RemotePolicy
from coffee_hooks.loop.reviewing import waits_for_review
from coffee_hooks.loop.work import select
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.state.store import Store


def preview(project: Project, store: Store, most: int | None) -> Iterator[str]:
    """One line for each thing that the next round would do, in its order; no network."""
    readiness = detect_ready(project, store, read_target(project))
    ready = [c.branch.name for c in readiness.candidates if c.ready]
    verb = "test and land" if project.config.merge.auto else "announce"
    yield from (f"would {verb} {printable(name)}" for name in ready)
    if project.config.review.command is not None:
        waiting = [c.branch.name for c in readiness.candidates if waits_for_review(c)]
        yield from (f"would review {printable(name)}" for name in waiting)
    policy = RemotePolicy.DELETE if project.config.cleanup.remote else RemotePolicy.KEEP
    if project.config.cleanup.after_merge:
        yield from (f"would {change}" for change in plan_cleanup(project, (), remote=policy, store=store).changes)
    evaluation, room = select(project, store, (), most)
    yield from (f"would start an agent for {task}" for task in (evaluation.selected if room.places else ()))
