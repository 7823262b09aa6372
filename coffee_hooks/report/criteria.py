"""The five success criteria of the workflow, over the journeys of a window of time. Pure.

What is not recorded is left out and said to be: a criterion is never better or worse for a record that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from coffee_hooks.base.intervals import Interval, common, covered
from coffee_hooks.report.figures import Figure, Wanted, mean
from coffee_hooks.report.timeline import LANDED, Journey, Spell

BESIDE_SECONDS = 60.0
"""So long an agent has to run beside another to count as parallel."""
FEWEST = 2
"""Tasks of which a saving can be said."""


@dataclass(frozen=True, slots=True)
class Window:
    """From *since* to *until*, both included, in UNIX seconds."""

    since: float
    until: float

    def holds(self, moment: float | None) -> bool:
        """Whether *moment* is known and inside."""
        return moment is not None and self.since <= moment <= self.until


Criterion = Callable[[Sequence[Journey], Window], Figure]


def criteria(journeys: Sequence[Journey], window: Window) -> tuple[Figure, ...]:
    """All five, in the order of the workflow."""
    return tuple(criterion(journeys, window) for criterion in CRITERIA)


def parallel_execution_rate(journeys: Sequence[Journey], window: Window) -> Figure:
    """The share of landed tasks whose agent ran at least `BESIDE_SECONDS` beside another."""
    landed = _landed(journeys, window)
    known = [each for each in landed if each.claimed is not None and each.agents]
    beside = [each for each in known if _beside(each, journeys) >= BESIDE_SECONDS]
    method = (
        f"landed tasks whose agent ran at least {BESIDE_SECONDS:.0f} s beside the agent of another task / landed tasks"
    )
    value = 100 * len(beside) / len(known) if known else None
    said = method + _left_out(len(landed) - len(known), "landed", "the records of their agents are not here")
    return Figure("parallel_execution_rate", value, "%", 30, Wanted.ABOVE, len(known), said)


def time_savings(journeys: Sequence[Journey], window: Window) -> Figure:
    """1 - wall time / (agent time + merge time), from claim to landing."""
    landed = _landed(journeys, window)
    known = [each for each in landed if each.claimed is not None and each.agents and _landing(each)]
    wall = covered((each.claimed or 0.0, each.landed or 0.0) for each in known)
    agents = sum(covered(_until(each.landed, each.agents)) for each in known)
    merges = covered(interval for each in known for interval in _until(each.landed, each.merges))
    enough = len(known) >= FEWEST and agents + merges > 0
    method = (
        "1 - wall time / (agent time + merge time) of landed tasks, claim to landing; wall time during which several"
        " were under way, and merge time that several shared, count once"
    )
    said = method + _left_out(len(landed) - len(known), "landed", "their records are not here")
    value = 100 * (1 - wall / (agents + merges)) if enough else None
    return Figure("time_savings", value, "%", 40, Wanted.ABOVE, len(known), said)


def merge_success_rate(journeys: Sequence[Journey], window: Window) -> Figure:
    """The share of first candidates that landed."""
    firsts = [(each, min(each.merges, key=lambda merge: merge.ended)) for each in journeys if each.merges]
    tried = [(each, first) for each, first in firsts if window.holds(first.ended)]
    known = [first for each, first in tried if each.claimed is not None]
    good = [first for first in known if first.outcome == LANDED]
    method = (
        "tasks that landed at the first candidate / tasks with a candidate, by what was merged on this machine; a"
        " conflict that was seen before the merge, and an error of the gate, are no success"
    )
    said = method + _left_out(len(tried) - len(known), "branch", "earlier candidates may not be recorded here")
    value = 100 * len(good) / len(known) if known else None
    return Figure("merge_success_rate", value, "%", 90, Wanted.ABOVE, len(known), said)


def conflict_resolution_time(journeys: Sequence[Journey], window: Window) -> Figure:
    """The mean time from the first conflict of a task to its landing."""
    spans = [
        each.landed - each.conflict
        for each in _landed(journeys, window)
        if each.claimed is not None and each.landed and each.conflict is not None and each.conflict <= each.landed
    ]
    minutes = [seconds / 60 for seconds in spans]
    method = "mean of: first conflict that was seen on this machine to landing, of landed tasks that had one"
    return Figure(
        "conflict_resolution_time",
        mean(minutes),
        "min",
        10,
        Wanted.BELOW,
        len(spans),
        method,
        max(minutes, default=None),
    )


def worktree_lifecycle(journeys: Sequence[Journey], window: Window) -> Figure:
    """The mean time from claim to removal."""
    removed = [each for each in journeys if window.holds(each.removed)]
    hours = [(each.removed - each.claimed) / 3600 for each in removed if each.claimed is not None and each.removed]
    method = "mean of: claim to removal of worktree and branch, of what was removed on this machine"
    said = method + _left_out(len(removed) - len(hours), "branch", "their claims are not recorded here")
    return Figure("worktree_lifecycle", mean(hours), "h", 3, Wanted.BELOW, len(hours), said, max(hours, default=None))


CRITERIA: tuple[Criterion, ...] = (
    parallel_execution_rate,
    time_savings,
    merge_success_rate,
    conflict_resolution_time,
    worktree_lifecycle,
)


def _landed(journeys: Iterable[Journey], window: Window) -> list[Journey]:
    return [each for each in journeys if window.holds(each.landed)]


def _landing(journey: Journey) -> bool:
    """Whether the merge that landed it is recorded."""
    return any(merge.outcome == LANDED and merge.ended == journey.landed for merge in journey.merges)


def _beside(journey: Journey, journeys: Iterable[Journey]) -> float:
    """Seconds that its agents ran while one of another branch did."""
    ours = [agent.interval for agent in journey.agents]
    first, last = min(start for start, _ in ours), max(end for _, end in ours)
    others = [
        agent.interval
        for other in journeys
        if other.branch != journey.branch
        for agent in other.agents
        if agent.started < last and first < agent.ended  # a month has thousands
    ]
    return sum(end - start for start, end in common(ours, others))


def _until(end: float | None, spells: Iterable[Spell]) -> list[Interval]:
    return [(spell.started, min(spell.ended, end)) for spell in spells if end is not None]


def _left_out(count: int, what: str, why: str) -> str:
    if not count:
        return ""
    names = {"landed": ("landed task is", "landed tasks are"), "branch": ("branch is", "branches are")}
    return f"; {count} {names[what][count > 1]} left out, because {why}"
