"""Which task has to land before which."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import RoadmapItem, Status, TaskId
from coffee_hooks.evaluate.order import Edge, Origin, closure, declared_edges, put_in_order, spellings, symbol_edges
from coffee_hooks.evaluate.sightings import sightings
from coffee_hooks.sources.task_names import task_key

TASKS = [TaskId(f"US-{n}") for n in range(6)]
EDGES = st.lists(
    st.builds(Edge, st.sampled_from(TASKS), st.sampled_from(TASKS), st.sampled_from(Origin), st.just("why")).filter(
        lambda edge: edge.task != edge.on
    ),
    max_size=12,
)


def arrows(edges: tuple[Edge, ...]) -> list[tuple[str, str, str]]:
    """Edges as (task, on, evidence)."""
    return [(edge.task, edge.on, edge.evidence) for edge in edges]


def test_roadmap_and_spec_declare(make: SimpleNamespace) -> None:
    """Both say it with their line; the first to say it is quoted."""
    items = [make.item("US-1", 5), make.item("US-2", 15, needs=["US-1"])]
    specs = {TaskId("US-2"): make.spec(2, needs=["US-1", "US-9"])}
    found = declared_edges(items, specs, set(), "ROADMAP.md")
    assert arrows(found) == [("US-2", "US-1", "ROADMAP.md line 16"), ("US-2", "US-9", "SPEC-2 line 3")]


def test_what_is_done_is_not_needed(make: SimpleNamespace) -> None:
    """Landed, complete and ticked-off tasks hold nobody up, a finished task needs nobody, and nobody needs itself."""
    items = [
        make.item("US-1", 1, Status.COMPLETE),
        make.item("US-2", 10, needs=["US-1", "US-3+", "US-2"]),
        make.item("US-3", 20),
        make.item("US-4", 30, Status.COMPLETE, needs=["US-3"]),
    ]
    assert declared_edges(items, {}, {TaskId("US-1"), TaskId("US-4")}, "R") == ()


def test_other_spellings_mean_the_same_task() -> None:
    """An alias and another padding lead to the item's own id, and an id wins over an alias."""
    items = [
        RoadmapItem(TaskId("US-047"), "", Status.PLANNED, 1, 2, "", aliases=(TaskId("PRIORITY-12"),)),
        RoadmapItem(TaskId("PRIORITY-3"), "", Status.PLANNED, 3, 4, ""),
        RoadmapItem(TaskId("US-9"), "", Status.PLANNED, 5, 6, "", aliases=(TaskId("PRIORITY-3"),)),
    ]
    names = spellings(items)
    assert names[task_key(TaskId("PRIORITY-012"))] == "US-047"
    assert names[task_key(TaskId("US-47"))] == "US-047"
    assert names[task_key(TaskId("PRIORITY-3"))] == "PRIORITY-3"


def test_a_symbol_makes_an_order(make: SimpleNamespace) -> None:
    """Who uses or changes what another introduces comes after it; a private function orders nobody."""
    first = make.spec(1, symbols=["introduces class Store", "introduces def _private"])
    second = make.spec(2, symbols=["uses class Store", "uses def _private"])
    seen = dict(zip(TASKS[1:3], sightings([first, second]), strict=True))
    assert arrows(symbol_edges(seen)) == [
        ("US-2", "US-1", "SPEC-1 line 50 introduces class Store, SPEC-2 line 50 uses it")
    ]


def test_a_declared_cycle_is_kept_and_reported() -> None:
    """Tasks that declare to need each other block each other; nobody guesses which edge is wrong."""
    ring = [Edge(TASKS[a], TASKS[b], Origin.DECLARED, "") for a, b in ((0, 1), (1, 2), (2, 0), (3, 0))]
    order = put_in_order(ring)
    assert order.edges == tuple(ring)
    assert order.cycles == ((TASKS[0], TASKS[1], TASKS[2]),)


def test_an_inferred_edge_of_a_cycle_loses_its_direction() -> None:
    """A guess cannot stop tasks for ever: it says that they share something, not which comes first."""
    declared = Edge(TASKS[0], TASKS[1], Origin.DECLARED, "")
    guessed = Edge(TASKS[1], TASKS[0], Origin.INFERRED, "")
    order = put_in_order([declared, guessed])
    assert (order.edges, order.undirected, order.cycles) == ((declared,), (guessed,), ())


@given(EDGES)
def test_only_declared_edges_make_cycles(edges: list[Edge]) -> None:
    """Every cycle that is left is one of declared edges alone, and no declared edge is dropped."""
    order = put_in_order(edges)
    declared = [edge for edge in edges if edge.origin is Origin.DECLARED]
    reach = closure(declared)
    looped = {task for task in reach if task in reach[task]}
    assert {task for ring in order.cycles for task in ring} == looped
    assert set(declared) <= set(order.edges)


@given(EDGES)
def test_closure_is_reachability(edges: list[Edge]) -> None:
    """Against a plain search from each task."""
    for task, reached in closure(edges).items():
        seen: set[TaskId] = set()
        todo = [task]
        while todo:
            at = todo.pop()
            new = {edge.on for edge in edges if edge.task == at} - seen
            seen |= new
            todo += new
        assert reached == seen
