"""Schedules where risks count, against a reference that tries every set."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.base.model import Status, TaskId
from coffee_hooks.evaluate.schedule import Problem, Schedule, plan_schedule
from coffee_hooks.evaluate.stakes import PAIRS

A, B, C, D = (TaskId(name) for name in "ABCD")
NOTHING: frozenset[TaskId] = frozenset()


def mutual(*pairs: tuple[TaskId, TaskId, float]) -> dict[TaskId, dict[TaskId, float]]:
    """A risk on both sides."""
    found: dict[TaskId, dict[TaskId, float]] = {}
    for one, other, risk in pairs:
        found.setdefault(one, {})[other] = risk
        found.setdefault(other, {})[one] = risk
    return found


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to six tasks, each pair apart, at some risk or at none; needs in one direction, up to two tasks running."""
    threshold = draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))
    names = [TaskId(f"T{n}") for n in range(draw(st.integers(0, 6)))]
    pairs = list(itertools.combinations(names, 2))
    risks = [(one, other, draw(st.sampled_from([0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.9]))) for one, other in pairs]
    needs = draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    running = tuple(names[: draw(st.integers(0, 2))])
    return Problem(
        tasks=tuple(name for name in draw(st.permutations(names)) if name not in running),
        apart={
            name: {two if name == one else one for one, two, risk in risks if risk > threshold and name in (one, two)}
            for name in names
        },
        needs={later: {a for a, b in needs if b == later} for later in names},
        running=running,
        limit=draw(st.none() | st.integers(1, 3)),
        effort={name: draw(st.sampled_from([0.5, 1.0, 3.0])) for name in names},
        risk=mutual(*(each for each in risks if each[2] <= threshold)),
        threshold=threshold,
    )


def share(problem: Problem, one: TaskId, other: TaskId) -> Fraction:
    """What a pair costs in starts."""
    risk = Fraction(str(problem.risk.get(one, {}).get(other, 0.0)))
    return risk / (PAIRS * Fraction(str(problem.threshold))) if risk else Fraction(0)


def may_start(problem: Problem, done: AbstractSet[TaskId], active: AbstractSet[TaskId]) -> list[TaskId]:
    """The tasks that wait for nothing and have no rival at work, by priority."""
    waiting = [task for task in problem.tasks if task not in done and task not in active]
    free = [task for task in waiting if not problem.apart.get(task, NOTHING) & active]
    return [task for task in free if problem.needs.get(task, NOTHING) <= done]


def sets(problem: Problem, done: AbstractSet[TaskId], active: AbstractSet[TaskId]) -> Iterator[tuple[TaskId, ...]]:
    """Everything that may start together."""
    open_ = may_start(problem, done, active)
    places = len(open_) if problem.limit is None else problem.limit - len(active - {*problem.running})
    for size in range(min(places, len(open_)) + 1):
        for picked in itertools.combinations(open_, size):
            if all(other not in problem.apart.get(one, NOTHING) for one, other in itertools.combinations(picked, 2)):
                yield picked


def best(problem: Problem, done: AbstractSet[TaskId], active: AbstractSet[TaskId]) -> tuple[TaskId, ...]:
    """What gains most less what it costs; of several the first by priority."""

    def worth(picked: tuple[TaskId, ...]) -> Fraction:
        beside = [(one, other) for one in picked for other in active]
        return len(picked) - sum(
            (share(problem, one, other) for one, other in (*itertools.combinations(picked, 2), *beside)), Fraction(0)
        )

    place = {task: at for at, task in enumerate(problem.tasks)}
    return min(sets(problem, done, active), key=lambda picked: (-worth(picked), [place[task] for task in picked]))


def waves_of(problem: Problem) -> list[tuple[TaskId, ...]]:
    """The best set beside what runs, then the best of what is left, and so on."""
    waves = [best(problem, NOTHING, frozenset(problem.running))]
    done = {*problem.running, *waves[0]}
    while wave := best(problem, done, NOTHING):
        waves.append(wave)
        done |= {*wave}
    return [wave for wave in waves if wave]


def makespan_of(problem: Problem) -> float:
    """Each time that something ends, the best set that may start then."""
    ends = {task: problem.effort[task] for task in problem.running}
    done: set[TaskId] = set()
    now = 0.0
    while True:
        for task in best(problem, done, ends.keys()):
            ends[task] = now + problem.effort[task]
        if not ends:
            return now
        now = min(ends.values())
        done |= {task for task, end in ends.items() if end <= now}
        ends = {task: end for task, end in ends.items() if end > now}


