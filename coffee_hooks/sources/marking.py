"""Mark an item of a roadmap as complete, and touch nothing else in the file."""

from __future__ import annotations

import re

from coffee_hooks.base.model import RoadmapItem, Status, TaskId
from coffee_hooks.sources.markdown import Document, decode, scan
from coffee_hooks.sources.roadmap import parse_roadmap
from coffee_hooks.sources.sections import Mark, read_sections
from coffee_hooks.sources.task_items import find_listed
from coffee_hooks.sources.task_list import find_task_list
from coffee_hooks.sources.task_names import task_key
from coffee_hooks.sources.works import find_works

_LINE_END = re.compile(rb"(\r\n|\r|\n)")
_BOM = b"\xef\xbb\xbf"


def mark_complete(data: bytes, task: TaskId) -> bytes | None:
    """The roadmap with the status of ``task`` set to ``✅ Complete``, its box ticked, every other byte as it was.

    An item that is complete already gives ``data`` itself. None when there is no such item, when its status is
    not written anywhere, or when the edit would not have exactly this effect (a status that several items
    share, two works under one id): the result is parsed again before it is trusted.
    """
    item = _find(parse_roadmap(data).items, task)
    if item is None:
        return None
    if item.status is Status.COMPLETE:
        return data
    marks = _marks(scan(decode(data)[0]), item.id)
    marked = _edit(data, [mark for mark in marks if mark.status is not Status.COMPLETE])
    return marked if marked is not None and _only_completes(data, marked, item.id) else None


def _find(items: tuple[RoadmapItem, ...], task: TaskId) -> RoadmapItem | None:
    wanted = task_key(task)
    return next((item for item in items if task_key(item.id) == wanted), None)


def _marks(document: Document, task: TaskId) -> tuple[Mark, ...]:
    sections = read_sections(document)
    if sections:
        return next(work.marks for work in find_works(sections, "")[0] if work.id == task)
    listed, _ = find_listed(find_task_list(document, sections))
    return next(work.marks for work in listed if work.first.id == task)


def _edit(data: bytes, marks: list[Mark]) -> bytes | None:
    """The bytes with every mark replaced; None when a marked line is not UTF-8."""
    bom = _BOM if data.startswith(_BOM) else b""
    pieces = _LINE_END.split(data[len(bom) :])
    for mark in sorted(marks, key=lambda mark: (mark.line, mark.start), reverse=True):
        at = 2 * (mark.line - 1)
        try:
            line = pieces[at].decode("utf-8")
        except UnicodeDecodeError:
            return None
        said = line[mark.start : mark.end]
        pieces[at] = (line[: mark.start] + _completed(said, mark) + line[mark.end :]).encode("utf-8")
    return bom + b"".join(pieces)


def _completed(said: str, mark: Mark) -> str:
    """What takes the place of a written status: a box stays a box, a label a label, an open bold open."""
    if said.startswith("["):
        return "[x]"
    spoken = any(char.isalpha() for char in said)
    if mark.labelled:
        return "✅ COMPLETE" if spoken else "✅"
    bold = "**" if said.count("**") % 2 else ""
    return f"✅ {bold}Complete"


def _only_completes(before: bytes, after: bytes, task: TaskId) -> bool:
    """Whether the edit completed this item and changed no other."""
    old = {item.id: item for item in parse_roadmap(before).items}
    new = {item.id: item for item in parse_roadmap(after).items}
    if old.keys() != new.keys() or new[task].status is not Status.COMPLETE:
        return False
    return all(_same(item, new[name]) for name, item in old.items() if name != task)


def _same(one: RoadmapItem, other: RoadmapItem) -> bool:
    return (one.status, one.title, one.line, one.aliases) == (other.status, other.title, other.line, other.aliases)
