"""The chosen set against every other set."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.evaluate.compatible import EXACT, bits, choose


def graph(size: int, edges: set[tuple[int, int]]) -> list[int]:
    """Neighbours of each vertex as bits."""
    masks = [0] * size
    for a, b in edges:
        if a != b:
            masks[a] |= 1 << b
            masks[b] |= 1 << a
    return masks


@st.composite
def graphs(draw: st.DrawFn, most: int) -> list[int]:
    size = draw(st.integers(0, most))
    vertex = st.integers(0, max(size - 1, 0))
    return graph(size, draw(st.sets(st.tuples(vertex, vertex), max_size=2 * size if size else 0)))


def is_compatible(masks: list[int], picked: tuple[int, ...]) -> bool:
    return all(not masks[a] >> b & 1 for a, b in itertools.combinations(picked, 2))


@settings(max_examples=300)
@given(graphs(8), st.none() | st.integers(0, 4), st.data())
def test_the_largest_set_and_the_first_of_those(masks: list[int], limit: int | None, data: st.DataObject) -> None:
    """Brute force: no compatible set is larger within the limit, and none as large comes first in priority."""
    candidates = data.draw(st.integers(0, (1 << len(masks)) - 1))
    open_ = list(bits(candidates))
    sets = [s for n in range(len(open_) + 1) for s in itertools.combinations(open_, n) if is_compatible(masks, s)]
    fitting = [s for s in sets if limit is None or len(s) <= limit]
    best = min(fitting, key=lambda s: (-len(s), s))
    assert tuple(bits(choose(masks, candidates, limit))) == best


@given(graphs(60), st.none() | st.integers(0, 5))
def test_many_tasks_get_a_compatible_set_that_cannot_grow(masks: list[int], limit: int | None) -> None:
    """Beyond the exact size the choice is still compatible, within the limit, and maximal."""
    everything = (1 << len(masks)) - 1
    picked = tuple(bits(choose(masks, everything, limit)))
    assert is_compatible(masks, picked)
    assert limit is None or len(picked) <= limit
    if limit is None or len(picked) < limit:
        assert all(any(masks[v] >> p & 1 for p in picked) for v in range(len(masks)) if v not in picked)


def test_greedy_is_not_trapped_by_a_busy_first_task() -> None:
    """One task in everybody's way does not keep thirty others from running."""
    size = EXACT + 10
    masks = graph(size, {(0, other) for other in range(1, size)})
    assert tuple(bits(choose(masks, (1 << size) - 1))) == tuple(range(1, size))


def test_priority_decides_where_the_limit_binds() -> None:
    """With room for one the first task wins, however many it is in the way of, below and above the exact size."""
    for size in (5, EXACT + 10):
        masks = graph(size, {(0, other) for other in range(1, size)})
        assert list(bits(choose(masks, (1 << size) - 1, 1))) == [0]
