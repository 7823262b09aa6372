"""The journeys of all tasks as bars over time: one small picture each, as wide as there is room. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from coffee_hooks.base.markup import Content, Markup, join, number, percent, plain, tag
from coffee_hooks.base.text import one_line
from coffee_hooks.report.clock import tick
from coffee_hooks.report.figures import lasting
from coffee_hooks.report.scale import FULL, Scale, scale
from coffee_hooks.report.timeline import CONFLICT, LANDED, WORKING, Journey, Spell

NAME, TITLE = 40, 90
"""The longest name and title that are shown, in characters."""
NARROWEST = 0.4
"""Hundredths of the width: what took no time is seen all the same."""
_HEIGHT, _MIDDLE, _BAR = 28.0, 14.0, 14.0
_TICKS = (0.0, 25.0, 50.0, 75.0, 100.0)

LEGEND = (
    ("idle", "claimed, nothing at work"),
    ("agent", "agent"),
    ("agent lost", "agent that failed"),
    ("merge", "merge"),
    ("gate", "gate"),
)
MARKS = (("landed", "landed"), ("conflict", "conflict"), ("red", "red gate"), ("removed", "removed"))
_SHAPES = {
    "landed": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0M-3 0l2.2 2.4L3 -2.4",
    "conflict": "M0 -7L7 0L0 7L-7 0ZM-2.4 -2.4L2.4 2.4M2.4 -2.4L-2.4 2.4",
    "red": "M0 -6.5L7 6H-7ZM0 -2.5V2M0 3.6V4.2",
    "removed": "M-4 -4H4V4H-4Z",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One journey and the title of its task."""

    journey: Journey
    title: str

    @property
    def name(self) -> str:
        """What the task is called: its id, or its branch where nobody knows one."""
        return one_line(self.journey.task or self.journey.branch, NAME)


def gantt(rows: Sequence[Row], now: float) -> Markup:
    """A list of bars with an axis above and a legend; *now* (UNIX seconds) is where open tasks end."""
    if not rows:
        return tag("p", "No task was worked on in this time.", class_="none")
    where = _scale_of([row.journey for row in rows], now)
    every = where.pieces[-1].end - where.pieces[0].start
    axis = tag("div", tag("span", "UTC", class_="unit"), _axis(where, every), class_="row axis", aria_hidden="true")
    bars = tag("ol", *(_bar(row, where, now) for row in rows), class_="bars")
    return join((_legend(where), _patterns(), axis, bars))


def end_of(journey: Journey, now: float) -> float:
    """When its line ends: removed, or landed elsewhere, or now."""
    return journey.removed or (journey.landed if not journey.claimed else None) or now


def spells(journey: Journey) -> list[tuple[str, Spell]]:
    """Everything that went on, with its kind, by its start."""
    kinds = [("agent", journey.agents), ("gate", journey.gates), ("merge", journey.merges)]
    found = [(kind, spell) for kind, several in kinds for spell in several]
    found += [("cleanup", journey.cleanup)] if journey.cleanup else []
    return sorted(found, key=lambda each: (each[1].started, each[1].ended, each[0]))


def _scale_of(journeys: Sequence[Journey], now: float) -> Scale:
    moments = [moment for journey in journeys for moment in journey.events]
    busy = [spell.interval for journey in journeys for _, spell in spells(journey)]
    busy += [(journey.claimed, journey.claimed + 1) for journey in journeys if journey.claimed]
    ends = [end_of(journey, now) for journey in journeys]
    return scale(busy, min(moments, default=now), max((*ends, *moments), default=now))


def _legend(where: Scale) -> Markup:
    keys = [
        tag("li", tag("svg", tag("rect", **_box(kind, 0, 100)), width=22, height=_HEIGHT, aria_hidden="true"), text)
        for kind, text in LEGEND
    ]
    if where.cuts:
        pause = tag("rect", x=6, y=0, width=10, height=_HEIGHT, class_="cut")
        keys.append(
            tag("li", tag("svg", pause, width=22, height=_HEIGHT, aria_hidden="true"), "a long pause, cut short")
        )
    keys += [
        tag("li", tag("svg", _mark(kind, 50), width=22, height=_HEIGHT, aria_hidden="true"), text)
        for kind, text in MARKS
    ]
    return tag("ul", *keys, class_="legend", aria_label="Legend")


def _patterns() -> Markup:
    """The hatching of a gate, so that nobody has to tell colours apart."""
    line = tag("path", d="M-1 7L7 -1M5 7L7 5M-1 1L1 -1", class_="hatch")
    pattern = tag(
        "pattern", tag("rect", width=6, height=6, class_="ground"), line, id="hatch", width=6, height=6,
        patternUnits="userSpaceOnUse",
    )  # fmt: skip
    return tag("svg", tag("defs", pattern), width=0, height=0, class_="hidden", aria_hidden="true")


