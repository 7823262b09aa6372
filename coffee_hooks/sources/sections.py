"""The places of a roadmap that name an item, each with its own lines and what it says of the status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coffee_hooks.base.model import Status, TaskId
from coffee_hooks.sources.dependencies import is_label, opens_reference_list
from coffee_hooks.sources.headings import Form, NamedItem, parse_item_bullet, parse_item_heading
from coffee_hooks.sources.markdown import Document, heading_of
from coffee_hooks.sources.status import locate_status
from coffee_hooks.sources.task_names import TaskKey, task_key

_STATUS_LINE = re.compile(
    r"[ \t]*(?:[-*+][ \t]+|\|[ \t]*)?(?:[^\x00-\x7f\w][ \t]*)*"
    r"(?:\*\*|__)?status(?:\*\*|__)?\s*[:|](?:\*\*|__)?\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_STATUS_HINT = re.compile(r"status", re.IGNORECASE)
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)|[ \t]")
_ID_HINT = re.compile(r"US[-_][0-9]|PRIORITY[ _-][0-9]", re.IGNORECASE)

MAX_LIST = 60
"""Lines that a list is followed upwards to find the label it stands under."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a status is written: columns ``start:end`` of a 1-based line."""

    line: int
    start: int
    end: int
    status: Status
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One place that names an item: a heading with the lines below it, or a bullet with its continuation."""

    form: Form
    ids: tuple[TaskId, ...]
    aliases: tuple[TaskId, ...]
    title: str
    line: int
    end_line: int
    size: int
    """Characters of the section, the measure of which of two says more."""
    in_name: Mark | None
    """The status in the heading or bullet itself."""
    in_body: Mark | None
    """The status in a ``**Status**:`` line, which outranks the heading."""

    @property
    def status(self) -> Status:
        known = (mark.status for mark in (self.in_body, self.in_name) if mark)
        return next(known, Status.UNKNOWN)

    @property
    def is_summary(self) -> bool:
        return self.form is Form.LOOSE and "SUMMARY" in self.title.upper()


def read_sections(document: Document) -> tuple[Section, ...]:
    """Every place that names an item, in the order of the document."""
    headings = list(_item_headings(document))
    sections = [*_heading_sections(document, headings), *_bullet_sections(document)]
    return tuple(sorted(sections, key=lambda section: section.line))


def _item_headings(document: Document) -> Iterator[tuple[int, NamedItem]]:
    """Headings of items. A loose one below an item that another heading describes is a part of that text."""
    named = [
        (heading.line, parse_item_heading(document.lines[heading.line - 1]))
        for heading in document.headings
        if _ID_HINT.search(heading.text)
    ]
    items = {line: item for line, item in named if item}
    described = {task_key(task) for item in items.values() if item.form is not Form.LOOSE for task in item.ids}
    inside = 0
    for heading in document.headings:
        item = items.get(heading.line)
        if item and item.form is Form.LOOSE and inside and heading.level > inside and _known(item, described):
            continue
        if item:
            yield heading.line, item
            inside = heading.level
        elif heading.level <= inside:
            inside = 0


def _known(item: NamedItem, described: set[TaskKey]) -> bool:
    return all(task_key(task) in described for task in item.ids)


def _heading_sections(document: Document, items: list[tuple[int, NamedItem]]) -> Iterator[Section]:
    """Each item's heading with its lines: up to the next item, or the next heading that is not below it."""
    named = dict(items)
    last = len("\n".join(document.lines).rstrip().split("\n"))
    headings = document.headings
    for position, heading in enumerate(headings):
        if heading.line in named:
            after = (
                other.line - 1
                for other in headings[position + 1 :]
                if other.level <= heading.level or other.line in named
            )
            yield _section(document, heading.line, next(after, max(heading.line, last)), named[heading.line])


def _section(document: Document, line: int, end: int, item: NamedItem) -> Section:
    status = item.status
    return Section(
        form=item.form,
        ids=item.ids,
        aliases=item.aliases,
        title=item.title,
        line=line,
        end_line=end,
        size=sum(map(len, document.lines[line - 1 : end])),
        in_name=Mark(line, status.start, status.end, status.status, item.labelled) if status else None,
        in_body=_in_body(document, line + 1, end),
    )


def _in_body(document: Document, start: int, end: int) -> Mark | None:
    """The first readable status line above the first heading inside; later ones speak of phases and parts."""
    for number, line in document.visible(start, end):
        if line.startswith("#") and heading_of(line):
            return None
        if not _STATUS_HINT.search(line):
            continue
        if (match := _STATUS_LINE.match(line)) and (found := locate_status(match["value"])):
            offset = match.start("value")
            return Mark(number, offset + found.start, offset + found.end, found.status)
    return None


def _bullet_sections(document: Document) -> Iterator[Section]:
    """Bullets that name an item, except in lists that only refer to other tasks."""
    for number, line in document.visible(1, len(document.lines)):
        if not _ID_HINT.search(line, 0, 80):
            continue
        item = parse_item_bullet(line)
        if item and not _in_list_of_references(document, number):
            end = _bullet_end(document, number)
            yield _section(document, number, end, item)


def _bullet_end(document: Document, number: int) -> int:
    indent = _indent(document.lines[number - 1])
    end = number
    for line in document.lines[number:]:
        if not line.strip() or _indent(line) <= indent:
            break
        end += 1
    return end


def _in_list_of_references(document: Document, number: int) -> bool:
    """Whether the label or heading that the bullet stands under says that the list names other tasks."""
    indent = _indent(document.lines[number - 1])
    for above in range(number - 1, max(0, number - MAX_LIST), -1):
        line = document.lines[above - 1]
        if document.hidden[above] or not line.strip() or _indent(line) > indent or parse_item_bullet(line):
            continue
        if line.startswith("#") or is_label(line):
            return opens_reference_list(line)
        if not _LIST_ITEM.match(line):
            return False
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