@settings(max_examples=200)
@given(problems())
def test_no_choice_gains_more(problem: Problem) -> None:
    """Brute force: now, in every wave and at every step of the makespan the best of all sets starts."""
    found = plan_schedule(problem)
    assert found.selected == best(problem, NOTHING, frozenset(problem.running))
    assert [*found.waves] == waves_of(problem)
    assert found.makespan == makespan_of(problem)
    assert found == plan_schedule(problem)


@settings(max_examples=100)
@given(problems())
def test_without_risks_as_many_as_may_start(problem: Problem) -> None:
    """Whatever their lengths: where nothing costs, the largest set starts, and of several the first by priority."""
    place = {task: at for at, task in enumerate(problem.tasks)}
    active = frozenset(problem.running)
    old = min(sets(problem, NOTHING, active), key=lambda s: (-len(s), [place[task] for task in s]))
    assert plan_schedule(replace(problem, risk={})).selected == old


@settings(max_examples=100)
@given(problems())
def test_something_starts_unless_what_runs_is_in_the_way(problem: Problem) -> None:
    """Nothing is selected only while each task that could start collides with, or costs all it gains beside, those."""
    found = plan_schedule(problem)
    if not found.selected:
        for task in may_start(problem, NOTHING, NOTHING):
            rivals = problem.apart.get(task, NOTHING) & {*problem.running}
            assert rivals or sum(share(problem, task, other) for other in problem.running) >= 1
    assert sorted(task for wave in found.waves for task in wave) == sorted(problem.tasks)


@settings(max_examples=100)
@given(problems())
def test_risks_never_move_the_lower_bound(problem: Problem) -> None:
    """No schedule is shorter than the bound, one that takes every risk included."""
    found, bold = plan_schedule(problem), plan_schedule(replace(problem, risk={}))
    assert found.lower_bound == bold.lower_bound <= min(found.makespan, bold.makespan)
    assert found.makespan <= found.sequential == bold.sequential


EIGHT = tuple(TaskId(name) for name in "ABCDEFGH")


def selected(threshold: float, risk: float, *, running: tuple[TaskId, ...] = ()) -> Schedule:
    """Eight tasks, each pair at *risk*."""
    risks = mutual(*((one, other, risk) for one, other in itertools.combinations(EIGHT, 2)))
    return plan_schedule(
        Problem(tuple(t for t in EIGHT if t not in running), running=running, risk=risks, threshold=threshold)
    )


def test_the_threshold_says_how_many_start() -> None:
    """Five at the threshold, more below it, and where the risk is small beside it all."""
    assert [selected(threshold, 0.15).selected for threshold in (0.15, 0.2, 0.4)] == [EIGHT[:5], EIGHT[:7], EIGHT]
    assert selected(0.15, 0.15).waves == (EIGHT[:5], EIGHT[5:])


def test_running_tasks_cost_as_well() -> None:
    """Two at work leave room for three more, five for none; then the first wave is the one after them."""
    assert selected(0.15, 0.15, running=EIGHT[6:]).selected == EIGHT[:3]
    crowded = selected(0.15, 0.15, running=EIGHT[3:])
    assert (crowded.selected, crowded.waves, crowded.makespan) == ((), (EIGHT[:3],), 2)


def test_risks_of_an_evaluation_add_up(make: SimpleNamespace) -> None:
    """Seven tasks that write one file, of which a risk that high is accepted: six of them, not all seven."""
    names = tuple(f"US-{n}" for n in range(1, 8))
    given_tasks = [make.given(n, make.spec(n, ["a/a.py"])) for n in range(1, 8)]
    found = make.judge(*given_tasks, threshold=0.95)
    assert found.schedule.waves == (names[:6], names[6:])
    assert all(verdict.independent for verdict in found.verdicts)
    beside = make.judge(*given_tasks, threshold=0.95, running={"US-2": Status.IN_PROGRESS})
    assert beside.selected == (names[0], *names[2:6])


@pytest.mark.parametrize("threshold", [0.0, 0.95, 1.0])
def test_what_a_running_task_needs_is_not_held_up_by_its_risk(make: SimpleNamespace, threshold: float) -> None:
    """The one that was started too early cannot land before it: waiting would avoid nothing."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["b/b.py" if threshold == 0 else "a/a.py"], needs=["US-1"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-1"])),
        running={"US-2": Status.BLOCKED, "US-3": Status.BLOCKED},
        threshold=threshold,
    )
    assert found.selected == ("US-1",)
