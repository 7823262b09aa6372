"""The whole report as one file: no script, nothing from the network, and nothing in it that could become either."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.markup import Content, Markup, plain, tag
from coffee_hooks.report.clock import date_and_time, day, machine
from coffee_hooks.report.criteria import Window
from coffee_hooks.report.figures import Figure
from coffee_hooks.report.gantt import Row, gantt
from coffee_hooks.report.graph import Graph
from coffee_hooks.report.sections import (
    Pairs,
    Touched,
    cards,
    collisions,
    figures_table,
    gate_runs,
    outcomes,
    predictions,
    spells_table,
)
from coffee_hooks.report.style import STYLE
from coffee_hooks.report.timeline import Spell

MOST_ROWS = 300
"""So many tasks are shown, the latest."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Report:
    """What the page shows of one *repository* and *target*; it was made at the end of *window*.

    *graph* is None where there is none, and *note* says why. *cost* is in US dollars, as far as agents told it.
    """

    repository: str
    target: str
    window: Window
    rows: Sequence[Row]
    criteria: Sequence[Figure]
    phases: Sequence[Figure]
    gates: Sequence[Spell]
    graph: Graph | None
    note: str
    touched: Sequence[Touched]
    recall: float | None
    precision: float | None
    pairs: Pairs
    cost: float | None


def page(report: Report) -> str:
    """The page as HTML. The same report makes the same bytes."""
    title = f"{plain(report.repository, 80)}: work on {plain(report.target, 80)}"
    head = tag(
        "head", tag("meta", charset="utf-8"), tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"), tag("title", Markup(title)),
        tag("style", Markup(STYLE)),
    )  # fmt: skip
    body = tag("body", _header(report), tag("main", *_sections(report)), _footer(report))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _header(report: Report) -> Markup:
    name = tag(
        "h1", tag("bdi", plain(report.repository, 80)), tag("span", " on ", class_="soft"),
        tag("bdi", plain(report.target, 80)),
    )  # fmt: skip
    made = tag("time", date_and_time(report.window.until), datetime=machine(report.window.until))
    when = tag("p", f"{day(report.window.since)} to ", made, class_="soft")
    return tag("header", name, when, tag("p", _summary(report), class_="lead"))


def _summary(report: Report) -> str:
    if not report.rows:
        return "Nothing was worked on in this time."
    landed = sum(row.journey.landed is not None for row in report.rows)
    states = Counter(
        row.journey.state if row.journey.state == "blocked" else "open"
        for row in report.rows
        if row.journey.landed is None and row.journey.removed is None
    )
    parts = [f"{landed} of {_tasks(len(report.rows))} landed"]
    parts += [f"{states['blocked']} blocked"] if states["blocked"] else []
    parts += [f"{states['open']} open"] if states["open"] else []
    met = sum(figure.met is True for figure in report.criteria)
    known = sum(figure.met is not None for figure in report.criteria)
    told = f", {met} of {known} targets met" if known else ""
    spent = f" Agents say that they cost {report.cost:.2f} $." if report.cost is not None else ""
    return f"{', '.join(parts)}{told}.{spent}"


def _sections(report: Report) -> list[Markup]:
    rows, hidden = report.rows[-MOST_ROWS:], max(0, len(report.rows) - MOST_ROWS)
    more = tag("p", f"{_tasks(hidden)} before these are not shown.", class_="note") if hidden else None
    return [
        _section(
            "criteria", "Success criteria", cards(report.criteria),
            _folded("How each is measured", figures_table("five", "The five criteria", report.criteria)), bare=True,
        ),
        _section(
            "timeline", "Tasks from claim to cleanup", gantt(rows, report.window.until), more,
            _folded("The same as a table", spells_table(rows)) if rows else None,
        ),
        _section("outcome", "What became of them", outcomes(rows) if rows else _none()),
        _section("phases", "How long each phase takes", figures_table("phase", "Means", report.phases)),
        _section("gate", "The gate", gate_runs(report.gates)),
        _section("collisions", "Who stands in whose way", collisions(report.graph, report.note)),
        _section(
            "predicted", "Predicted and touched",
            predictions(report.touched, report.recall, report.precision, report.pairs),
        ),
    ]  # fmt: skip


def _section(name: str, title: str, *content: Content, bare: bool = False) -> Markup:
    heading = tag("h2", title, id=name)
    return tag("section", heading, *content, aria_labelledby=name, class_="bare" if bare else None)


def _folded(title: str, content: Markup) -> Markup:
    return tag("details", tag("summary", title), content)


def _none() -> Markup:
    return tag("p", "No task was worked on in this time.", class_="none")


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _footer(report: Report) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            f"Made by coffee report on {date_and_time(report.window.until)} from the landing record in git and what was"
            " timed on this machine. All times are UTC. What is not recorded is left out.",
        ),
    )
