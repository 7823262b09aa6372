"""What a landing does to the roadmap file: the titles of its items, and never one of them twice."""

from __future__ import annotations

from collections import Counter

from coffee_hooks.base.model import TaskId
from coffee_hooks.sources.headings import Form
from coffee_hooks.sources.markdown import decode, scan
from coffee_hooks.sources.roadmap import parse_roadmap
from coffee_hooks.sources.sections import read_sections
from coffee_hooks.sources.task_list import find_task_list
from coffee_hooks.sources.task_names import task_key


def new_duplicates(ours: bytes, theirs: bytes, merged: bytes) -> tuple[str, ...]:
    """Ids whose heading with the same title stands more often in *merged* than in either parent. Pure."""
    if merged in (ours, theirs):
        return ()
    before, after, both = (item_counts(data) for data in (ours, theirs, merged))
    return tuple(
        f"{task} ({title})"
        for (task, title), count in both.items()
        if count > 1 and count > max(before[task, title], after[task, title])
    )


def item_counts(data: bytes) -> Counter[tuple[str, str]]:
    """How often each (id, normalised title) is the heading of an item, or a line of a list of tasks. Pure."""
    document = scan(decode(data)[0])
    sections = read_sections(document)
    headings = (
        (str(task), " ".join(section.title.casefold().split()))
        for section in sections
        if section.form is not Form.BULLET
        for task in section.ids
    )
    tasks = ((str(task.id), task.title.casefold()) for task in find_task_list(document, sections).tasks)
    return Counter([*headings, *tasks])


def title_of(data: bytes, task: TaskId) -> str:
    """The title of *task*'s item, empty when there is none. Pure."""
    wanted = task_key(task)
    return next((item.title for item in parse_roadmap(data).items if task_key(item.id) == wanted), "")
