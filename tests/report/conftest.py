"""Reports to draw: one with something of each kind, one with nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coffee_hooks.report.criteria import Window, criteria
from coffee_hooks.report.durations import durations
from coffee_hooks.report.gantt import Row
from coffee_hooks.report.graph import Edge, Graph, Kind, Node
from coffee_hooks.report.page import Report
from coffee_hooks.report.sections import Pairs, Touched
from coffee_hooks.report.timeline import Journey, Spell

Reports = Callable[..., Report]


def make_report(text: str = "Choose the grind", count: int = 3) -> Report:
    """A report in which every text that an agent may have written is *text*."""
    window = Window(0, 1_000_000)
    journeys = [
        Journey(
            f"roadmap-wt{n}{text}", f"US-{n}{text}", claimed=100 * n, creation=Spell(100 * n, 100 * n + 5),
            agents=(Spell(100 * n + 5, 100 * n + 90, "failed"), Spell(100 * n + 95, 100 * n + 200, "done")),
            gates=(Spell(100 * n + 210, 100 * n + 220, "flaky"),),
            merges=(
                Spell(100 * n + 205, 100 * n + 206, "conflict", text), Spell(100 * n + 207, 100 * n + 230, "landed"),
            ),
            landed=100 * n + 230, cleanup=Spell(100 * n + 240, 100 * n + 241, "removed"), state="landed", reason=text,
        )
        for n in range(count)
    ]  # fmt: skip
    journeys.append(Journey(text, None, state="blocked", reason=text, agents=(Spell(5, 6, text),)))
    gates = tuple(gate for journey in journeys for gate in journey.gates)
    nodes = tuple(Node(f"US-{n}{text}", text, text) for n in range(3))
    edges = tuple(Edge(nodes[0].task, nodes[1 + n % 2].task, kind, 0.5, text, (text,)) for n, kind in enumerate(Kind))
    return Report(
        text, text, window, [Row(journey, text) for journey in journeys], criteria(journeys, window),
        durations(journeys, gates, window), gates, Graph(nodes, edges), "", [Touched(text, text, 3, 1, (text, text))],
        0.5, None, Pairs(3, 0.5, 1), 1.25,
    )  # fmt: skip


@pytest.fixture
def report() -> Reports:
    """``report(text="...", count=3)``, see ``make_report``."""
    return make_report


@pytest.fixture
def empty_report() -> Report:
    """A report of a repository in which nothing has happened."""
    window = Window(0, 1)
    return Report(
        "r", "roadmap", window, [], criteria([], window), durations([], [], window), [], None, "No roadmap.", [],
        None, None, Pairs(0, 0.0, 0), None,
    )  # fmt: skip
