"""The live table laid out for one size of terminal: pure, and safe to draw whatever the names in it are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from coffee_hooks.base.cells import ELLIPSIS, cells, cut, padded
from coffee_hooks.base.text import printable, without_emoji
from coffee_hooks.loop.board import (
    NOTHING,
    Phase,
    Row,
    StatusReport,
    brief_time,
    notes,
    queue,
    rows,
    target_of,
)

GAP = 2


class Tone(Enum):
    """How a piece of text is meant: the code of a colour for a terminal that wants them."""

    PLAIN = ""
    FAINT = "2"
    STRONG = "1"
    GOOD = "32"
    CARE = "33"
    BAD = "31"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line, of one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """What a terminal can show: its size in cells, colours, and characters beyond ASCII."""

    width: int
    height: int
    colours: bool = True
    unicode: bool = True


@dataclass(frozen=True, slots=True)
class _Column:
    """*least* are the cells that it may be squeezed to; where it does not fit, that of the highest *rank* goes."""

    title: str
    rank: int
    least: int
    show: Callable[[Row], Span]


def _agent(row: Row) -> Span:
    if row.word is None:
        return Span("-", Tone.FAINT)
    tone = {"working": Tone.GOOD, "idle": Tone.CARE, "stuck": Tone.BAD, "dead": Tone.BAD}.get(row.word, Tone.PLAIN)
    return Span(f"{row.word} {row.agent}" if row.agent else row.word, tone)


def _phase(row: Row) -> Span:
    tones = {
        Phase.WORK: Tone.GOOD, Phase.QUEUE: Tone.STRONG, Phase.REPAIR: Tone.CARE, Phase.BLOCKED: Tone.BAD,
        Phase.LANDED: Tone.FAINT, Phase.RELEASED: Tone.FAINT,
    }  # fmt: skip
    return Span(row.phase.value, tones.get(row.phase, Tone.PLAIN))


def _verdict(row: Row) -> Span:
    bad = row.verdict in ("conflict", "gate-failed", "review-rejected", "agent-failed")
    return Span(row.verdict or "", Tone.GOOD if row.verdict == "ready" else Tone.BAD if bad else Tone.PLAIN)


def _seconds(value: float | None) -> Span:
    return Span("-", Tone.FAINT) if value is None else Span(brief_time(value))


COLUMNS = (
    _Column("task", 0, 8, lambda row: Span(row.task or "-", Tone.STRONG)),
    _Column("phase", 1, 7, _phase),
    _Column("branch", 7, 9, lambda row: Span(row.branch)),
    _Column("agent", 2, 7, _agent),
    _Column("elapsed", 4, 7, lambda row: _seconds(row.elapsed)),
    _Column("sign", 5, 5, lambda row: _seconds(row.silent)),
    _Column("commits", 6, 7, lambda row: Span("-" if row.commits is None else str(row.commits))),
    _Column("cost", 8, 6, lambda row: Span("" if row.cost is None else f"${row.cost:.2f}")),
    _Column("next", 3, 8, _verdict),
)


def frame(status: StatusReport, now: float, look: Look, trouble: str | None = None) -> tuple[Line, ...]:
    """At most ``look.height`` lines of at most ``look.width`` cells. *now* is a UNIX time, *trouble* a line of its own.

    What goes on comes first: when there is no room for all, what has landed is left out before it.
    """
    status = replace(status, now=now)
    found = sorted(rows(status), key=lambda row: list(Phase).index(row.phase))
    head = [_heading(status, found, now)]
    if trouble is not None:
        head.append((Span(trouble, Tone.BAD),))
    foot = [*map(_note, notes(status)), *_queue(status)]
    if not found:
        body: list[Line] = [(Span(NOTHING),)]
        return _clipped([*head, *body, *foot], look)
    room = look.height - len(head) - 1  # the title of the table
    below = min(len(foot), max(room // 3, room - len(found)))
    table = _table(found[: _shortened(found, room - below)], look)
    rest = found[len(table) - 1 :]
    if rest:
        landed = sum(row.phase is Phase.LANDED for row in rest)
        text = f"{ELLIPSIS} {len(rest)} more" + (f", {landed} landed" if landed else "")
        table.append((Span(text, Tone.FAINT),))
    kept = _shortened(foot, below)
    if below and kept < len(foot):
        text = f"{ELLIPSIS} {len(foot) - kept} more lines: coffee status"
        foot[kept:] = [(Span(text, Tone.FAINT),)]
    return _clipped([*head, *table, *foot[: max(0, below)]], look)


def _shortened(items: Sequence[object], room: int) -> int:
    """How many of *items* are shown in *room* lines, of which one says how many are not."""
    return len(items) if len(items) <= room else max(0, room - 1)


def _heading(status: StatusReport, found: Sequence[Row], now: float) -> Line:
    name, sha = target_of(status)
    words = [row.word for row in found]
    told = [row.cost for row in found if row.cost is not None]
    counts = [
        f"{words.count('working')} working",
        *(f"{words.count(word)} {word}" for word in ("idle", "stuck", "dead") if word in words),
        f"{sum(row.verdict == 'ready' for row in found)} ready",
        f"{sum(row.phase is Phase.LANDED for row in found)} landed",
        *([f"${sum(told):.2f}"] if told else []),
    ]
    clock = time.strftime("%H:%M:%S", time.localtime(now))
    return Span(clock, Tone.FAINT), Span(f" {name} ", Tone.STRONG), Span(f"{sha[:7]}  {', '.join(counts)}")


def _note(text: str) -> Line:
    return (Span(text, Tone.BAD if text.startswith(("conflict:", "escaped:")) else Tone.CARE),)


def _queue(status: StatusReport) -> list[Line]:
    waiting = queue(status)
    if not waiting:
        return []
    spans = [Span("queue:", Tone.STRONG)]
    for number, (name, verdict) in enumerate(waiting):
        spans.append(Span(f"{',' if number else ''} {name} "))
        spans.append(Span(verdict, Tone.GOOD if verdict == "ready" else Tone.BAD))
    return [tuple(spans)]


def _table(found: Sequence[Row], look: Look) -> list[Line]:
    texts = {column.title: [_safe(column.show(row), look) for row in found] for column in COLUMNS}
    natural = {title: max(map(cells, (title, *(span.text for span in spans)))) for title, spans in texts.items()}
    chosen = fit(natural, look.width)
    widths = list(chosen.values())
    lines = [tuple(Span(part, Tone.FAINT) for part in _parts([Span(title) for title in chosen], widths, look))]
    for number in range(len(found)):
        spans = [texts[title][number] for title in chosen]
        parts = _parts(spans, widths, look)
        lines.append(tuple(Span(part, span.tone) for part, span in zip(parts, spans, strict=True)))
    return lines


def _parts(spans: Sequence[Span], widths: Sequence[int], look: Look) -> list[str]:
    mark, last = ELLIPSIS if look.unicode else "~", len(widths) - 1
    return [
        padded(cut(span.text, width, mark), width + (GAP if place < last else 0))
        for place, (span, width) in enumerate(zip(spans, widths, strict=True))
    ]


def fit(natural: Mapping[str, int], width: int) -> dict[str, int]:
    """The columns that fit into *width* cells and how wide each is, of those that would like to be *natural*. Pure.

    First wide ones are squeezed, the widest first; then the least important column goes, and all is tried again.
    """
    columns = [column for column in COLUMNS if column.title in natural]
    while True:
        widths = {column.title: min(natural[column.title], max(1, width)) for column in columns}
        least = {column.title: min(column.least, widths[column.title]) for column in columns}
        over = sum(widths.values()) + GAP * (len(columns) - 1) - width
        while over > 0:
            title = max(widths, key=lambda name: widths[name] - least[name])
            if widths[title] <= least[title]:
                break
            widths[title] -= 1
            over -= 1
        if over <= 0:
            return widths
        if len(columns) == 1:
            return {columns[0].title: max(1, width)}
        columns.remove(max(columns, key=lambda column: column.rank))


def _safe(span: Span, look: Look) -> Span:
    """*span* without anything that could steer a terminal or fill other cells than it was measured for."""
    text = printable(span.text)
    if not look.unicode:
        text = without_emoji(text).encode("ascii", "backslashreplace").decode()
    return Span(text, span.tone)


def _clipped(lines: Sequence[Line], look: Look) -> tuple[Line, ...]:
    """*lines* within the terminal."""
    mark = ELLIPSIS if look.unicode else "~"
    done: list[Line] = []
    for line in lines[: max(1, look.height)]:
        room, spans = max(1, look.width), []
        for span in (_safe(each, look) for each in line):
            text = cut(span.text, room, mark)
            spans.append(Span(text, span.tone))
            room -= cells(text)
            if text != span.text or room <= 0:
                break
        done.append(tuple(spans))
    return tuple(done)


def painted(line: Line, look: Look) -> str:
    """*line* as a terminal is told to draw it."""
    pieces = []
    for span in line:
        coloured = look.colours and span.tone is not Tone.PLAIN and span.text.strip()
        pieces.append(f"\x1b[{span.tone.value}m{span.text}\x1b[0m" if coloured else span.text)
    return "".join(pieces).rstrip()
