"""What each open task of a list waits for: what its text names, and what its phases and marks imply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from coffee_hooks.base.model import Reference, TaskId
from coffee_hooks.sources.task_list import ListedTask, Phase
from coffee_hooks.sources.task_names import TaskKey, task_key
from coffee_hooks.sources.task_needs import Statement
from coffee_hooks.sources.task_order import Step, Waits, one_by_one, put_in_order

MOST = 1000
"""Tasks that are put in an order. Of more than that nobody marked each with care: they are taken one by one."""
MOST_NAMED = 100_000
"""Names of tasks, and needs between two of them, that are read of a text, for the same reason."""
_DIGITS = 3
"""A name that the list does not have is meant as one only if it has as many digits: ``T3`` may be anything."""


@dataclass(frozen=True, slots=True)
class Index:
    """How a list is called: the place of each name in it, what is open, in order, and the open tasks of each story."""

    places: Mapping[TaskKey, int]
    open: Mapping[int, ListedTask]
    phases: Sequence[Phase]
    stories: Mapping[int, list[int]] = field(default_factory=dict)

    def step(self, task: ListedTask) -> Step:
        """An open task as the order needs it."""
        phase = self.phases[task.phase]
        return Step(task.mark.line, task.parallel, task.phase, phase.line, phase.stories)


@dataclass(frozen=True, slots=True)
class _Need:
    """The open tasks *tasks* wait for the open tasks *on*, and for *strangers* that the list does not have."""

    line: int
    tasks: Sequence[int]
    on: Sequence[int]
    strangers: Sequence[TaskId]


def index(works: Sequence[tuple[ListedTask, bool]], phases: Sequence[Phase]) -> Index:
    """The index of *works*, each with whether it is open; an id wins over another one's further names."""
    places = {task_key(alias): at for at, (task, _) in enumerate(works) for alias in task.aliases}
    places |= {task_key(task.id): at for at, (task, _) in enumerate(works)}
    unfinished = {at: task for at, (task, is_open) in enumerate(works) if is_open}
    stories: dict[int, list[int]] = {}
    for at, task in unfinished.items():
        for story in phases[task.phase].stories:
            stories.setdefault(story, []).append(at)
    return Index(places, unfinished, phases, stories)


def find_waits(known: Index, statements: Iterable[Statement]) -> Mapping[int, tuple[Reference, ...]] | None:
    """What each open task waits for, in the order of the list, strangers last.

    None where there are too many tasks, or too many needs, to tell; then ``wait_in_line`` is safe.
    """
    if len(known.open) > MOST:
        return None
    step = {at: number for number, at in enumerate(known.open)}
    named: dict[int, dict[int, int]] = {}
    strangers: dict[int, dict[TaskId, int]] = {}
    stories: dict[int, set[int]] = {}
    read = 0
    for said in statements:
        need = _resolved(known, said)
        read += len(said.tasks) + len(said.on_tasks) + len(need.tasks) * (len(need.on) + len(need.strangers))
        if read > MOST_NAMED:
            return None
        for at in need.tasks:
            for on in need.on:
                named.setdefault(step[at], {}).setdefault(step[on], need.line)
            strangers.setdefault(at, {}).update(dict.fromkeys(need.strangers, need.line))
        for story in said.stories:
            stories.setdefault(story, set()).update(said.on_stories)
    waits = put_in_order([known.step(task) for task in known.open.values()], named, stories)
    return _references(known, waits, strangers)


def wait_in_line(known: Index) -> Mapping[int, tuple[Reference, ...]]:
    """Each open task waits for the one above it."""
    return _references(known, one_by_one([known.step(task) for task in known.open.values()]), {})


def _references(
    known: Index, waits: Sequence[Waits], strangers: Mapping[int, Mapping[TaskId, int]]
) -> Mapping[int, tuple[Reference, ...]]:
    tasks = list(known.open.values())
    return {
        at: (
            *(Reference(tasks[on].id, line, False) for on, line in sorted(wait.items())),
            *(Reference(task, line, False) for task, line in strangers.get(at, {}).items()),
        )
        for at, wait in zip(known.open, waits, strict=True)
    }


def _resolved(known: Index, said: Statement) -> _Need:
    """A statement as places; stories that wait for stories are put in order as phases, not task by task."""
    tasks = dict.fromkeys([*_places(known, said.tasks), *_of_stories(known, said.stories)])
    on = [*_places(known, said.on_tasks), *(_of_stories(known, said.on_stories) if said.tasks else ())]
    strangers = [task for task in said.on_tasks if _is_stranger(known, task)]
    return _Need(said.line, list(tasks), [at for at in dict.fromkeys(on) if at not in tasks], strangers)


def _places(known: Index, names: Iterable[TaskId]) -> list[int]:
    found = (known.places.get(task_key(name)) for name in names)
    return [at for at in found if at is not None and at in known.open]


def _of_stories(known: Index, stories: Iterable[int]) -> list[int]:
    return [at for story in stories for at in known.stories.get(story, ())]


def _is_stranger(known: Index, task: TaskId) -> bool:
    return task_key(task) not in known.places and sum(char.isdigit() for char in task) >= _DIGITS
