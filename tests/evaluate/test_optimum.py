"""The best set against every other set, and a good one where there are too many."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.evaluate.ascent import ascend, take
from coffee_hooks.evaluate.compatible import EXACT, bits, choose
from coffee_hooks.evaluate.optimum import optimum
from coffee_hooks.evaluate.stakes import APART, Stakes

COSTS = [
    st.sampled_from([0, 10]),
    st.sampled_from([0, 5, 5, APART]),
    st.sampled_from([1, 2, 4, 7, 9]),
    st.integers(0, 12),
]
"""Of pairs where a start gains 10: with few values many sets are worth the same."""


@st.composite
def stakes_of(draw: st.DrawFn, least: int, most: int) -> Stakes:
    """Tasks that gain 10 or less, some of them less than nothing beside what is at work."""
    size = draw(st.integers(least, most))
    cost = draw(st.sampled_from(COSTS))
    gain = draw(st.sampled_from([st.just(10), st.integers(-2, 10)]))
    costs = [[0] * size for _ in range(size)]
    drawn = iter(draw(st.lists(cost, min_size=size * (size - 1) // 2, max_size=size * (size - 1) // 2)))
    for a, b in itertools.combinations(range(size), 2):
        costs[a][b] = costs[b][a] = next(drawn)
    return Stakes(draw(st.lists(gain, min_size=size, max_size=size)), costs)


def conflicts_of(stakes: Stakes) -> list[int]:
    return [sum(1 << other for other, cost in enumerate(row) if cost >= APART) for row in stakes.costs]


def best_of(stakes: Stakes, tasks: Iterable[int], limit: int | None) -> tuple[int, ...]:
    """Every subset is tried: the one worth most, of several the first."""
    tasks = list(tasks)
    most = len(tasks) if limit is None else limit
    sets = itertools.chain.from_iterable(itertools.combinations(tasks, n) for n in range(min(most, len(tasks)) + 1))
    return min(sets, key=lambda picked: (-stakes.worth(picked), picked))


@settings(max_examples=300)
@given(stakes_of(0, 8), st.none() | st.integers(0, 4), st.data())
def test_no_set_is_worth_more(stakes: Stakes, limit: int | None, data: st.DataObject) -> None:
    """Brute force: of all sets of the candidates within the limit the choice is worth most, and the first such set."""
    candidates = data.draw(st.integers(0, (1 << len(stakes.gains)) - 1))
    picked = choose(conflicts_of(stakes), candidates, limit, stakes)
    assert tuple(bits(picked)) == best_of(stakes, bits(candidates), limit)


def test_a_task_that_gains_nothing_may_come_before_others() -> None:
    """Among sets worth the same the first in lexicographic order wins, and not the smallest."""
    costs = [[0, 10, 0], [10, 0, 0], [0, 0, 0]]
    assert [*bits(choose([0] * 3, 0b111, None, Stakes([10] * 3, costs)))] == [0, 1, 2]
    assert [*bits(choose([0] * 3, 0b011, None, Stakes([10] * 3, costs)))] == [0]


@settings(max_examples=8)
@given(stakes_of(11, 13), st.none() | st.integers(2, 6))
def test_no_set_of_more_tasks_is_worth_more(stakes: Stakes, limit: int | None) -> None:
    """The same where the search has depth."""
    picked = choose(conflicts_of(stakes), (1 << len(stakes.gains)) - 1, limit, stakes)
    assert tuple(bits(picked)) == best_of(stakes, range(len(stakes.gains)), limit)


@settings(max_examples=20)
@given(stakes_of(EXACT, EXACT))
def test_a_poor_start_of_the_search_changes_nothing(stakes: Stakes) -> None:
    """What is known to be reached shortens the search and never decides it, at the largest exact size too."""
    gaining = stakes.among([task for task, gain in enumerate(stakes.gains) if gain >= 0])
    found = optimum(gaining, 4, gaining.worth(ascend(gaining, (), 4)))
    assert found == optimum(gaining, 4, 0)
    assert gaining.worth(found) >= gaining.worth(ascend(gaining, (), 4))


def test_the_risks_of_ten_tasks_add_up() -> None:
    """Every pair costs three quarters of a start: the second task gains a quarter, the third would lose a half."""
    size = 10
    stakes = Stakes([4] * size, [[3 * (a != b) for b in range(size)] for a in range(size)])
    assert [*bits(choose([0] * size, (1 << size) - 1, None, stakes))] == [0, 1]


def taken(stakes: Stakes, order: Iterable[int], most: int) -> list[int]:
    """The greedy choice that only knows conflicts."""
    picked: list[int] = []
    for task in order:
        if len(picked) < most and all(stakes.costs[task][other] < APART for other in picked):
            picked.append(task)
    return picked


@given(stakes_of(0, 12), st.none() | st.integers(1, 6), st.randoms(use_true_random=False))
def test_greedy_choice_stops_where_it_was_worth_most(stakes: Stakes, limit: int | None, random: Random) -> None:
    """Whatever the order: the same tasks as without costs, up to the best moment."""
    order = [*range(len(stakes.gains))]
    random.shuffle(order)
    most = len(order) if limit is None else limit
    whole = taken(stakes, order, most)
    part = take(stakes, order, most)
    assert part == whole[: len(part)]
    assert stakes.worth(part) == max(stakes.worth(whole[:n]) for n in range(len(whole) + 1))


@settings(max_examples=30)
@given(stakes_of(EXACT + 1, EXACT + 12), st.none() | st.integers(1, 6))
def test_many_tasks_get_a_set_that_no_step_makes_better(stakes: Stakes, limit: int | None) -> None:
    """Beyond the exact size: within the limit, worth no less than greedy choice, and no task more, less or other."""
    size = len(stakes.gains)
    conflicts, most = conflicts_of(stakes), size if limit is None else limit
    picked = [*bits(choose(conflicts, (1 << size) - 1, limit, stakes))]
    worth = stakes.worth(picked)
    assert len(picked) <= most
    by_rivals = sorted(range(size), key=lambda task: conflicts[task].bit_count())
    for order in (range(size), by_rivals):
        assert worth >= stakes.worth(taken(stakes, order, most))
    outside = [task for task in range(size) if task not in picked]
    for gone in picked:
        rest = [task for task in picked if task != gone]
        assert worth >= stakes.worth(rest)
        assert all(worth >= stakes.worth([*rest, new]) for new in outside)
    assert len(picked) == most or all(worth >= stakes.worth([*picked, new]) for new in outside)


def test_many_tasks_of_which_few_gain_are_chosen_exactly() -> None:
    """Those that would lose beside what is at work do not count as candidates."""
    size = 3 * EXACT
    rivals = [[APART * (a + 1 == b or b + 1 == a) for b in range(size)] for a in range(size)]
    stakes = Stakes([10 - 20 * (task >= EXACT - 1) for task in range(size)], rivals)
    assert [*bits(choose(conflicts_of(stakes), (1 << size) - 1, None, stakes))] == [*range(0, EXACT - 1, 2)]
