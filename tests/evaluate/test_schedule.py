"""Waves and lengths on small problems."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.base.model import TaskId
from coffee_hooks.evaluate.schedule import Problem, Unit, plan_schedule

A, B, C, D = (TaskId(name) for name in "ABCD")


def apart(*pairs: tuple[TaskId, TaskId]) -> dict[TaskId, set[TaskId]]:
    found: dict[TaskId, set[TaskId]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def test_a_dependency_waits_a_wave() -> None:
    """Two independent tasks now, the dependent one after them; four hours instead of six."""
    found = plan_schedule(Problem((A, B, C), needs={C: {B}}, effort={A: 2, B: 2, C: 2}), Unit.HOURS)
    assert (found.selected, found.waves) == ((A, B), ((A, B), (C,)))
    assert (found.makespan, found.sequential, found.lower_bound, found.unit.value) == (4, 6, 4, "h")


def test_a_task_starts_as_soon_as_its_obstacle_is_gone() -> None:
    """The makespan does not wait for the slowest of a wave."""
    found = plan_schedule(Problem((A, B, C), apart=apart((A, C)), effort={A: 1, B: 4, C: 3}))
    assert found.waves == ((A, B), (C,))
    assert (found.makespan, found.sequential, found.lower_bound) == (4, 8, 4)


def test_running_tasks_are_fixed() -> None:
    """What collides with a running task waits for it, what does not starts beside it, and it is never chosen."""
    found = plan_schedule(Problem((A, B), apart=apart((A, C)), running=(C,)))
    assert (found.selected, found.waves) == ((B,), ((B,), (A,)))
    assert (found.makespan, found.sequential) == (2, 3)


def test_nothing_fits_beside_what_runs() -> None:
    """Then nothing is selected, and the first wave is the one after it."""
    found = plan_schedule(Problem((A, B), apart=apart((A, C), (B, C)), running=(C,)))
    assert (found.selected, found.waves) == ((), ((A, B),))


def test_a_cycle_and_a_missing_task_are_never_scheduled() -> None:
    """They are in no wave and no length, and everything else goes on."""
    found = plan_schedule(Problem((A, B, C, D), needs={A: {B}, B: {A}, C: {TaskId("elsewhere")}}))
    assert (found.selected, found.waves, found.sequential) == ((D,), ((D,),), 1)


def test_the_limit_bounds_every_wave() -> None:
    """At most so many at a time, by priority; the bound knows it."""
    found = plan_schedule(Problem((A, B, C, D), limit=2))
    assert found.waves == ((A, B), (C, D))
    assert (found.makespan, found.lower_bound) == (2, 2)


def test_nothing_to_do() -> None:
    """No tasks, no waves, no length."""
    found = plan_schedule(Problem(()))
    assert (found.selected, found.waves, found.makespan, found.sequential, found.lower_bound) == ((), (), 0, 0, 0)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Up to six tasks, needs in one direction, one or no task running."""
    names = [TaskId(f"T{n}") for n in range(draw(st.integers(0, 6)))]
    pairs = list(itertools.combinations(names, 2))
    apart_pairs = draw(st.lists(st.sampled_from(pairs), max_size=6)) if pairs else []
    need_pairs = draw(st.lists(st.sampled_from(pairs), max_size=4)) if pairs else []
    running = tuple(names[:1]) if names and draw(st.booleans()) else ()
    return Problem(
        tasks=tuple(name for name in draw(st.permutations(names)) if name not in running),
        apart=apart(*apart_pairs),
        needs={later: {a for a, b in need_pairs if b == later} for later in names},
        running=running,
        limit=draw(st.none() | st.integers(1, 3)),
        effort={name: draw(st.sampled_from([0.5, 1.0, 3.0])) for name in names},
    )


@settings(max_examples=300)
@given(problems())
def test_every_schedule_is_sound(problem: Problem) -> None:
    """Everything is scheduled once, after what it needs, beside nothing it must not meet, within the limit."""
    found = plan_schedule(problem)
    assert sorted(task for wave in found.waves for task in wave) == sorted(problem.tasks)
    done: set[TaskId] = set()
    for number, wave in enumerate(found.waves):
        beside = set(problem.running) if number == 0 and found.selected else set()
        for task in wave:
            assert problem.needs[task] <= done | set(problem.running) - beside
            assert not problem.apart.get(task, set()) & ({*wave} | beside)
        assert problem.limit is None or len(wave) <= problem.limit
        done |= set(wave)
    assert found.selected in ((), *found.waves[:1])
    if problem.tasks and not problem.running:
        assert found.selected
    assert found.lower_bound <= found.makespan <= found.sequential


@settings(max_examples=100)
@given(problems())
def test_the_lower_bound_holds_for_every_order(problem: Problem) -> None:
    """No order of starting tasks one by one as early as possible is shorter than the bound."""
    found = plan_schedule(problem)
    for order in itertools.islice(itertools.permutations(problem.tasks), 60):
        assert found.lower_bound <= length_of(problem, order) + 1e-6


def length_of(problem: Problem, order: tuple[TaskId, ...]) -> float:
    """Start the tasks of *order* each at the first moment it may, among those placed before it."""
    spans = {task: (0.0, problem.effort[task]) for task in problem.running}
    waiting = list(order)
    while waiting:
        task = next(t for t in waiting if problem.needs[t] <= spans.keys())
        waiting.remove(task)
        earliest = max([0.0, *(spans[need][1] for need in problem.needs[task])])
        moments = sorted({earliest, *(end for _, end in spans.values() if end >= earliest)})
        start = next(moment for moment in moments if fits(problem, spans, task, moment))
        spans[task] = (start, start + problem.effort[task])
    return max((end for _, end in spans.values()), default=0.0)


def fits(problem: Problem, spans: dict[TaskId, tuple[float, float]], task: TaskId, start: float) -> bool:
    """Whether *task* may run from *start* on beside what is placed already."""
    end = start + problem.effort[task]
    beside = {other for other, (low, high) in spans.items() if low < end and high > start}
    mine = beside - set(problem.running)
    return not beside & problem.apart.get(task, set()) and (problem.limit is None or len(mine) < problem.limit)