def _axis(where: Scale, span: float) -> Markup:
    labels = []
    for number_, place in enumerate(_TICKS):
        anchor = "start" if place == 0 else "end" if place == FULL else "middle"
        label = tick(where.moment(place), span)
        minor = "minor" if number_ % 2 else None
        labels.append(tag("text", label, x=percent(place), y=18, text_anchor=anchor, class_=minor))
    return tag("svg", *labels, width="100%", height=24)


def _bar(row: Row, where: Scale, now: float) -> Markup:
    journey = row.journey
    label = tag("span", tag("b", row.name), " ", tag("bdi", plain(row.title, TITLE)), class_="label")
    drawn: list[Content] = [
        *(tag("line", x1=percent(at), x2=percent(at), y1=0, y2=_HEIGHT, class_="grid") for at in _TICKS),
        *(_cut(piece.left, piece.right, piece.end - piece.start) for piece in where.cuts),
        *_idle(journey, where, now),
        *(_drawn(kind, spell, where) for kind, spell in spells(journey) if kind != "cleanup"),
        *_marks(journey, where),
    ]
    picture = tag(
        "svg", tag("title", f"{row.name}: {said(journey, now)}"), *drawn, width="100%", height=_HEIGHT, role="img",
        aria_label=f"{row.name}: {said(journey, now)}",
    )  # fmt: skip
    return tag("li", label, picture, class_="row")


def tries(journey: Journey) -> list[str]:
    """How its merges ended, the same several times in a row said once: ``conflict (3 times)``."""
    found = [(word, len(list(group))) for word, group in groupby(merge.outcome for merge in journey.merges)]
    shown = [(one_line(word, NAME), times) for word, times in found if word]
    return [word if times == 1 else f"{word} ({times} times)" for word, times in shown]


def said(journey: Journey, now: float) -> str:
    """The journey in words."""
    parts = []
    if journey.agents:
        work = sum(agent.seconds for agent in journey.agents)
        several = f"{len(journey.agents)} attempts" if len(journey.agents) > 1 else "1 attempt"
        parts.append(f"{several} of an agent, {lasting(work)}")
    tried = tries(journey)
    parts += [f"merge: {', '.join(tried)}"] if tried else []
    begun = journey.claimed or (journey.events[0] if journey.events else now)
    if journey.landed:
        parts.append(f"landed {lasting(journey.landed - begun)} after its claim" if journey.claimed else "landed")
    elif journey.reverted:
        parts.append("its landing was taken back")
    else:
        parts.append(f"{one_line(journey.state, NAME) or 'open'} after {lasting(max(0.0, now - begun))}")
    return "; ".join(parts)


def _idle(journey: Journey, where: Scale, now: float) -> Iterator[Markup]:
    start = journey.claimed if journey.claimed is not None else journey.events[0] if journey.events else None
    if start is not None:
        left, right = where.place(start), where.place(max(start, end_of(journey, now)))
        yield tag("rect", **_box("idle", left, right))


def _drawn(kind: str, spell: Spell, where: Scale) -> Markup:
    left, right = where.place(spell.started), where.place(spell.ended)
    bad = kind == "agent" and spell.outcome not in ("done", WORKING)
    words = f"{kind} {one_line(spell.outcome, NAME)}".strip() + f", {lasting(spell.seconds)}"
    return tag("rect", tag("title", words), **_box("agent lost" if bad else kind, left, right))


def _box(kind: str, left: float, right: float) -> dict[str, str]:
    wide = max(NARROWEST, right - left)
    high = 3.0 if kind == "idle" else _BAR
    return {
        "x": percent(min(left, FULL - wide)), "width": percent(wide), "y": number(_MIDDLE - high / 2),
        "height": number(high), "class_": kind, **({} if kind == "idle" else {"rx": "2"}),
    }  # fmt: skip


def _cut(left: float, right: float, seconds: float) -> Markup:
    return tag(
        "rect", tag("title", f"{lasting(seconds)} in which nothing happened"), x=percent(left),
        width=percent(right - left), y=0, height=_HEIGHT, class_="cut",
    )  # fmt: skip


def _marks(journey: Journey, where: Scale) -> Iterator[Markup]:
    for merge in journey.merges:
        if merge.outcome == CONFLICT:
            yield _mark("conflict", where.place(merge.ended), "conflict")
        elif merge.outcome not in (LANDED, ""):
            yield _mark("red", where.place(merge.ended), merge.outcome)
    if journey.removed is not None:
        yield _mark("removed", where.place(journey.removed), "removed")
    if journey.landed is not None:
        yield _mark("landed", where.place(journey.landed), "landed")


def _mark(kind: str, place: float, words: str | None = None) -> Markup:
    title = tag("title", words) if words else None
    shape = tag("path", title, d=_SHAPES[kind]) if title else tag("path", d=_SHAPES[kind])
    return tag("svg", shape, x=percent(place), y=_MIDDLE, overflow="visible", class_=f"mark {kind}")
