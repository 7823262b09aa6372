"""A roadmap cut into blocks, one for each item and one for each text between items, and put together again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from coffee_hooks.base.model import Status
from coffee_hooks.sources.headings import Form
from coffee_hooks.sources.markdown import decode, scan
from coffee_hooks.sources.sections import Mark, Section, read_sections
from coffee_hooks.sources.status_lines import Line
from coffee_hooks.sources.task_list import find_task_list
from coffee_hooks.sources.task_names import TaskKey, task_key

BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"(\r\n|\r|\n)")
_ID = re.compile(r"US[-_][0-9]|PRIORITY[ _-][0-9]", re.IGNORECASE)
_LABEL = re.compile(r"status(?:\*\*|__)?\s*[:|](?:\*\*|__)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """What a block is about: the ids and the normalised title of an item, or the heading of a text (no ids)."""

    ids: tuple[TaskKey, ...]
    title: str


PREAMBLE = Name((), "\n")
"""The text above the first heading that cuts; no heading is called that."""

DEEPEST = 3
"""The level of headings that still cut the text between items, as deep as items go: else what is a block of its own
below an item would be a part of another one where that item is missing."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of lines. *blanks* are the blank lines below it, None for the last block of a file: nothing is below."""

    name: Name
    lines: tuple[Line, ...]
    blanks: tuple[Line, ...] | None


@dataclass(frozen=True, slots=True)
class Blocks:
    """A whole file: its byte order mark if any, its blocks, and how it ends after the last text (``\\n``, nothing).

    The last line has an ending in its block although the file may have none there: blocks can change places.
    *items* are all that it names in headings, or all tasks of a list, with their status. *open*: a fence or comment is
    never closed.
    """

    bom: bytes
    blocks: tuple[Block, ...]
    end: bytes
    items: tuple[tuple[Name, Status], ...] = ()
    open: bool = False


@lru_cache(maxsize=4)  # the target is the same in many merges
def split(data: bytes) -> Blocks:
    """The blocks of a roadmap, the text above the first heading first. ``join`` gives the same bytes. Never raises."""
    document = scan(decode(data)[0])
    sections = read_sections(document)
    tasks = find_task_list(document, sections).tasks
    bom = BOM if data.startswith(BOM) else b""
    rows, end = _rows(data[len(bom) :])
    places = {**_places(sections), **{task.mark.line: _Place(task.mark, labelled=False) for task in tasks}}
    lines = [_line(text, ending, places.get(number)) for number, (text, ending) in enumerate(rows, 1)]
    items = [section for section in sections if section.form is not Form.BULLET]
    inside = {number for item in items for number in range(item.line, item.end_line + 1)}
    names = {1: PREAMBLE}
    for heading in document.headings:
        if heading.level <= DEEPEST and heading.line not in inside:
            names[heading.line] = Name((), " ".join(heading.text.split()))
    names |= {item.line: name_of(item) for item in items}
    preamble = () if PREAMBLE in names.values() else (Block(PREAMBLE, (), ()),)
    starts = sorted(start for start in names if start <= len(lines) or start == 1)
    cuts = [*(start - 1 for start in starts[1:]), len(lines)]
    blocks = [
        _block(names[start], lines[start - 1 : stop], last=stop == len(lines))
        for start, stop in zip(starts, cuts, strict=True)
    ]
    stated = [(name_of(item), item.status) for item in items]
    stated += [(Name((task_key(task.id),), task.title.casefold()), task.mark.status) for task in tasks]
    hidden = any(not fence.closed and fence.end == len(document.lines) for fence in document.fences)
    return Blocks(bom, (*preamble, *blocks), end, tuple(stated), hidden)


def join(roadmap: Blocks) -> bytes:
    """The bytes of a roadmap; a block that was the last of its file gets a blank line below when something follows."""
    pieces = [roadmap.bom]
    last = len(roadmap.blocks) - 1
    for number, block in enumerate(roadmap.blocks):
        pieces += [line.raw for line in block.lines]
        if number == last:
            if block.lines:
                pieces[-1] = _LINE_END.split(pieces[-1])[0]
            pieces.append(roadmap.end)
        elif block.blanks is None:
            pieces += [_ending(block.lines[-1])] if block.lines else []
        else:
            pieces += [line.raw for line in block.blanks]
    return b"".join(pieces)


def all_lines(roadmap: Blocks) -> tuple[Line, ...]:
    """Every line, but for blank ones at the end of the file."""
    return tuple(line for block in roadmap.blocks for line in (*block.lines, *(block.blanks or ())))


def name_of(section: Section) -> Name:
    """The name of an item: two spellings of an id, and titles that differ in case or blanks, are one."""
    return Name(tuple(task_key(task) for task in section.ids), " ".join(section.title.casefold().split()))


def _rows(data: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Text and ending of every line up to the last that is not blank, and the bytes from the ending of that one on."""
    pieces = _LINE_END.split(data)
    rows = list(zip(pieces[::2], [*pieces[1::2], b""], strict=True))
    tail: list[tuple[bytes, bytes]] = []
    while rows and not rows[-1][0].strip():
        tail.append(rows.pop())
    end = b"".join(text + ending for text, ending in reversed(tail))
    if rows:
        text, ending = rows[-1]
        end = ending + end
        rows[-1] = (text, ending or (rows[-2][1] if len(rows) > 1 else b"\n"))
    return rows, end


def _block(name: Name, lines: Sequence[Line], *, last: bool) -> Block:
    stop = len(lines)
    while stop and not lines[stop - 1].raw.strip():
        stop -= 1
    return Block(name, tuple(lines[:stop]), None if last else tuple(lines[stop:]))


def _ending(line: Line) -> bytes:
    return b"".join(_LINE_END.split(line.raw)[1:2])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a line may state a status; *mark* None: it could, but says nothing. *labelled*: after ``Status:``."""

    mark: Mark | None
    labelled: bool


def _places(sections: Iterable[Section]) -> Mapping[int, _Place]:
    return {line: place for section in sections for line, place in _places_of(section)}


def _places_of(section: Section) -> Iterator[tuple[int, _Place]]:
    if section.in_name or section.form is not Form.BULLET:
        yield section.line, _Place(section.in_name, labelled=False)
    if section.in_body:
        yield section.in_body.line, _Place(section.in_body, labelled=True)


def _line(written: bytes, ending: bytes, place: _Place | None) -> Line:
    if place is None:
        return Line(written + ending)
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError:  # the columns of a mark would not be those of the bytes
        return Line(written + ending)
    mark = place.mark
    if mark is None:
        start, stop, end = len(text.rstrip()), len(text.rstrip()), len(text)
        status = Status.UNKNOWN
    elif place.labelled:
        label = _LABEL.search(text, 0, mark.start)
        start, stop, end, status = label.end() if label else mark.start, mark.end, len(text), mark.status
    elif _ID.search(text, 0, mark.start):
        start, stop, end, status = len(text[: mark.start].rstrip()), mark.end, len(text), mark.status
    else:  # in front of the id: what follows is the item, not a remark
        start, stop, end, status = mark.start, mark.end, mark.end, mark.status
    parts = (text[:start], text[start:stop], text[stop:end], text[end:])
    before, said, tail, after = (part.encode("utf-8") for part in parts)
    return Line(before, said, tail, after + ending, status)
