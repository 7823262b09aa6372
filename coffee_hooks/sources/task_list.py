"""spec-kit's ``tasks.md`` as it is written: a line with a box for each task, in phases.

A file is read as such a list only where nothing in it is an item of a roadmap (``find_task_list``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from coffee_hooks.base.model import Status, TaskId
from coffee_hooks.sources.markdown import Document, Heading
from coffee_hooks.sources.sections import Mark, Section
from coffee_hooks.sources.task_names import LISTED, expand_range

MAX_LINE = 2000
"""Characters of a task's first line that are looked at; real ones have 40 to 800."""
MAX_TITLE = 200
MAX_STORIES = 20
"""A range of more stories than this is read as its two ends."""

_TASK = re.compile(
    r"[ \t]*[-*+][ \t]+(?P<box>\[[ xX~/-]?\])[ \t]+(?P<bold>[*_~]{0,4})"
    rf"(?P<id>{LISTED})(?!\w)(?:[ ]?[-–—][ ]?T(?P<last>[0-9]{{1,9}})(?!\w))?(?P<rest>.*)"
)
_HINT = re.compile(r"\][ \t]+[*_~]{0,4}T[0-9]{3}")
"""What every list has somewhere: the ids of spec-kit have three digits or more."""
_TAG = re.compile(r"[\s*_~:.–—-]*\[(?P<tag>[^\[\]]{0,80})\](?!\()")
_EDGE = " \t*_~:.–—-"
_PHASE = re.compile(r"\W*(?:final\s+)?phase\b\s*(?P<number>[0-9]{1,3}(?:\.[0-9]{1,3})?)?", re.IGNORECASE)
_TALK = re.compile(r"checklist|dependenc|parallel|example|strategy|format\b|convention|notes?\b|summary|gate\b", re.I)
"""Headings, unless they are those of a phase, below which tasks are only talked about."""
_STORIES = re.compile(r"stor(?:y|ies)\b", re.IGNORECASE)
_STORY = re.compile(
    r"(?:\bUS|\b(?i:user\s+)?(?i:stor(?:y|ies)))[ -]?(?P<first>[0-9]{1,3})(?![\w%])"
    r"(?P<more>(?:(?:\s*(?:[,&+/]|and\b)\s*|[-–—])(?:US[ -]?|(?i:(?:user )?story) )?[0-9]{1,3}(?![\w%]))*)"
)
_MORE = re.compile(r"(?P<joint>[-–—])?\D*?(?P<number>[0-9]+)")
_STATUS = {"": Status.PLANNED, " ": Status.PLANNED, "x": Status.COMPLETE, "X": Status.COMPLETE, "-": Status.BLOCKED}


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the list. *line* is that of its heading, 0 for what stands above the first one.

    *stories* are the user stories that the heading names; a phase of none is for all of them.
    """

    line: int
    number: str | None = None
    stories: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class ListedTask:
    """One line with a box. *mark* is the box, *end_line* the last line of what is indented below it.

    *parallel*: marked ``[P]``. *phase* counts in ``TaskList.phases``. A task that was struck out is BLOCKED.
    """

    id: TaskId
    aliases: tuple[TaskId, ...]
    title: str
    mark: Mark
    end_line: int
    parallel: bool
    phase: int


@dataclass(frozen=True, slots=True)
class TaskList:
    """The tasks in the order of the file, an id as often as it stands there, and the phases they are in."""

    tasks: tuple[ListedTask, ...] = ()
    phases: tuple[Phase, ...] = ()


def find_task_list(document: Document, sections: Sequence[Section]) -> TaskList:
    """Every task of the list; none where *sections* are items of a roadmap, or no id has three digits.

    Never raises; linear in the text.
    """
    if sections or not any(_HINT.search(line, 0, MAX_LINE) for _, line in document.visible(1, len(document.lines))):
        return TaskList()
    lines = _lines(document)
    headings = {heading.line: heading for heading in document.headings}
    phases = [Phase(0)]
    tasks: list[ListedTask] = []
    top = Heading(0, 1, "")
    talk = False
    for number in sorted({*lines, *headings}):
        if heading := headings.get(number):
            if _begins_phase(heading, top, phases[-1]):
                top = heading
                match = _PHASE.match(heading.text)
                talk = match is None and _TALK.search(heading.text) is not None
                phases.append(Phase(number, match["number"] if match else None, stories_in_heading(heading.text)))
        elif not talk:
            end = _end(document, number, lines, headings)
            tasks.append(_task(number, end, lines[number], len(phases) - 1))
    return TaskList(tuple(tasks), tuple(phases))


def stories_in_heading(text: str) -> frozenset[int]:
    """The user stories that a heading is about: ``User Story 2 & 3 - Title (builds on US1)`` gives 2 and 3."""
    match = _STORY.search(text)
    return frozenset(_numbers(match)) if match else frozenset()


def stories_in(text: str) -> frozenset[int]:
    """Every user story that a text names."""
    return frozenset(number for match in _STORY.finditer(text) for number in _numbers(match))


def _numbers(match: re.Match[str]) -> Iterator[int]:
    last = int(match["first"])
    yield last
    for each in _MORE.finditer(match["more"]):
        number = int(each["number"])
        yield from range(last + 1, number) if each["joint"] and number <= last + MAX_STORIES else ()
        yield number
        last = number


def _lines(document: Document) -> dict[int, re.Match[str]]:
    found = ((number, _TASK.match(line[:MAX_LINE])) for number, line in document.visible(1, len(document.lines)))
    return {number: match for number, match in found if match}


def _begins_phase(heading: Heading, top: Heading, current: Phase) -> bool:
    """A heading of the level of phases, one that says so, or that of a story where the phase is for several."""
    if heading.level <= max(2, top.level) or _PHASE.match(heading.text):
        return True
    for_several = _PHASE.match(top.text) is None or (not current.stories and _STORIES.search(top.text))
    named = stories_in_heading(heading.text)
    return bool(for_several and named and not named <= current.stories)


class _Said(NamedTuple):
    title: str
    parallel: bool


def _task(number: int, end: int, match: re.Match[str], phase: int) -> ListedTask:
    said = _read(match["rest"])
    status = _STATUS.get(match["box"][1:-1], Status.IN_PROGRESS)
    if "~~" in match["bold"] and status is Status.PLANNED:
        status = Status.BLOCKED
    aliases: tuple[TaskId, ...] = ()
    if match["last"] and match["id"][1:].isdigit():
        aliases = expand_range(match["id"][1:], match["last"], "T")[1:]
    mark = Mark(number, match.start("box"), match.end("box"), status)
    return ListedTask(TaskId(match["id"]), aliases, said.title, mark, end, said.parallel, phase)


def _read(rest: str) -> _Said:
    """What stands behind the id: tags such as ``[P]`` and ``[US1]``, and the title."""
    at, parallel = 0, False
    while tag := _TAG.match(rest, at):
        at = tag.end()
        parallel = parallel or tag["tag"].strip() == "P"
    title = " ".join(rest[at:].replace("**", "").split()).lstrip(_EDGE)
    return _Said(title if len(title) <= MAX_TITLE else title[: MAX_TITLE - 1].rstrip() + "…", parallel)


def _end(document: Document, number: int, lines: dict[int, re.Match[str]], headings: dict[int, Heading]) -> int:
    """The last line that is indented deeper than the task's own; another task or a heading ends it too."""
    indent, end = _indent(document.lines[number - 1]), number
    for at in range(number + 1, len(document.lines) + 1):
        line = document.lines[at - 1]
        if not line.strip():
            continue
        if at in lines or at in headings or _indent(line) <= indent:
            break
        end = at
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))
