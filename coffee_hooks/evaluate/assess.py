"""The verdict on a set of tasks, from values alone: who is independent, who waits for whom, who starts now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from coffee_hooks.base.model import Notice, RoadmapItem, Sha, Spec, Status, TaskId
from coffee_hooks.evaluate.collisions import Pair, Relation, relate_all
from coffee_hooks.evaluate.effort import effort_hours
from coffee_hooks.evaluate.footprint import Footprint, footprint
from coffee_hooks.evaluate.order import Edge, Order, declared_edges, put_in_order, symbol_edges
from coffee_hooks.evaluate.schedule import Problem, Schedule, Unit, plan_schedule
from coffee_hooks.evaluate.sightings import Sighting, SymbolKey, sightings
from coffee_hooks.evaluate.subjects import subjects
from coffee_hooks.evaluate.tree import index_tree
from coffee_hooks.evaluate.verdicts import Evaluation, Standing, Verdict
from coffee_hooks.predict.predict import Prediction

DEFAULT_RISK = 0.2
"""Declared overlaps are far above, ambiguous names below."""

_Symbols = Mapping[TaskId, Mapping[SymbolKey, Sighting]]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. *wanted* are the tasks to evaluate, ids of *items*.

    *items* and *specs* are the whole roadmap in its order, *tree* every path of the target's commit. *running* says
    how the claimed tasks stand; *complete* names those that landed, beside those the roadmap calls complete.
    """

    base: Sha
    roadmap: str
    items: Sequence[RoadmapItem]
    specs: Mapping[TaskId, Spec]
    tree: Sequence[str]
    wanted: AbstractSet[TaskId]
    running: Mapping[TaskId, Status]
    complete: AbstractSet[TaskId]
    threshold: float = DEFAULT_RISK
    limit: int | None = None
    predicted: Mapping[TaskId, Sequence[Prediction]] = field(default_factory=dict)
    """Where the text of each task points to."""


@dataclass(frozen=True, slots=True)
class _Findings:
    """What is known of every task when the verdicts are written."""

    complete: AbstractSet[TaskId]
    footprints: Mapping[TaskId, Footprint]
    needs: Mapping[TaskId, tuple[Edge, ...]]
    pairs: tuple[Pair, ...]
    schedule: Schedule


def assess(question: Question) -> Evaluation:
    """Judge every wanted and running task against every other."""
    complete = _complete(question)
    items = _judged(question)
    symbols = _symbols(question, complete)
    order = _order(question, complete, symbols)
    feet = _footprints(question, items)
    known = [(i.id, None if i.id in complete else feet[i.id], symbols.get(i.id, {})) for i in items]
    pairs = relate_all(subjects(known), order, question.threshold)
    needs = _needs(question, order)
    schedule = _schedule(question, [item for item in items if item.id not in complete], pairs, needs)
    verdicts = _verdicts(question, items, _Findings(complete, feet, needs, pairs, schedule))
    warnings = (*_cycles(question, order), *_strangers(question, needs))
    return Evaluation(question.base, question.roadmap, question.threshold, verdicts, pairs, schedule, warnings)


def _complete(question: Question) -> AbstractSet[TaskId]:
    said = {item.id for item in question.items if item.status is Status.COMPLETE}
    return (said | question.complete) - question.running.keys()


def _judged(question: Question) -> list[RoadmapItem]:
    """The wanted and running items once each, in roadmap order; a claimed task that left the roadmap at the end."""
    found = {i.id: i for i in reversed(question.items) if i.id in question.wanted or i.id in question.running}
    items = [item for item in question.items if found.get(item.id) is item]
    lost = sorted(question.running.keys() - found.keys())
    return [*items, *(RoadmapItem(task, "", question.running[task], 0, 0, "") for task in lost)]


def _symbols(question: Question, complete: AbstractSet[TaskId]) -> _Symbols:
    """The symbols of every task that is being, or may soon be, worked on."""
    planned = {item.id for item in question.items if item.status is Status.PLANNED}
    live = (planned | question.wanted | question.running.keys()) - complete
    tasks = [task for task in question.specs if task in live]
    return dict(zip(tasks, sightings([question.specs[task] for task in tasks]), strict=True))


def _order(question: Question, complete: AbstractSet[TaskId], symbols: _Symbols) -> Order:
    declared = declared_edges(question.items, question.specs, complete, question.roadmap)
    return put_in_order([*declared, *symbol_edges(symbols)])


def _footprints(question: Question, items: Sequence[RoadmapItem]) -> dict[TaskId, Footprint]:
    tree = index_tree(question.tree)
    specs, predicted = question.specs, question.predicted
    return {
        item.id: footprint(specs.get(item.id), tree, roadmap=question.roadmap, predicted=predicted.get(item.id, ()))
        for item in items
    }


