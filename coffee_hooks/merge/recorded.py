"""Land what another job tested. No gate runs here and nothing of a branch: trees are built, compared and pushed."""

from __future__ import annotations

from collections.abc import Sequence

from coffee_hooks.base.text import printable
from coffee_hooks.merge.bench import ATTEMPTS, Bench
from coffee_hooks.merge.candidate import Work
from coffee_hooks.merge.merge import share
from coffee_hooks.merge.record import Green, Other, Record
from coffee_hooks.merge.result import not_landed, result_of
from coffee_hooks.merge.session import Merging
from coffee_hooks.merge.tips import Tips


def land_recorded(session: Merging, works: Sequence[Work], record: Record) -> None:
    """Settle every one of *works*: it lands when *record* calls green the very tree that the target gets with it.

    Raises as :func:`coffee_hooks.merge.merge.merge` does.
    """
    bench = Bench(session, Tips(session.project, works))
    by_tip = {(work.branch, work.tip): work for work in works}
    others = {(other.branch, other.sha): other for other in record.others}
    bench.blamed = [o.branch for at, o in others.items() if o.outcome == "gate-failed" and at in by_tip]
    moved = session.target.sha != record.base
    for green in record.greens if not moved else ():
        members = tuple(by_tip[member] for member in green.members if member in by_tip)
        if len(members) < len(green.members) or not _land(bench, members, green):
            break  # what follows was tested on top of it
    bench.renew()
    for work in works:
        if work not in session.results:
            _leave(bench, work, others.get((work.branch, work.tip)), moved)
    share(session, bench)


def _land(bench: Bench, members: tuple[Work, ...], green: Green) -> bool:
    """Whether *members* landed together."""
    bench.renew()
    chain, refused = bench.builder.chain(members)
    if refused or chain.end.tree != green.tree or bench.keeper.ref_of(green.tree) != green.ref:
        return False
    bench.keeper.believe(green.tree, green.verdict)
    bench.attempts = ATTEMPTS  # nothing can be tested again here
    return not bench.land(members).again and bench.doomed is None


def _leave(bench: Bench, work: Work, other: Other | None, moved: bool) -> None:
    """Say why *work* does not land this time."""
    target = printable(bench.config.target)
    if bench.doomed is not None:
        result = not_landed(work, bench.doomed)
    elif other is not None and not moved:
        if other.outcome == "gate-failed":
            bench.remember_red(work)
        conflicts = bench.conflicts(work) if other.outcome == "conflict" else ()
        result = result_of(work, other.outcome, reason=other.reason or "no reason was recorded", conflicts=conflicts)
    else:
        why = f"{target} moved since the gate ran" if moved else "no-verdict: the tree that it gives now was not tested"
        result = result_of(work, "moved" if moved else "not-ready", reason=why, hint="the next run tests it again")
    bench.merging.settle(work, result)
