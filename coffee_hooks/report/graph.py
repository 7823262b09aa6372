"""Which tasks stand in each other's way, as arcs beside a list: it reads the same on a phone and needs no layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.markup import Markup, join, number, plain, tag
from coffee_hooks.base.text import one_line

MOST_NODES, MOST_EDGES = 60, 200
"""More than that nobody reads."""
_ROW, _WIDTH, _EDGE = 32.0, 104.0, 10.0
_DEEPEST = 118.0
"""How far an arc is pulled to the left; it gets three quarters of that."""


class Kind(Enum):
    """What two tasks are to each other; those that met were thought to be independent and were not."""

    COLLISION = "collision"
    DEPENDENCY = "dependency"
    UNKNOWN = "unknown"
    MET = "met"


@dataclass(frozen=True, slots=True)
class Node:
    """A task."""

    task: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Two tasks, a dependency from the one that has to land first. *risk* is in 0..1, *met* are the files that both
    really touched."""

    a: str
    b: str
    kind: Kind
    risk: float
    evidence: str
    met: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """The tasks in the order of the roadmap, and the pairs that are more than independent."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def arcs(graph: Graph) -> Markup:
    """The picture: an arc for each pair, on the left of the tasks that it ties together."""
    nodes = graph.nodes[:MOST_NODES]
    at = {node.task: (number_ + 0.5) * _ROW for number_, node in enumerate(nodes)}
    known = [edge for edge in graph.edges if edge.a in at and edge.b in at]
    drawn = known[:MOST_EDGES]
    tied = {task for edge in drawn for task in (edge.a, edge.b)}
    dots = [
        tag("circle", cx=_WIDTH - _EDGE, cy=at[node.task], r=4, class_="tied" if node.task in tied else "free")
        for node in nodes
    ]
    high = _ROW * len(nodes)
    count = f"{len(drawn)} pairs" if len(drawn) != 1 else "1 pair"
    picture = tag(
        "svg", tag("title", f"{count} that stand in each other's way; the table below says which"), _arrow(),
        *(_arc(edge, at) for edge in drawn), *dots, width=_WIDTH, height=high,
        viewBox=f"0 0 {number(_WIDTH)} {number(high)}", role="img",
        aria_label=f"{count} of tasks that stand in each other's way; the table below says which",
    )  # fmt: skip
    names = [
        tag("li", tag("b", plain(node.task, 40)), " ", tag("bdi", plain(node.title, 90)), " ", _state(node.state))
        for node in nodes
    ]
    left = len(graph.nodes) - len(nodes), len(known) - len(drawn)
    more = tag("p", f"Not drawn: {left[0]} more tasks, {left[1]} more pairs.", class_="note") if any(left) else None
    return join((tag("div", picture, tag("ol", *names, class_="nodes"), class_="arcs"), more))


def table(graph: Graph) -> Sequence[Sequence[Markup]]:
    """The pairs as rows: who, what, how likely, why, and where they really met."""
    return [
        [
            plain(f"{edge.a} → {edge.b}" if edge.kind is Kind.DEPENDENCY else f"{edge.a}, {edge.b}", 90),
            plain(edge.kind.value),
            plain("-" if edge.kind is Kind.DEPENDENCY else f"{edge.risk:.2f}"),
            plain(edge.evidence or "-", 160),
            plain(", ".join(edge.met) or "-", 160),
        ]
        for edge in graph.edges[:MOST_EDGES]
    ]


def _arrow() -> Markup:
    head = tag("path", d="M0 0L7 3.5L0 7Z", class_="head")
    marker = tag(
        "marker", head, id="arrow", markerWidth=7, markerHeight=7, refX=11, refY=3.5, orient="auto",
        markerUnits="userSpaceOnUse",
    )  # fmt: skip
    return tag("defs", marker)


def _arc(edge: Edge, at: dict[str, float]) -> Markup:
    start, end = at[edge.a], at[edge.b]
    right = _WIDTH - _EDGE
    reach = right - min(_DEEPEST, 18 + abs(end - start) * 0.42)
    line = f"M{number(right)} {number(start)}C{number(reach)} {number(start)} {number(reach)} {number(end)} "
    line += f"{number(right)} {number(end)}"
    says = f"{one_line(edge.a, 40)} and {one_line(edge.b, 40)}: {edge.kind.value}"
    says += "" if edge.kind is Kind.DEPENDENCY else f", risk {edge.risk:.2f}"
    marker = "url(#arrow)" if edge.kind is Kind.DEPENDENCY else None
    return tag("path", tag("title", says), d=line, class_=edge.kind.value, marker_end=marker)


def _state(state: str) -> Markup | None:
    return tag("span", plain(state, 20), class_="state") if state else None