def _needs(question: Question, order: Order) -> dict[TaskId, tuple[Edge, ...]]:
    """What each task needs first, in roadmap order, tasks that the roadmap does not have last."""
    place = {item.id: at for at, item in reversed(list(enumerate(question.items)))}
    found: dict[TaskId, list[Edge]] = {}
    for edge in order.edges:
        found.setdefault(edge.task, []).append(edge)
    last = len(place)
    return {task: tuple(sorted(edges, key=lambda e: (place.get(e.on, last), e.on))) for task, edges in found.items()}


def _schedule(
    question: Question, items: Sequence[RoadmapItem], pairs: Sequence[Pair], needs: Mapping[TaskId, tuple[Edge, ...]]
) -> Schedule:
    apart: dict[TaskId, set[TaskId]] = {item.id: set() for item in items}
    risk: dict[TaskId, dict[TaskId, float]] = {item.id: {} for item in items}
    stuck = {task for task, status in question.running.items() if status is Status.BLOCKED}  # it waits for a person
    for pair in pairs:
        ordered = pair.relation is Relation.DEPENDENCY and pair.risk <= question.threshold
        for one, other in ((pair.a, pair.b), (pair.b, pair.a)):
            if pair.relation is Relation.INDEPENDENT and pair.risk and stuck.isdisjoint((one, other)):
                risk[one][other] = pair.risk
            elif pair.relation is not Relation.INDEPENDENT and not ordered:
                apart[one].add(other)
    effort = {item.id: _effort(item, question.specs.get(item.id)) for item in items}
    known = {task: hours for task, hours in effort.items() if hours is not None}
    in_hours = bool(items) and len(known) == len(items)
    problem = Problem(
        tasks=tuple(item.id for item in items if item.id not in question.running),
        apart=apart,
        needs={item.id: {edge.on for edge in needs.get(item.id, ())} for item in items},
        risk=risk,
        threshold=question.threshold,
        running=tuple(item.id for item in items if item.id in question.running),
        limit=question.limit,
        effort=known if in_hours else {},
    )
    return plan_schedule(problem, Unit.HOURS if in_hours else Unit.TASKS)


def _effort(item: RoadmapItem, spec: Spec | None) -> float | None:
    said = effort_hours(item.text)
    return said if said is not None or spec is None else effort_hours(spec.text)


def _verdicts(question: Question, items: Sequence[RoadmapItem], findings: _Findings) -> tuple[Verdict, ...]:
    rivals: dict[TaskId, list[TaskId]] = {}
    for pair in findings.pairs:
        if pair.relation is Relation.COLLISION:
            rivals.setdefault(pair.a, []).append(pair.b)
            rivals.setdefault(pair.b, []).append(pair.a)
    waves = {task: number for number, wave in enumerate(findings.schedule.waves, 1) for task in wave}
    return tuple(
        _verdict(question, item, findings, tuple(rivals.get(item.id, ())), waves.get(item.id)) for item in items
    )


def _verdict(
    question: Question, item: RoadmapItem, findings: _Findings, rivals: tuple[TaskId, ...], wave: int | None
) -> Verdict:
    standing, status = _standing(question, item, findings.complete)
    spec = question.specs.get(item.id)
    return Verdict(
        task=item.id,
        title=item.title,
        status=status,
        standing=standing,
        line=item.line,
        spec=spec.path if spec else None,
        footprint=findings.footprints[item.id],
        can_parallel=item.id in findings.schedule.selected,
        needs=findings.needs.get(item.id, ()),
        collides_with=rivals,
        wave=wave,
        hours=_effort(item, spec),
    )


def _standing(question: Question, item: RoadmapItem, complete: AbstractSet[TaskId]) -> tuple[Standing, Status]:
    if item.id in complete:
        return Standing.COMPLETE, Status.COMPLETE
    if item.id in question.running:
        return Standing.RUNNING, question.running[item.id]
    return Standing.CANDIDATE, item.status


def _cycles(question: Question, order: Order) -> Iterator[Notice]:
    lines = {item.id: item.line for item in reversed(question.items)}
    for ring in order.cycles:
        if not question.wanted.isdisjoint(ring):
            message = f"{', '.join(ring)} need each other, so none of them can start"
            yield Notice("dependency-cycle", message, question.roadmap, lines.get(ring[0], 0))


def _strangers(question: Question, needs: Mapping[TaskId, tuple[Edge, ...]]) -> Iterator[Notice]:
    known = {item.id for item in question.items}
    for task in sorted(question.wanted):
        for edge in needs.get(task, ()):
            if edge.on not in known:
                message = f"{task} needs {edge.on}, which the roadmap does not have ({edge.evidence})"
                yield Notice("dependency-unknown", message)
