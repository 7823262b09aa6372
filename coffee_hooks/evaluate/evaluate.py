"""Phase 1 on a real repository: read the plan, the claims and the landing record, then judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from enum import Enum

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import RoadmapItem, Spec, Status, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import read_target
from coffee_hooks.evaluate.assess import DEFAULT_RISK, Question, assess
from coffee_hooks.evaluate.order import spellings
from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.predict.answers import predict_at
from coffee_hooks.predict.predict import Prediction
from coffee_hooks.sources.plan import Plan, may_be_spec, read_plan
from coffee_hooks.sources.task_names import is_of, resolve_task, task_key
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.landings import Landing, read_landings
from coffee_hooks.state.reverts import in_force


class Selection(Enum):
    """Which planned items are evaluated when no task is named."""

    WITH_SPEC = "with-spec"
    EVERY_PLANNED = "every-planned"


def evaluate(
    project: Project,
    names: Sequence[str] = (),
    *,
    selection: Selection = Selection.WITH_SPEC,
    limit: int | None = None,
    risk: float | None = None,
) -> Evaluation:
    """Which tasks may run together, by the target's committed roadmap and specs.

    *names* are exactly the tasks to judge, in any spelling; without names *selection* decides. At most *limit*
    (>= 1) tasks are selected. *risk* in 0..1 is the threshold, None for the configured one.
    Raises UsageError for a bad name, limit or risk, without a roadmap or target, and when the target has diverged.
    """
    threshold = _threshold(project, risk)
    if limit is not None and limit < 1:
        raise UsageError("the limit must be at least 1", hint="leave --limit out for no limit")
    plan = read_plan(project, read_target(project).sha)
    known = spellings(plan.items)
    claims = {known.get(task_key(task), task): claim for task, claim in read_claims(project.repo).items()}
    running = {task: _status(claim) for task, claim in claims.items() if claim.open}
    complete = landed_tasks(claims, read_landings(project.repo), project.config.target, plan.roadmap)
    wanted = _wanted(plan, names, selection, complete)
    answer = assess(
        Question(
            base=plan.base,
            roadmap=plan.roadmap,
            items=plan.items,
            specs=plan.specs,
            tree=plan.tree,
            wanted=wanted,
            running=running,
            complete=complete,
            threshold=threshold,
            limit=limit,
            predicted=predictions(project, plan, [item for item in plan.items if item.id in wanted | running.keys()]),
        )
    )
    return replace(answer, warnings=(*plan.notices, *answer.warnings))


def relations(project: Project, plan: Plan, tasks: AbstractSet[TaskId]) -> Evaluation:
    """What *tasks*, ids of *plan*, are to each other as they were planned: as if none of them had been begun.

    Raises UsageError for a bad threshold in the configuration.
    """
    items = tuple(replace(i, status=Status.PLANNED) if i.id in tasks else i for i in plan.items)
    return assess(
        Question(
            base=plan.base, roadmap=plan.roadmap, items=items, specs=plan.specs, tree=plan.tree,
            wanted=frozenset(tasks), running={}, complete=frozenset(), threshold=_threshold(project, None),
            predicted=predictions(project, plan, [item for item in items if item.id in tasks]),
        )
    )  # fmt: skip


def landed_tasks(
    claims: Mapping[TaskId, Claim], landings: Sequence[Landing], target: str, roadmap: str
) -> frozenset[TaskId]:
    """The tasks of the file *roadmap* whose work is on *target*: the claim says so, or else the landing record."""
    recorded = {
        TaskId(member.task)
        for member in in_force(landings, target)
        if member.task and is_of(member.task, member.roadmap, roadmap)
    }
    known = {task: claim.state for task, claim in claims.items() if is_of(task, claim.roadmap, roadmap)}
    silent = {task for task in recorded if known.get(task, ClaimState.RELEASED) is ClaimState.RELEASED}
    return frozenset(silent | {task for task, state in known.items() if state is ClaimState.LANDED})


def _wanted(plan: Plan, names: Sequence[str], selection: Selection, complete: AbstractSet[TaskId]) -> frozenset[TaskId]:
    if names:
        return frozenset(resolve_task(name, plan.items) for name in names)
    planned = (item.id for item in plan.items if item.status is Status.PLANNED and item.id not in complete)
    return frozenset(task for task in planned if selection is Selection.EVERY_PLANNED or task in plan.specs)


def predictions(project: Project, plan: Plan, items: Sequence[RoadmapItem]) -> Mapping[TaskId, Sequence[Prediction]]:
    """What the text of each of *items* points to in the tree of *plan*."""
    told = {plan.roadmap, *(path for path in plan.tree if may_be_spec(path, project.config.specs))}
    told.update(path for spec in plan.specs.values() for path in spec.documents)
    answers = predict_at(project.repo, plan.base, [_text(item, plan.specs.get(item.id)) for item in items], told)
    return {item.id: found for item, found in zip(items, answers, strict=True)}


def _text(item: RoadmapItem, spec: Spec | None) -> str:
    """What is said of a task: its title, then its spec, or where there is none the lines of the roadmap."""
    return f"{item.title}\n{spec.text if spec and spec.readable else item.text}"


def _status(claim: Claim) -> Status:
    return Status.BLOCKED if claim.state is ClaimState.BLOCKED else Status.IN_PROGRESS


def _threshold(project: Project, risk: float | None) -> float:
    asked = risk if risk is not None else project.config.evaluate.risk
    if asked is None:
        return DEFAULT_RISK
    if not 0 <= asked <= 1:
        raise UsageError(f"the risk {asked} is not between 0 and 1", hint="try --risk 0.2")
    return asked
