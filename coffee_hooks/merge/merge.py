"""Merge branches: trains of them, one after the other, until each is settled."""

from __future__ import annotations

from collections.abc import Sequence

from coffee_hooks.base.refs import list_refs
from coffee_hooks.merge.bench import Bench
from coffee_hooks.merge.candidate import Work
from coffee_hooks.merge.gate import end_gates
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.result import moved
from coffee_hooks.merge.session import Merging
from coffee_hooks.merge.tips import Tips


def merge(session: Merging, works: Sequence[Work]) -> None:
    """Settle every one of *works*; ``session.results`` says how.

    Raises EnvironmentFailure or UsageError when nothing could be decided, and nothing has moved since the last
    result that was told.
    """
    tips = Tips(session.project, works)
    pending = [work for work in works if _at_its_tip(session, work, tips)]
    end_gates(session.project)
    while pending:
        bench = Bench(session, tips)
        try:
            bench.run(pending)
        finally:
            bench.runs.finish()
            session.gates += bench.keeper.intervals
        share(session, bench)
        pending = [work for work in pending if work in bench.held]


def share(session: Merging, bench: Bench) -> None:
    """Spare other machines the same runs. Nothing depends on it, so nothing fails by it."""
    project, written = session.project, [*bench.keeper.written, *bench.written]
    if not (written and project.config.shared and project.remote and session.settings.pushing is Pushing.PUSH):
        return
    refs = list_refs(project.repo, *written)
    specs = (f"+{ref}:{ref}" if ref in refs else f":{ref}" for ref in dict.fromkeys(written))
    args = ("push", "--quiet", "--no-verify", "--recurse-submodules=no", "--", project.remote, *specs)
    project.repo.network(*args, ok=range(-64, 256))


def _at_its_tip(session: Merging, work: Work, tips: Tips) -> bool:
    if work.reverts or work.tip in tips.of(work).values():
        return True
    session.settle(work, moved(work))
    return False
