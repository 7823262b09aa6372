"""``coffee report --html`` as it is typed: read, draw, and replace the file whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha, Status, TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import Target, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.evaluate.backtest import own_files
from coffee_hooks.evaluate.collisions import Relation
from coffee_hooks.evaluate.comparison import Comparison, accuracy, meetings
from coffee_hooks.evaluate.evaluate import relations
from coffee_hooks.evaluate.order import spellings
from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.loop.history import History, read_history
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.report.criteria import criteria
from coffee_hooks.report.durations import durations
from coffee_hooks.report.gantt import Row
from coffee_hooks.report.graph import MOST_NODES, Edge, Graph, Kind, Node
from coffee_hooks.report.page import Report, page
from coffee_hooks.report.sections import Pairs, Touched
from coffee_hooks.report.timeline import Journey
from coffee_hooks.sources.plan import Plan, read_plan
from coffee_hooks.sources.task_names import task_key
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.store import Store, open_store

STDOUT = "-"
_KINDS = {
    Relation.COLLISION: Kind.COLLISION, Relation.DEPENDENCY: Kind.DEPENDENCY, Relation.UNKNOWN: Kind.UNKNOWN,
}  # fmt: skip


def report_for(start: Path, file: str, since: str | None) -> int:
    """Answer ``coffee report``."""
    project = open_project(start)
    with open_store(project.repo.state_dir) as store:
        report = read_report(project, store, since)
    text = page(report)
    if file == STDOUT:
        output.configure(as_json=False)
        output.answer(text.rstrip("\n"))
        return 0
    path = Path(file)
    size = write_whole(path, text)
    output.answer_json("report", {"html": file, "bytes": size, "tasks": len(report.rows)})
    output.answer(f"{printable(file)}: {len(report.rows)} tasks, {size / 1000:.0f} kB")
    return 0


def read_report(project: Project, store: Store, since: str | None, now: float | None = None) -> Report:
    """Everything that the page shows, at *now* (UNIX seconds; None for this moment).

    Raises UsageError for a date that is none, and without a target branch.
    """
    history = read_history(project, store, since, now)
    target = read_target(project)
    inside = [journey for journey in history.journeys if _seen(journey, history)]
    plan, note = _plan(project, target.sha)
    titles = {task_key(item.id): item.title for item in plan.items} if plan else {}
    graph = None
    if plan is not None:
        graph, note = _graph(project, plan, inside, _met(_touched(project, store, target, plan, history.comparisons)))
    good, met = accuracy(history.comparisons), meetings(history.comparisons, history.beside)
    costs = [run.cost_usd for run in all_runs(store) if history.window.holds(run.started) and run.cost_usd is not None]
    return Report(
        repository=project.repo.main.name,
        target=project.config.target,
        window=history.window,
        rows=[Row(each, titles.get(task_key(TaskId(each.task)), "") if each.task else "") for each in inside],
        criteria=criteria(history.journeys, history.window),
        phases=durations(history.journeys, history.gates, history.window),
        gates=[gate for gate in history.gates if history.window.holds(gate.ended)],
        graph=graph,
        note=note,
        touched=[
            Touched(each.task, each.scope, len(each.touched), len(each.foreseen), each.surprises)
            for each in history.comparisons
        ],
        recall=good.recall,
        precision=good.precision,
        pairs=Pairs(met.pairs, met.expected, met.met),
        cost=sum(costs) if costs else None,
    )


def write_whole(path: Path, text: str) -> int:
    """Replace *path* by *text*, so that a reader sees the old page or the new one; the number of bytes.

    What is no file, such as a pipe, is written to. Raises UsageError for a folder, OSError where it cannot be written.
    """
    data = text.encode("utf-8", "replace")
    if path.is_dir():
        raise UsageError(f"{printable(str(path))} is a folder", hint=f"coffee report --html {path / 'report.html'}")
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return len(data)
    whole = Path(os.path.realpath(path))  # a link stays one
    making = whole.with_name(f".{whole.name[:100]}.{secrets.token_hex(4)}.new")
    try:
        with making.open("xb") as opened:
            opened.write(data)
        making.replace(whole)
    except BaseException:
        making.unlink(missing_ok=True)
        raise
    return len(data)


def _seen(journey: Journey, history: History) -> bool:
    """Whether anything of it happened in the window, or it is still open."""
    open_ = journey.state in ("claimed", "done", "blocked")
    return open_ or any(history.window.holds(moment) for moment in journey.events)


def _touched(
    project: Project, store: Store, target: Target, plan: Plan, compared: Sequence[Comparison]
) -> dict[str, frozenset[str]]:
    """The files that each task touched: its landing, or its branch as it is."""
    ready = detect_ready(project, store, target)
    found = {each.task: frozenset((*each.paths, *each.conflicts)) for each in ready.candidates if each.task}
    found |= {TaskId(each.task): frozenset(each.touched) for each in compared}
    return {task: paths - {plan.roadmap} for task, paths in found.items()}


def _plan(project: Project, target: Sha) -> tuple[Plan | None, str]:
    try:
        return read_plan(project, target), ""
    except UsageError as wrong:
        return None, f"There is no roadmap to read: {wrong.what}."


def _graph(
    project: Project, plan: Plan, journeys: Sequence[Journey], met: Mapping[frozenset[str], tuple[str, ...]]
) -> tuple[Graph | None, str]:
    """Tasks of the window and planned ones that have a spec, the first `MOST_NODES` of the roadmap."""
    known = spellings(plan.items)
    worked = {known.get(task_key(TaskId(each.task)), TaskId("")) for each in journeys if each.task}
    planned = {item.id for item in plan.items if item.status is Status.PLANNED and item.id in plan.specs}
    names = [item.id for item in plan.items if item.id in worked | planned][:MOST_NODES]
    if not names:
        return None, "No task of this time is in the roadmap, and none is planned that has a spec."
    found = relations(project, plan, frozenset(names))
    return _drawn(found, {name.task or "": name for name in journeys}, met), ""


def _drawn(found: Evaluation, journeys: Mapping[str, Journey], met: Mapping[frozenset[str], tuple[str, ...]]) -> Graph:
    nodes = []
    for verdict in found.verdicts:
        journey = journeys.get(verdict.task)
        state = ("landed" if journey.landed is not None else journey.state) if journey else "planned"
        nodes.append(Node(verdict.task, verdict.title, state))
    edges = []
    for pair in found.pairs:
        both = met.get(frozenset((pair.a, pair.b)), ())
        kind = _KINDS.get(pair.relation, Kind.MET if both else None)
        if kind is not None:
            first, second = (pair.b, pair.a) if pair.first == pair.b else (pair.a, pair.b)
            edges.append(Edge(first, second, kind, pair.risk, next(iter(pair.evidence), ""), both))
    return Graph(tuple(nodes), tuple(edges))


def _met(touched: Mapping[str, AbstractSet[str]]) -> dict[frozenset[str], tuple[str, ...]]:
    """The files that two tasks both touched, what every task may touch left out."""
    return {
        frozenset((one, other)): tuple(sorted(own_files(touched[one] & touched[other])))
        for one, other in combinations(touched, 2)
    }
