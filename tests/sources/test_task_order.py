"""The order of a list of tasks against its definition, all pairs of tasks one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from hypothesis import example, given
from hypothesis import strategies as st

from coffee_hooks.sources.task_order import Step, Waits, put_in_order

Pairs = set[tuple[int, int]]


def step(phase: int, parallel: bool = False, *stories: int) -> Step:
    return Step(line=100 + phase, parallel=parallel, phase=phase, phase_line=phase, stories=frozenset(stories))


def pairs(waits: Sequence[Waits]) -> Pairs:
    """Who comes first, who waits."""
    return {(on, at) for at, each in enumerate(waits) for on in each}


def closed(edges: Pairs) -> Pairs:
    """With everything that follows."""
    found = set(edges)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def run_of(steps: Sequence[Step], at: int) -> int:
    """How many phases for everybody there are up to this step."""
    return len({each.phase for each in steps[: at + 1] if not each.stories})


def comes_first(steps: Sequence[Step], stories: Mapping[int, set[int]], a: int, b: int) -> bool:
    """What the format says of two tasks."""
    one, other = steps[a], steps[b]
    if one.phase == other.phase:
        return a < b and not (one.parallel and other.parallel)
    if not one.stories or not other.stories or run_of(steps, a) != run_of(steps, b):
        return a < b
    awaited = {story for mine in other.stories for story in stories.get(mine, ())}
    return bool(awaited & one.stories) or (a < b and bool(one.stories & other.stories))


def defined(steps: Sequence[Step], stories: Mapping[int, set[int]]) -> Pairs:
    return {(a, b) for a, b in permutations(range(len(steps)), 2) if comes_first(steps, stories, a, b)}


def is_least(waits: Sequence[Waits]) -> bool:
    """Whether each edge says something that the others do not."""
    edges = pairs(waits)
    return all(edge not in closed(edges - {edge}) for edge in edges)


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[Step], dict[int, set[int]]]:
    """Up to twelve tasks in phases, some of a story; a story may wait for others, in no circle."""
    phases = draw(st.lists(st.sampled_from([(), (1,), (2,), (3,)]), min_size=1, max_size=6))
    steps = [
        step(number, parallel, *stories)
        for number, stories in enumerate(phases)
        for parallel in draw(st.lists(st.booleans(), max_size=4))
    ][:12]
    ranks = draw(st.permutations([1, 2, 3]))
    waits = draw(st.sets(st.sampled_from([(ranks[a], ranks[b]) for a in range(3) for b in range(a)]), max_size=2))
    return steps, {story: {on for mine, on in waits if mine == story} for story, _ in waits}


@given(lists())
@example(([step(0), step(1, True, 1), step(1, True, 1), step(2, True, 2), step(3)], {}))
@example(([step(0, False, 1), step(1, False, 2), step(2, False, 1)], {1: {2}}))
def test_phases_and_marks_mean_what_the_format_says(plan: tuple[list[Step], dict[int, set[int]]]) -> None:
    """Everything that follows from the edges is the order by definition, and no edge follows from the others."""
    steps, stories = plan
    waits = put_in_order(steps, {}, stories)
    assert closed(pairs(waits)) == closed(defined(steps, stories))
    assert is_least(waits)


@given(lists(), st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=4))
def test_what_the_file_names_is_kept(
    plan: tuple[list[Step], dict[int, set[int]]], named: list[tuple[int, int]]
) -> None:
    """Needs that agree with the order are added to it; those that do not win over it, and nothing goes in a circle."""
    steps, stories = plan
    needs: dict[int, dict[int, int]] = {}
    agreed = defined(steps, stories)
    for at, on in named:
        if at != on and max(at, on) < len(steps) and (at, on) not in closed(agreed):
            agreed.add((on, at))
            needs.setdefault(at, {})[on] = 7
    waits = put_in_order(steps, needs, stories)
    assert closed(pairs(waits)) == closed(agreed)
    assert is_least(waits)
    against: dict[int, dict[int, int]] = {}
    for at, each in needs.items():
        for on in each:
            against.setdefault(on, {})[at] = 7
    wanted = {(on, at) for at, each in against.items() for on in each}
    reached = closed(pairs(put_in_order(steps, against, stories)))
    assert wanted <= reached
    assert not any(a == b for a, b in reached)


def test_a_task_that_was_put_too_early_waits_and_the_rest_stays_in_line() -> None:
    """The second of five needs the fourth: it goes behind that, and nothing else changes places."""
    steps = [step(0) for _ in range(5)]
    waits = put_in_order(steps, {1: {3: 9}}, {})
    assert pairs(waits) == {(0, 2), (2, 3), (3, 1), (1, 4)}
    assert waits[1] == {3: 9}


def test_a_circle_is_kept_for_whoever_reports_it() -> None:
    """Two tasks that the file says need each other keep both needs."""
    steps = [step(0, True), step(0, True)]
    assert put_in_order(steps, {0: {1: 5}, 1: {0: 6}}, {}) == ({1: 5}, {0: 6})


def test_each_edge_has_the_line_that_says_so() -> None:
    """The heading of the phase between phases, the task without the mark inside one, the words where there are any."""
    steps = [step(3), step(3), step(8, True, 1)]
    assert put_in_order(steps, {}, {}) == ({}, {0: 103}, {1: 8})
    assert put_in_order(steps, {2: {1: 55}}, {})[2] == {1: 55}
