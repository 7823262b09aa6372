"""An evaluation as Mermaid pictures and as the outputs of a GitHub Actions job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from coffee_hooks.base.actions import table
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.text import one_line
from coffee_hooks.evaluate.collisions import Relation
from coffee_hooks.evaluate.reasons import Reason, why_not
from coffee_hooks.evaluate.schedule import Unit
from coffee_hooks.evaluate.verdicts import Evaluation, Standing, Verdict

MOST_EDGES = 200
"""GitHub draws no graph of more than 500 edges, and nobody reads one of 200."""

_TITLE = 40
_ARROWS = {Relation.DEPENDENCY: "-->", Relation.COLLISION: "-. collides .-", Relation.UNKNOWN: "-. unknown .-"}


def to_mermaid(evaluation: Evaluation) -> str:
    """A flow chart: a box per wave, arrows for what has to land first, dotted lines for what must not run together."""
    names = {verdict.task: f"t{number}" for number, verdict in enumerate(evaluation.verdicts)}
    return "\n".join(["flowchart LR", *_boxes(evaluation, names), *_edges(evaluation, names)])


def to_gantt(evaluation: Evaluation) -> str:
    """A Gantt chart of the waves, one after the other, what runs already first; the axis counts hours, or tasks.

    Nothing of the calendar is meant: Mermaid draws UNIX seconds, one for each hour.
    """
    in_hours = evaluation.schedule.unit is Unit.HOURS
    by_task = {verdict.task: verdict for verdict in evaluation.verdicts}
    running = [verdict.task for verdict in evaluation.verdicts if verdict.standing is Standing.RUNNING]
    lines = ["gantt", f"  title Waves, in {'hours' if in_hours else 'tasks'}", "  dateFormat X", "  axisFormat %s"]
    start = 0.0
    sections = [("running", running), *((f"wave {n}", wave) for n, wave in enumerate(evaluation.schedule.waves, 1))]
    for name, tasks in sections:
        if not tasks:
            continue
        lines.append(f"  section {name}")
        lengths = {task: (by_task[task].hours if in_hours else None) or 1.0 for task in tasks}
        lines += [f"  {_bar(by_task[task])} :{start:.0f}, {start + max(1.0, lengths[task]):.0f}" for task in tasks]
        start += 0.0 if name == "running" else max(1.0, *lengths.values())
    return "\n".join(lines)


class JobOutput(NamedTuple):
    """What to append to ``$GITHUB_OUTPUT`` and to ``$GITHUB_STEP_SUMMARY``."""

    outputs: str
    summary: str


def to_github(evaluation: Evaluation) -> JobOutput:
    """``count`` and ``matrix`` (``{"include": [{"task", "title"}]}``) of the selected tasks; a table with a picture."""
    chosen = [verdict for verdict in evaluation.verdicts if verdict.can_parallel]
    include = [{"task": verdict.task, "title": one_line(verdict.title)} for verdict in chosen]
    matrix = json.dumps({"include": include})  # ASCII on one line, so that no title can add an output of its own
    reasons = why_not(evaluation)
    rows = [_row(verdict, reasons.get(verdict.task, ())) for verdict in evaluation.verdicts]
    drawn = [to_mermaid(evaluation)] if evaluation.verdicts else []
    drawn += [to_gantt(evaluation)] if evaluation.schedule.waves else []
    picture = [line for text in drawn for line in ("", "```mermaid", text, "```")]
    shown = table("task|now|wave|why", rows)
    summary = "\n".join(["## Which tasks may run together", "", shown.rstrip(), *picture, ""])
    return JobOutput(f"count={len(chosen)}\nmatrix={matrix}\n", summary)


def _boxes(evaluation: Evaluation, names: dict[TaskId, str]) -> Iterator[str]:
    waves: dict[str, list[Verdict]] = {}
    for verdict in evaluation.verdicts:
        fixed = verdict.standing is not Standing.CANDIDATE
        place = verdict.standing.value if fixed else f"wave {verdict.wave}" if verdict.wave else "blocked"
        waves.setdefault(place, []).append(verdict)
    in_order = sorted(waves.items(), key=lambda wave: wave[1][0].wave or 0)  # what has no wave stands first
    for number, (place, verdicts) in enumerate(in_order):
        yield f'  subgraph g{number}["{place}"]'
        for verdict in verdicts:
            yield f'    {names[verdict.task]}["{_label(verdict)}"]'
        yield "  end"


def _edges(evaluation: Evaluation, names: dict[TaskId, str]) -> Iterator[str]:
    drawn = [pair for pair in evaluation.pairs if pair.relation in _ARROWS]
    for pair in drawn[:MOST_EDGES]:
        first, second = (pair.b, pair.a) if pair.first == pair.b else (pair.a, pair.b)
        arrow = "<-->" if pair.relation is Relation.DEPENDENCY and pair.first is None else _ARROWS[pair.relation]
        yield f"  {names[first]} {arrow} {names[second]}"
    if len(drawn) > MOST_EDGES:
        yield f"  %% {len(drawn) - MOST_EDGES} more pairs are not drawn"


def _label(verdict: Verdict) -> str:
    title = one_line(verdict.title, _TITLE)
    return _harmless(f"{verdict.task}: {title}" if title else verdict.task)


def _bar(verdict: Verdict) -> str:
    """As a label, without the signs that end the name of a bar."""
    shown = one_line(f"{verdict.task} {verdict.title}", _TITLE)
    return "".join(char if char.isalnum() or char in " ._/+-" else " " for char in shown).strip()


def _harmless(text: str) -> str:
    """*text* without what Mermaid or Markdown would read as markup."""
    return "".join(char if char.isalnum() or char in " .,:/_+-" else f"#{ord(char)};" for char in text)


def _row(verdict: Verdict, reasons: Sequence[Reason]) -> list[str]:
    fixed = verdict.standing is not Standing.CANDIDATE
    now = "yes" if verdict.can_parallel else verdict.standing.value if fixed else "no"
    why = "; ".join(reason.text for reason in reasons)
    return [verdict.task, now, str(verdict.wave or "-"), why]
