"""Which tasks to start now, which after them, and how long that takes beside doing one after the other.

Whenever tasks may start, those are chosen that gain most less what their collisions are expected to cost, beside each
other and beside what is at work (``stakes`` has the model). The lengths of tasks make the schedule, not the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from coffee_hooks.base.model import TaskId
from coffee_hooks.evaluate.compatible import bits, choose
from coffee_hooks.evaluate.stakes import APART, PARTS, Stakes, cost


class Unit(Enum):
    """What a length counts: hours where every task says how long it takes, else tasks."""

    HOURS = "h"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class Problem:
    """What has to be scheduled. *tasks* are in priority order; *running* have begun and are never chosen.

    *apart* names for each task those it must not run beside, symmetrically; *needs* those that must be finished
    before it starts. *effort* is the length of a task, 1.0 where it is not named. At most *limit* (>= 1) of *tasks*
    are at work at a time, None for no bound. *risk* is that of a task beside another, in 0..1, symmetrically, 0 where
    it is not named, at most *threshold*; see ``stakes`` for what they cost.
    """

    tasks: tuple[TaskId, ...]
    apart: Mapping[TaskId, AbstractSet[TaskId]] = field(default_factory=dict)
    needs: Mapping[TaskId, AbstractSet[TaskId]] = field(default_factory=dict)
    running: tuple[TaskId, ...] = ()
    limit: int | None = None
    effort: Mapping[TaskId, float] = field(default_factory=dict)
    risk: Mapping[TaskId, Mapping[TaskId, float]] = field(default_factory=dict)
    threshold: float = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """*selected* may start now. *waves* come one after the other; the first is *selected* unless that is empty.

    Something is selected unless no task can start, or what runs is in the way of each that could. *makespan* is the
    length when each task starts as soon as it may, *sequential* that of one task after the other; no schedule is
    shorter than *lower_bound*. All three count running tasks in full. Tasks that can never start
    (a cycle, or one that needs a task outside) are in no wave and no length.
    """

    selected: tuple[TaskId, ...]
    waves: tuple[tuple[TaskId, ...], ...]
    makespan: float
    sequential: float
    lower_bound: float
    unit: Unit = Unit.TASKS


@dataclass(frozen=True, slots=True)
class _Board:
    """The problem in bits: vertex i is ``names[i]``, tasks in priority order and the running ones behind them."""

    names: tuple[TaskId, ...]
    running: int
    apart: tuple[int, ...]
    needs: tuple[int | None, ...]
    """None where a task needs one that is not here."""
    length: tuple[float, ...]
    stakes: Stakes
    limit: int | None

    def next(self, done: int, active: int) -> int:
        """The best set to start beside *active* once *done* is finished."""
        ready = 0
        for at, needs in enumerate(self.needs):
            free = not (done | active | self.running) >> at & 1 and not self.apart[at] & active
            if free and needs is not None and not needs & ~done:
                ready |= 1 << at
        mine = (active & ~self.running).bit_count()
        free_places = None if self.limit is None else self.limit - mine
        return choose(self.apart, ready, free_places, self.stakes.beside(bits(active)))

    def named(self, mask: int) -> tuple[TaskId, ...]:
        return tuple(self.names[at] for at in bits(mask))


def plan_schedule(problem: Problem, unit: Unit = Unit.TASKS) -> Schedule:
    """The best set now and what follows it."""
    board = _board(problem)
    start = cache(board.next)  # waves and makespan often come to the same point
    selected = start(0, board.running)
    waves = [selected] if selected else []
    waves += _waves_after(start, selected | board.running)
    planned = [at for mask in (board.running, *waves) for at in bits(mask)]
    return Schedule(
        selected=board.named(selected),
        waves=tuple(board.named(mask) for mask in waves),
        makespan=round(_makespan(board, start), 4),
        sequential=round(sum((board.length[at] for at in planned), 0.0), 4),
        lower_bound=round(_lower_bound(board, planned), 4),
        unit=unit,
    )


def _board(problem: Problem) -> _Board:
    names = (*problem.tasks, *(task for task in problem.running if task not in problem.tasks))
    place = {name: at for at, name in enumerate(names)}

    def mask(wanted: AbstractSet[TaskId]) -> int:
        return sum(1 << place[name] for name in wanted if name in place)

    def costs(name: TaskId) -> list[int]:
        row = [0] * len(names)
        for other, risk in problem.risk.get(name, {}).items():
            if other in place:
                row[place[other]] = cost(risk, problem.threshold)
        for at in bits(mask(problem.apart.get(name, frozenset()))):
            row[at] = APART
        return row

    needs = [problem.needs.get(name, frozenset()) for name in names]

    return _Board(
        names=names,
        running=mask(set(problem.running)),
        apart=tuple(mask(problem.apart.get(name, frozenset())) for name in names),
        needs=tuple(mask(each) if each <= place.keys() else None for each in needs),
        length=tuple(problem.effort.get(name, 1.0) for name in names),
        stakes=Stakes([PARTS for _ in names], [costs(name) for name in names]),
        limit=problem.limit,
    )


_Start = Callable[[int, int], int]
"""``_Board.next``."""


def _waves_after(start: _Start, done: int) -> Iterator[int]:
    """Sets that each start when all before them have finished."""
    while wave := start(done, 0):
        yield wave
        done |= wave


def _makespan(board: _Board, start: _Start) -> float:
    """Play it through: whenever a task finishes, start the best set that fits beside those still at work."""
    ends = {at: board.length[at] for at in bits(board.running)}
    done, now = 0, 0.0
    while True:
        active = sum(1 << at for at in ends)
        ends.update({at: now + board.length[at] for at in bits(start(done, active))})
        if not ends:
            return now
        now = min(ends.values())
        done |= sum(1 << at for at, end in ends.items() if end <= now)
        ends = {at: end for at, end in ends.items() if end > now}


def _lower_bound(board: _Board, planned: Sequence[int]) -> float:
    """No schedule beats the longest chain, tasks that are pairwise apart, or full use of every place."""
    chains: dict[int, float] = {}
    for at in planned:  # what a task needs stands before it
        needs = 0 if board.running >> at & 1 else board.needs[at] or 0  # what has begun waits no more
        before = (chains.get(need, 0.0) for need in bits(needs))
        chains[at] = board.length[at] + max(before, default=0.0)
    mine = [at for at in planned if not board.running >> at & 1]
    full = sum(board.length[at] for at in mine) / board.limit if board.limit else 0.0
    return max([full, _longest_clique(board, mine), *chains.values()])


def _longest_clique(board: _Board, vertices: Sequence[int]) -> float:
    """The length of tasks pairwise apart: the best of the cliques grown greedily, longest first, from each vertex."""
    order = sorted(vertices, key=lambda at: -board.length[at])
    place = {at: new for new, at in enumerate(order)}
    apart = [sum(1 << place[other] for other in bits(board.apart[at]) if other in place) for at in order]
    longest = 0.0
    for new, at in enumerate(order):
        total, common = board.length[at], apart[new]
        while common:
            nearest = (common & -common).bit_length() - 1
            total += board.length[order[nearest]]
            common &= apart[nearest]
        longest = max(longest, total)
    return longest
