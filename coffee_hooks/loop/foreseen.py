"""Where claimed tasks were foreseen to work, by the specs of one commit of the target.

Reading every spec takes up to a second, so the answer is kept beside the state: for one commit it never changes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.files import keep_json, recall_json
from coffee_hooks.base.model import PathKind, Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.evaluate.evaluate import predictions
from coffee_hooks.evaluate.footprint import Footprint, Place, Scope, footprint
from coffee_hooks.evaluate.order import spellings
from coffee_hooks.evaluate.tree import index_tree
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import task_key

FORM = 2
FILE = "foreseen.json"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The place of one task: its footprint, and the *spec* that it may correct."""

    footprint: Footprint
    spec: str

    def covers(self, path: str) -> bool:
        """Whether *path* was to be expected."""
        return path == self.spec or self.footprint.covers(path)


def foresee(project: Project, target: Sha, tasks: Collection[TaskId]) -> Mapping[TaskId, Foreseen]:
    """The places of *tasks*, those left out of which nobody knows one: what covers nothing has no outside.

    A handful of git processes, none for what is known from the last time. A target without a roadmap foresees nothing.
    """
    file = project.repo.state_dir / FILE
    key = [FORM, target, project.config.roadmap, project.config.specs]
    known = _read(recall_json(file), key)
    if not known.keys() >= set(tasks):
        known = _look(project, target, tasks)
        keep_json(file, {"key": key, "tasks": {task: _written(place) for task, place in known.items()}})
    return {task: place for task in tasks if (place := known[task])}


def _look(project: Project, target: Sha, tasks: Collection[TaskId]) -> dict[TaskId, Foreseen | None]:
    try:
        plan = read_plan(project, target)
    except UsageError:
        return dict.fromkeys(tasks)
    names, tree = spellings(plan.items), index_tree(plan.tree)
    called = {task: names.get(task_key(task), task) for task in tasks}
    predicted = predictions(project, plan, [item for item in plan.items if item.id in called.values()])
    found: dict[TaskId, Foreseen | None] = dict.fromkeys(tasks)
    for task, name in called.items():
        spec = plan.specs.get(name)
        foot = footprint(spec, tree, roadmap=plan.roadmap, predicted=predicted.get(name, ()))
        if spec is not None and foot.scope is not Scope.UNKNOWN:
            found[task] = Foreseen(foot, spec.path)
    return found


def _written(place: Foreseen | None) -> object:
    if place is None:
        return None
    foot = place.footprint
    return [place.spec, foot.scope.value, [[p.pattern, p.kind.value] for p in (*foot.places, *foot.shared)]]


def _read(value: Any, key: object) -> dict[TaskId, Foreseen | None]:
    """What was written; empty when it is another's, or no answer of ours."""
    try:
        return {TaskId(task): _place(held) for task, held in value["tasks"].items()} if value["key"] == key else {}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}


def _place(held: Any) -> Foreseen | None:
    if held is None:
        return None
    spec, scope, places = held
    found = (Place(str(pattern), PathKind(kind), 1.0, ()) for pattern, kind in places)
    return Foreseen(Footprint(Scope(scope), tuple(found)), str(spec))
