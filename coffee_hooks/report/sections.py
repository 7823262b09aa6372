"""The parts of the page below the bars: figures, outcomes, the gate, phases, collisions, predictions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.markup import Markup, join, number, percent, plain, tag
from coffee_hooks.report.clock import tick
from coffee_hooks.report.figures import Figure, aim, answer, lasting, shown
from coffee_hooks.report.gantt import Row, spells, tries
from coffee_hooks.report.graph import Graph, arcs
from coffee_hooks.report.graph import table as pairs_of
from coffee_hooks.report.timeline import CONFLICT, LANDED, Journey, Spell

MOST_RUNS, MOST_SPELLS = 80, 500
REASON = 240
SHORT = 32
"""Longer cells are wrapped, in characters."""
UNFOLDED = 12
"""Longer lists of what went as it should are folded."""
LISTED = 4
"""So many paths are listed."""
_VERDICTS = ("green", "flaky", "red", "error")


@dataclass(frozen=True, slots=True)
class Touched:
    """A landed task: how its scope was known, how many files it *touched*, how many *foreseen*, and the *surprises*."""

    task: str
    scope: str
    touched: int
    foreseen: int
    surprises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """How many pairs of landed tasks were side by side, were *expected* to meet in a file, and *met* in one."""

    count: int
    expected: float
    met: int


def cards(figures: Sequence[Figure]) -> Markup:
    """The five criteria, each with its target and whether that is met."""
    return tag("ul", *map(_card, figures), class_="cards")


def figures_table(name: str, caption: str, figures: Sequence[Figure]) -> Markup:
    """Every figure with its cases and its method."""
    rows = [
        [
            plain(each.title), plain(shown(each.value, each.unit)), plain(shown(each.slowest, each.unit)),
            plain(aim(each)), _chip(each), plain(str(each.n)), plain(each.method),
        ]
        for each in figures
    ]  # fmt: skip
    head = ("", "value", "slowest", "target", "met", "cases", "how it is measured")
    return grid(name, caption, head, rows)


def spells_table(rows: Sequence[Row]) -> Markup:
    """The bars in words: what went on when, and how it ended."""
    found = [(spell.started, row.name, kind, spell) for row in rows for kind, spell in spells(row.journey)]
    found.sort(key=lambda each: each[:3])
    span = found[-1][3].ended - found[0][0] if found else 0.0
    cells = [
        [
            plain(name), plain(kind), plain(tick(spell.started, span)), plain(lasting(spell.seconds)),
            plain(spell.outcome or "-", 30), plain(spell.reason or "-", REASON),
        ]
        for _, name, kind, spell in found[-MOST_SPELLS:]
    ]  # fmt: skip
    head = ("task", "what", "began (UTC)", "took", "end", "why")
    return grid("spells", "What went on, by its beginning", head, cells)


def outcomes(rows: Sequence[Row]) -> Markup:
    """What became of each task and why."""
    cells: list[list[Markup]] = []
    for row in rows:
        journey = row.journey
        flaky = any(gate.outcome == "flaky" for gate in journey.gates)
        cells.append(
            [
                plain(row.name),
                join((_outcome(journey), " " if flaky else None, _labelled("warn", "flaky gate") if flaky else None)),
                plain(str(len(journey.agents)) if journey.agents else "-"),
                plain(", then ".join(tries(journey)[:6]) or "-", 120),
                plain(_why(journey) or "-", REASON),
            ]
        )
    head = ("task", "outcome", "runs", "merges", "why")
    return grid("outcomes", "What became of each task", head, cells)


def gate_runs(gates: Sequence[Spell]) -> Markup:
    """The runs of the gate: how many, what they said, how long they took."""
    if not gates:
        return tag("p", "The gate did not run in this time.", class_="none")
    counted = Counter(gate.outcome for gate in gates)
    words = ", ".join(f"{counted[word]} {word}" for word in _VERDICTS if counted[word])
    total = sum(gate.seconds for gate in gates)
    many = "1 run" if len(gates) == 1 else f"{len(gates)} runs"
    line = tag("p", f"{many}: {words}. {lasting(total)} in all, {lasting(total / len(gates))} each.")
    keys = tag("p", "Filled: green. Hollow: red. Hatched: red, then green. Dashed: no verdict.", class_="note")
    return join((line, _bars(gates[-MOST_RUNS:]), keys))


def collisions(graph: Graph | None, note: str) -> Markup:
    """The graph and its table, or the *note* that says why there is none."""
    if graph is None:
        return tag("p", plain(note, REASON), class_="none")
    if not graph.edges:
        return tag("p", f"None of the {len(graph.nodes)} tasks stands in another's way.", class_="none")
    keys = tag(
        "p",
        "Dashed: would collide. Arrow: has to land first. Dotted: nobody knows. Solid: thought to be independent, and"
        " touched a common file.",
        class_="note",
    )
    head = ("tasks", "what", "risk", "why", "files that both really touched")
    listed = grid("pairs", "Pairs that are more than independent", head, pairs_of(graph))
    return join((keys, arcs(graph), listed))


def predictions(touched: Sequence[Touched], recall: float | None, precision: float | None, pairs: Pairs) -> Markup:
    """Predicted footprints beside what landed."""
    if not touched:
        return tag("p", "No task has landed whose footprint was kept when it was claimed here.", class_="none")
    said = tag(
        "p",
        f"Of the files that a task touched, {_share(recall)} were foreseen; of the places that were named,"
        f" {_share(precision)} were touched. Of {pairs.count} pairs of tasks that were under way side by side,"
        f" {pairs.expected:.1f} were expected to meet in a file, and {pairs.met} did.",
    )
    cells = [
        [
            plain(each.task, 40), plain(each.scope, 20), plain(f"{each.foreseen} of {each.touched}"),
            _paths(each.surprises),
        ]
        for each in touched
    ]  # fmt: skip
    head = ("task", "scope", "foreseen", "touched, and not foreseen")
    listed = grid("touched", "Landed tasks", head, cells)
    return join((said, tag("details", tag("summary", "Task by task"), listed) if len(cells) > UNFOLDED else listed))


def grid(name: str, caption: str, head: Sequence[str], rows: Sequence[Sequence[Markup]]) -> Markup:
    """A table that scrolls by itself where it is too wide, reachable by keyboard."""
    columns = [tag("th", text, scope="col", role="columnheader") if text else tag("td", role="cell") for text in head]
    shown_ = tag(
        "table", tag("caption", caption, id=f"{name}-caption"),
        tag("thead", tag("tr", *columns, role="row"), role="rowgroup"),
        tag("tbody", *(_line(head, row) for row in rows), role="rowgroup"), role="table",
    )  # fmt: skip
    return tag("div", shown_, class_="scroll", role="region", tabindex=0, aria_labelledby=f"{name}-caption")


def _line(head: Sequence[str], row: Sequence[Markup]) -> Markup:
    """A row. Its roles are said because on a phone it is laid out as anything but a table."""
    cells = [
        tag("td", cell, class_="long" if "<" not in cell and len(cell) > SHORT else None, role="cell", data_head=name)
        for name, cell in zip(head[1:], row[1:], strict=True)
    ]
    return tag("tr", tag("th", row[0], scope="row", role="rowheader"), *cells, role="row")


def _card(figure: Figure) -> Markup:
    cases = "1 case" if figure.n == 1 else f"{figure.n} cases"
    return tag(
        "li",
        tag("span", figure.title, class_="name"),
        tag("span", shown(figure.value, figure.unit) if figure.value is not None else "no data", class_="value"),
        tag("span", _chip(figure), tag("span", f" {aim(figure)}, {cases}", class_="soft"), class_="aim"),
    )


def _chip(figure: Figure) -> Markup:
    kind = {"yes": "good", "no": "bad"}.get(answer(figure), "open")
    text = {"yes": "✓ met", "no": "✗ missed"}.get(answer(figure), "–")
    return _labelled(kind, text)


def _labelled(kind: str, text: str) -> Markup:
    return tag("span", text, class_=f"chip {kind}")


def _outcome(journey: Journey) -> Markup:
    last = journey.merges[-1].outcome if journey.merges else ""
    if journey.landed is not None:
        return _labelled("good", "✓ landed")
    if journey.reverted:
        return _labelled("warn", "↩ taken back")
    if last == CONFLICT:
        return _labelled("bad", "✗ conflict")
    if last == "gate-failed":
        return _labelled("bad", "✗ red")
    if last and last != LANDED:
        return _labelled("bad", f"✗ {last}")
    return _labelled("open", plain(journey.state or "open", 20))


def _why(journey: Journey) -> str:
    said = [merge.reason for merge in journey.merges if merge.reason]
    if journey.landed is None and journey.reason:
        return journey.reason
    return said[-1] if said else ""


def _bars(gates: Sequence[Spell]) -> Markup:
    longest = max(gate.seconds for gate in gates) or 1.0
    wide = 100 / max(len(gates), 24)
    drawn = []
    for at, gate in enumerate(gates):
        high = max(2.0, 48 * gate.seconds / longest)
        words = tag("title", f"{gate.outcome or 'ended'}, {lasting(gate.seconds)}")
        kind = gate.outcome if gate.outcome in _VERDICTS else "error"
        drawn.append(
            tag("rect", words, x=percent(at * wide), width=percent(wide * 0.8), y=number(50 - high), height=high,
                class_=kind)
        )  # fmt: skip
    label = f"The last {len(gates)} runs of the gate, the longest {lasting(longest)}"
    return tag("svg", tag("title", label), *drawn, width="100%", height=50, role="img", aria_label=label, class_="runs")


def _paths(paths: Sequence[str]) -> Markup:
    if not paths:
        return plain("nothing")
    more = f" and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
    return plain(", ".join(paths[:LISTED]) + more, REASON)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
