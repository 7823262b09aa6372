"""The tasks of a list as items of a roadmap: each id once, and what has to land before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.model import Notice, Reference, RoadmapItem, Status
from coffee_hooks.sources.markdown import Document
from coffee_hooks.sources.sections import Mark
from coffee_hooks.sources.task_list import ListedTask, TaskList
from coffee_hooks.sources.task_names import TaskKey, task_key
from coffee_hooks.sources.task_needs import read_statements
from coffee_hooks.sources.task_waits import MOST, MOST_NAMED, find_waits, index, wait_in_line
from coffee_hooks.sources.titles import same_work

OVER = (Status.COMPLETE, Status.BLOCKED)
"""Nobody waits for what is done, or was struck out."""


@dataclass(frozen=True, slots=True)
class ListedWork:
    """One task: the lines of the list that name it, and where it stands."""

    lines: tuple[ListedTask, ...]

    @property
    def first(self) -> ListedTask:
        """The line that describes it."""
        return self.lines[0]

    @property
    def status(self) -> Status:
        """Done where any of its boxes is ticked."""
        done = any(line.mark.status is Status.COMPLETE for line in self.lines)
        return Status.COMPLETE if done else self.first.mark.status

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Its boxes."""
        return tuple(line.mark for line in self.lines)


def find_listed(listed: TaskList, path: str = "") -> tuple[tuple[ListedWork, ...], tuple[Notice, ...]]:
    """Each id of the list once, in the order of the lines, with a notice where it names two works.

    Of those the first that is not done counts.
    """
    groups: dict[TaskKey, list[ListedTask]] = {}
    for task in listed.tasks:
        groups.setdefault(task_key(task.id), []).append(task)
    works, notices = [], []
    for lines in groups.values():
        found = _distinct(lines)
        chosen = next((work for work in found if work.status is not Status.COMPLETE), found[0])
        works.append(chosen)
        if len(found) > 1:
            notices.append(_duplicate(found, chosen, path))
    return tuple(sorted(works, key=lambda work: work.first.mark.line)), tuple(notices)


def list_items(document: Document, listed: TaskList, path: str) -> tuple[tuple[RoadmapItem, ...], tuple[Notice, ...]]:
    """The items of the list with what they wait for. Never raises."""
    works, notices = find_listed(listed, path)
    known = index([(work.first, work.status not in OVER) for work in works], listed.phases)
    waits = find_waits(known, read_statements(document, listed))
    if waits is None:
        many = f"more than {MOST} open tasks, or {MOST_NAMED} needs: each task waits for the one above it"
        notices = (*notices, Notice("too-many-tasks", many, path, works[0].first.mark.line))
        waits = wait_in_line(known)
    return tuple(_item(document, work, waits.get(at, ())) for at, work in enumerate(works)), notices


def _distinct(lines: Sequence[ListedTask]) -> list[ListedWork]:
    """The lines of one id, grouped by the work that their titles name."""
    groups: list[list[ListedTask]] = []
    for line in lines[:20]:
        group = next((each for each in groups if same_work(each[0].title, line.title)), None)
        if group is None:
            groups.append([line])
        else:
            group.append(line)
    return [ListedWork(tuple(group)) for group in groups]


def _duplicate(found: Sequence[ListedWork], chosen: ListedWork, path: str) -> Notice:
    task, line = chosen.first.id, chosen.first.mark.line
    each = " and ".join(f"{work.first.title[:60]!r} (line {work.first.mark.line})" for work in found[:3])
    message = f"{task} names different works: {each}; line {line} is used, give the other a new number"
    return Notice("duplicate", message, path, line)


def _item(document: Document, work: ListedWork, waits: Sequence[Reference]) -> RoadmapItem:
    task = work.first
    return RoadmapItem(
        id=task.id,
        title=task.title,
        status=work.status,
        line=task.mark.line,
        end_line=task.end_line,
        text="\n".join(document.lines[task.mark.line - 1 : task.end_line]),
        aliases=task.aliases,
        depends_on=tuple(waits),
    )
