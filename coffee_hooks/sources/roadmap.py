"""The roadmap as values: one tolerant parser for every shape that a ROADMAP.md was seen in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.model import Notice, Reference, RoadmapItem, TaskId
from coffee_hooks.sources.dependencies import SPEC_KIND, Dependencies, read_dependencies
from coffee_hooks.sources.headings import Form, parse_item_heading
from coffee_hooks.sources.markdown import Document, Fence, decode, heading_of, scan
from coffee_hooks.sources.sections import read_sections
from coffee_hooks.sources.task_items import list_items
from coffee_hooks.sources.task_list import find_task_list
from coffee_hooks.sources.task_names import TaskKey, task_key
from coffee_hooks.sources.works import Work, find_works

LONG_EXAMPLE = 60
"""Lines from which a fence is too long to be an example: the one that once swallowed nine items had 134."""

_EXAMPLE_WORDS = ("example", "sample", "template", "format", "output", "usage", "test", "e.g.", "demo", "like this")


class RoadmapForm(Enum):
    """How the work is written down."""

    ITEMS = "items"
    """Items under headings, each with a spec of its own somewhere."""
    TASKS = "tasks"
    """spec-kit's list of tasks: a line each, which is all that is said of it."""


@dataclass(frozen=True, slots=True)
class Roadmap:
    """The items in the order of the document, what a person should look at, and the text they came from.

    ``readable`` is False when the bytes were not UTF-8 text; the items are what could be read all the same.
    """

    items: tuple[RoadmapItem, ...]
    notices: tuple[Notice, ...]
    text: str
    readable: bool
    form: RoadmapForm = RoadmapForm.ITEMS


def parse_roadmap(data: bytes, path: str = "ROADMAP.md") -> Roadmap:
    """Every work item of a roadmap. Never raises: what it cannot read becomes a notice.

    ``depends_on`` holds what an item says of itself and what others say they block, ids resolved through aliases.
    """
    text, readable = decode(data)
    document = scan(text)
    hidden = [*_undecodable(path, readable), *_fence_notices(document, path)]
    sections = read_sections(document)
    listed = find_task_list(document, sections)
    if listed.tasks:
        items, notices = list_items(document, listed, path)
        return Roadmap(items, (*hidden, *notices), text, readable, RoadmapForm.TASKS)
    works, notices = find_works(sections, path)
    return Roadmap(_items(document, works), (*hidden, *notices), text, readable)


def _items(document: Document, works: Sequence[Work]) -> tuple[RoadmapItem, ...]:
    names = _names(works)
    stated = {work.id: _own_dependencies(document, work, names) for work in works}
    waiting: dict[TaskId, list[Reference]] = defaultdict(list)
    for work in works:
        for reference in stated[work.id].blocks:
            waiting[reference.task].append(Reference(work.id, reference.line, reference.satisfied))
    return tuple(_item(document, work, stated[work.id], waiting[work.id]) for work in works)


def _item(document: Document, work: Work, stated: Dependencies, waiting: Iterable[Reference]) -> RoadmapItem:
    section = work.primary
    return RoadmapItem(
        id=work.id,
        title=work.title,
        status=work.status,
        line=section.line,
        end_line=section.end_line,
        text="\n".join(document.lines[section.line - 1 : section.end_line]),
        aliases=work.aliases,
        depends_on=_unique([*stated.depends_on, *waiting]),
        blocks=stated.blocks,
        weak=section.form is Form.BULLET,
    )


def _names(works: Iterable[Work]) -> Mapping[TaskKey, TaskId]:
    """Every way to name an item, aliases included; an item's own id wins over another's alias."""
    works = list(works)
    names = {task_key(alias): work.id for work in reversed(works) for alias in work.aliases}
    return names | {task_key(work.id): work.id for work in works}


def _own_dependencies(document: Document, work: Work, names: Mapping[TaskKey, TaskId]) -> Dependencies:
    family = {work.id, *(task for section in work.sections for task in section.ids)}
    read = [read_dependencies(document, section.line + 1, section.end_line) for section in work.sections]

    def resolved(references: Iterable[Reference]) -> tuple[Reference, ...]:
        known = (
            Reference(names.get(task_key(reference.task), reference.task), reference.line, reference.satisfied)
            for reference in references
            if not reference.task.startswith(SPEC_KIND)  # an item that names a spec means the document
        )
        return _unique(reference for reference in known if reference.task not in family)

    return Dependencies(
        depends_on=resolved(reference for each in read for reference in each.depends_on),
        blocks=resolved(reference for each in read for reference in each.blocks),
    )


def _unique(references: Iterable[Reference]) -> tuple[Reference, ...]:
    """The first reference to each task; satisfied where any of them says so."""
    found: dict[TaskId, Reference] = {}
    for reference in references:
        known = found.get(reference.task)
        if known is None:
            found[reference.task] = reference
        elif reference.satisfied and not known.satisfied:
            found[reference.task] = Reference(known.task, known.line, satisfied=True)
    return tuple(found.values())


def _undecodable(path: str, readable: bool) -> Iterator[Notice]:
    if not readable:
        yield Notice("undecodable", "not UTF-8 text: unreadable bytes were replaced before reading", path)


def _fence_notices(document: Document, path: str) -> Iterator[Notice]:
    for fence in document.fences:
        kind = "comment" if fence.is_comment else "code fence"
        if not fence.closed and fence.end == len(document.lines):
            message = f"this {kind} is never closed: everything below it is hidden"
            yield Notice("unclosed-fence", message, path, fence.start)
        hidden = list(_hidden_items(document, fence))
        if hidden and not _is_meant(document, fence):
            names = ", ".join(hidden[:5]) + (", ..." if len(hidden) > 5 else "")
            message = f"this {kind} (lines {fence.start}-{fence.end}) hides {len(hidden)} item headings: {names}"
            yield Notice("fence-hides-items", message, path, fence.start)


def _hidden_items(document: Document, fence: Fence) -> Iterator[str]:
    for line in document.lines[fence.start : fence.end]:
        item = parse_item_heading(line) if line.lstrip(" ").startswith("##") else None
        if item and item.form is not Form.LOOSE:
            yield item.ids[0]


def _is_meant(document: Document, fence: Fence) -> bool:
    """Whether the hiding is on purpose: a comment, code of another language, or a short announced example."""
    if not fence.closed:
        return False
    if fence.is_comment or (fence.info and not fence.info.lower().startswith(("md", "markdown"))):
        return True
    above = (line for line in reversed(document.lines[max(0, fence.start - 6) : fence.start - 1]) if line.strip())
    context = " ".join([*above, *_heading_above(document, fence.start)]).lower()
    return fence.end - fence.start <= LONG_EXAMPLE and any(word in context for word in _EXAMPLE_WORDS)


def _heading_above(document: Document, line: int) -> Iterator[str]:
    for number in range(line - 1, 0, -1):
        heading = None if document.hidden[number] else heading_of(document.lines[number - 1])
        if heading:
            yield heading[1]
            return
