"""Which task has to land before which: what the texts declare, and what their symbols imply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.model import RoadmapItem, Spec, SymbolRole, TaskId
from coffee_hooks.evaluate.footprint import cite
from coffee_hooks.evaluate.sightings import Sighting, SymbolKey
from coffee_hooks.sources.task_names import TaskKey, task_key


class Origin(Enum):
    """How we know that one task needs another."""

    DECLARED = "declared"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Edge:
    """*task* cannot start before *on* has landed."""

    task: TaskId
    on: TaskId
    origin: Origin
    evidence: str


@dataclass(frozen=True, slots=True)
class Order:
    """The edges that count. *undirected* are inferred ones of a cycle: the two share something, in no known order."""

    edges: tuple[Edge, ...]
    undirected: tuple[Edge, ...]
    cycles: tuple[tuple[TaskId, ...], ...]
    """Tasks that need each other by declaration, sorted; none of them can ever start."""
    above: Mapping[TaskId, frozenset[TaskId]]
    """For each task everything it needs, directly or through others."""


def spellings(items: Sequence[RoadmapItem]) -> Mapping[TaskKey, TaskId]:
    """Every spelling of every item; an item's own id wins over another's alias."""
    names = {task_key(alias): item.id for item in reversed(items) for alias in item.aliases}
    return names | {task_key(item.id): item.id for item in reversed(items)}


def declared_edges(
    items: Sequence[RoadmapItem], specs: Mapping[TaskId, Spec], complete: AbstractSet[TaskId], roadmap: str
) -> tuple[Edge, ...]:
    """What roadmap and specs say an unfinished item needs, save what has landed or is ticked off in the text.

    A task that the roadmap does not have is needed all the same: nobody knows that it is done.
    """
    names = spellings(items)
    found: dict[tuple[TaskId, TaskId], Edge] = {}
    for item in items:
        if item.id in complete:
            continue
        for edge in (*_roadmap_edges(item, roadmap), *_spec_edges(item, specs.get(item.id))):
            on = names.get(task_key(edge.on), edge.on)
            if on != item.id and on not in complete:
                found.setdefault((item.id, on), Edge(item.id, on, Origin.DECLARED, edge.evidence))
    return tuple(found.values())


def symbol_edges(seen: Mapping[TaskId, Mapping[SymbolKey, Sighting]]) -> tuple[Edge, ...]:
    """A task that uses or changes what another's spec introduces needs that one first."""
    makers: dict[SymbolKey, list[TaskId]] = {}
    for task, symbols in seen.items():
        for key, sighting in symbols.items():
            if sighting.role is SymbolRole.INTRODUCES:
                makers.setdefault(key, []).append(task)
    found: dict[tuple[TaskId, TaskId], Edge] = {}
    for task, symbols in seen.items():
        for key, sighting in symbols.items():
            if sighting.role is SymbolRole.INTRODUCES:
                continue
            for maker in makers.get(key, ()):
                made = seen[maker][key]
                said = f"{made.where} introduces {describe(made)}, {sighting.where} {sighting.role.value} it"
                found.setdefault((task, maker), Edge(task, maker, Origin.INFERRED, said))
    return tuple(found.values())


def describe(sighting: Sighting) -> str:
    """``class Store``."""
    return f"{sighting.kind.value} {sighting.key.name}"


def put_in_order(edges: Sequence[Edge]) -> Order:
    """Settle cycles: inferred edges of one lose their direction, declared ones stay and are reported."""
    known = {(edge.task, edge.on) for edge in edges if edge.origin is Origin.DECLARED}
    every = [edge for edge in edges if edge.origin is Origin.DECLARED or (edge.task, edge.on) not in known]
    above = closure(every)
    loose = {e for e in every if e.origin is Origin.INFERRED and e.task in above[e.on]}
    kept = tuple(edge for edge in every if edge not in loose)
    above = closure(kept) if loose else above
    return Order(kept, tuple(edge for edge in every if edge in loose), tuple(_cycles(above)), above)


def closure(edges: Iterable[Edge]) -> dict[TaskId, frozenset[TaskId]]:
    """Everything that each task reaches along *edges*; a task of a cycle reaches itself."""
    names = sorted({name for edge in edges for name in (edge.task, edge.on)})
    place = {name: at for at, name in enumerate(names)}
    reach = [0] * len(names)
    for edge in edges:
        reach[place[edge.task]] |= 1 << place[edge.on]
    for through in range(len(names)):  # Warshall's algorithm on rows of bits
        for at in range(len(names)):
            if reach[at] >> through & 1:
                reach[at] |= reach[through]
    return {name: frozenset(names[at] for at in _bits(reach[place[name]])) for name in names}


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _cycles(above: Mapping[TaskId, frozenset[TaskId]]) -> Iterator[tuple[TaskId, ...]]:
    seen: set[TaskId] = set()
    for task in sorted(above):
        if task in above[task] and task not in seen:
            ring = tuple(sorted(each for each in above[task] if task in above.get(each, frozenset())))
            seen.update(ring)
            yield ring


def _roadmap_edges(item: RoadmapItem, roadmap: str) -> Iterator[Edge]:
    for reference in item.depends_on:
        if not reference.satisfied:
            yield Edge(item.id, reference.task, Origin.DECLARED, f"{roadmap} line {reference.line}")


def _spec_edges(item: RoadmapItem, spec: Spec | None) -> Iterator[Edge]:
    if spec is None:
        return
    for reference in spec.depends_on:
        if not reference.satisfied:
            yield Edge(item.id, reference.task, Origin.DECLARED, cite(spec, reference.line))
