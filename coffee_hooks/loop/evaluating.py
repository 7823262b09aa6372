"""``coffee evaluate`` as it is typed: open the project, judge, print the answer, return the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.actions import tell_actions
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.evaluate import backtest_report
from coffee_hooks.evaluate import report as evaluation_report
from coffee_hooks.evaluate.evaluate import Selection, evaluate
from coffee_hooks.evaluate.replay import replay
from coffee_hooks.loop.exchange import catch_up
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import resolve_task


@dataclass(frozen=True, slots=True)
class Question:
    """``coffee evaluate`` as typed."""

    tasks: tuple[str, ...]
    every: bool
    limit: int | None
    risk: float | None
    explain: tuple[str, str] | None
    format: str
    backtest: int | None = None
    """How many tasks of the past to replay instead."""


def evaluate_for(start: Path, question: Question) -> int:
    """Answer ``coffee evaluate``."""
    project = open_project(start)
    if question.backtest is not None:
        return _backtest(project, question.backtest, question.format)
    catch_up(project)
    selection = Selection.EVERY_PLANNED if question.every else Selection.WITH_SPEC
    names = question.explain or question.tasks
    found = evaluate(project, names, selection=selection, limit=question.limit, risk=question.risk)
    output.answer_json("evaluate", evaluation_report.to_json(found))
    if question.explain:
        items = read_plan(project, found.base).items
        one, other = (resolve_task(name, items) for name in question.explain)
        output.answer(evaluation_report.explain(found, one, other))
    elif question.format == "mermaid":
        output.answer(evaluation_report.to_mermaid(found))
    elif question.format == "github":
        outputs, summary = evaluation_report.to_github(found)
        tell_actions(outputs, summary)
        output.answer(evaluation_report.to_text(found))
    else:
        output.answer(evaluation_report.to_text(found))
    for warning in found.warnings:
        output.say(f"warning: {printable(str(warning))}")
    return 0


def _backtest(project: Project, most: int, form: str) -> int:
    head = read_target(project).sha
    found = replay(project, head, most)
    output.answer_json("evaluate", {"base": head, "backtest": backtest_report.to_json(found)})
    output.answer(backtest_report.to_svg(found) if form == "svg" else backtest_report.to_text(found))
    return 0
