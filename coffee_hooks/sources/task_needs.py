"""What a task list says in words about who waits for whom: ``(depends on T012, T013)``, ``US2 depends on US1``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coffee_hooks.base.model import TaskId
from coffee_hooks.sources.markdown import Document
from coffee_hooks.sources.task_list import ListedTask, Phase, TaskList, stories_in
from coffee_hooks.sources.task_names import LISTED, expand_range

MAX_CLAUSE = 300
"""Characters behind ``depends on`` that can belong to it."""

_NEEDS = re.compile(
    r"\bdepend(?:s|ent|ing)?\s+(?:only\s+)?(?:up)?on\b|\bdepends\s+(?=T[0-9])|\bblocked\s+by\b|\brequires\s+(?=T[0-9])"
    r"|(?<=\()\W{0,2}after\s+(?=T[0-9])",
    re.IGNORECASE,
)
_BLOCKS = re.compile(r"\bblocks\s+(?:tasks?\s+)?(?=T[0-9])")
_NEGATED = re.compile(r"(?:\bnot|n't|\bnever|\bno\s+longer)\s*$", re.IGNORECASE)
_TASKS = re.compile(
    rf"(?<![\w/.-])(?P<id>{LISTED})(?!\w)(?:\s?(?:[-–—]|\.\.+|to\b|through\b)\s?T(?P<last>[0-9]{{1,9}})(?!\w))?"
)
_END = re.compile(
    r";|\.(?=\s|$)|\s[–—-]\s|—|\n[ \t]*(?:[-*+]|[0-9]{1,3}[.)])[ \t]|[()]"
    r"|\b(?:but|after|independen\w*|no\s+dependenc\w*|depend\w*|blocks?)\b"
)
_PHASES = re.compile(r"\bphases?\s+(?P<number>[0-9]{1,3}(?:\.[0-9]{1,3})?)", re.IGNORECASE)
_LABEL = re.compile(r"[\s>*_+-]*")
_WORDS = ("epend", "locked", "equires", "after", "locks")
"""One of them is in every statement: a cheap test that most tasks fail."""
_BEGINNING = 100
"""Characters of a line in which it says what it is about."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The *tasks*, and every task of the *stories*, wait for *on_tasks* and for all of *on_stories*.

    Names are as written. *line* says so.
    """

    line: int
    tasks: tuple[TaskId, ...]
    stories: frozenset[int]
    on_tasks: tuple[TaskId, ...]
    on_stories: frozenset[int]


def read_statements(document: Document, listed: TaskList) -> Iterator[Statement]:
    """Every statement of the file, in tasks and in the text around them."""
    owned: set[int] = set()
    for task in listed.tasks:
        owned.update(range(task.mark.line, task.end_line + 1))
        text = "\n".join(document.lines[task.mark.line - 1 : task.end_line])
        if _may_state(text):
            yield from _of_task(text, task, listed.phases)
    phases = iter(sorted(listed.phases, key=lambda phase: phase.line))
    current, following = Phase(0), next(phases, None)
    for number, line in document.visible(1, len(document.lines)):
        while following and following.line <= number:
            current, following = following, next(phases, None)
        if number not in owned and _may_state(line):
            yield from _of_line(number, line, current, listed.phases)


def _may_state(text: str) -> bool:
    return any(word in text for word in _WORDS)


def _of_task(text: str, task: ListedTask, phases: Sequence[Phase]) -> Iterator[Statement]:
    for line, match in _with_lines(text, task.mark.line, _NEEDS):
        if not _NEGATED.search(text, max(0, match.start() - 20), match.start()):
            said = _clause(text, match.end())
            yield Statement(line, (task.id,), frozenset(), _tasks(said), _stories(said, phases))
    for line, match in _with_lines(text, task.mark.line, _BLOCKS):
        yield Statement(line, _tasks(_clause(text, match.end())), frozenset(), (task.id,), frozenset())


def _with_lines(text: str, line: int, pattern: re.Pattern[str]) -> Iterator[tuple[int, re.Match[str]]]:
    at = 0
    for match in pattern.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        yield line, match


def _of_line(number: int, line: str, current: Phase, phases: Sequence[Phase]) -> Iterator[Statement]:
    begin = 0
    for match in _NEEDS.finditer(line):
        left, said = line[begin : match.start()][-MAX_CLAUSE:], _clause(line, match.end())
        begins, begin = not begin, match.end()
        if _NEGATED.search(left):
            continue
        clause = _last(left)
        tasks = _tasks(clause)
        stories = (
            frozenset()
            if tasks
            else _stories(clause, phases) or _stories(line[: min(_BEGINNING, match.start())], phases)
        )
        if begins and _LABEL.fullmatch(left):
            stories = current.stories
        yield Statement(number, tasks, stories, _tasks(said), _stories(said, phases) - stories)
    for match in _BLOCKS.finditer(line):
        blockers = _tasks(_last(line[max(0, match.start() - MAX_CLAUSE) : match.start()]))
        yield Statement(number, _tasks(_clause(line, match.end())), frozenset(), blockers, frozenset())


def _last(text: str) -> str:
    """The last clause of a text."""
    return re.split(r"[;.](?=\s)", text)[-1]


def _clause(text: str, start: int) -> str:
    """What belongs to the words that end at *start*; brackets that open in it do, the one around it ends it."""
    depth = 0
    stop = min(len(text), start + MAX_CLAUSE)
    for match in _END.finditer(text, start, stop):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
        elif not depth or match[0] not in "()":
            return text[start : match.start()]
    return text[start:stop]


def _tasks(text: str) -> tuple[TaskId, ...]:
    found: dict[TaskId, None] = {}
    for match in _TASKS.finditer(text):
        first, _, short = match["id"][1:].partition("-")  # T024-T026, or T024-26
        last = match["last"] or (short if short.isdigit() and int(short) > int(first or 0) else None)
        tasks = expand_range(first, last, "T") if last and first.isdigit() else (TaskId(match["id"]),)
        found.update(dict.fromkeys(tasks))
    return tuple(found)


def _stories(text: str, phases: Sequence[Phase]) -> frozenset[int]:
    """The stories that a text names, or whose phase it does."""
    numbers = {match["number"] for match in _PHASES.finditer(text)}
    named = (phase.stories for phase in phases if numbers and phase.number in numbers)
    return stories_in(text).union(*named)
