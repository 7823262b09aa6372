"""Names of tasks: what a person may type, and which item of the roadmap it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import RoadmapItem, TaskId

MAX_NAME = 200
MAX_RANGE = 500
"""A range of more ids than this is read as its two ends: nobody wrote that many stories under one heading."""

LISTED = r"T[0-9]{1,9}[A-Za-z]?(?:[.-][0-9]{1,9}[A-Za-z]?)*"
"""Pattern of a name in a task list, canonical as written: ``T001``, ``T012a``, ``T1.2``."""

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})*"
_NAME = re.compile(rf"(US|PRIORITY)[\s_-]?({_NUMBER})", re.IGNORECASE)
_LISTED = re.compile(LISTED, re.IGNORECASE)
_LISTED_PART = re.compile(r"[0-9]+|[A-Za-z]")
_BARE = re.compile(_NUMBER)
_LINK_TARGET = re.compile(r"\]\([^)]{0,500}\)")
_MENTION = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"US[-_](?P<us>[0-9]{1,9})(?:\s+(?:through|thru|to)\s+US[-_](?P<last>[0-9]{1,9}))?"
    rf"|PRIORITY[ _-](?P<priority>{_NUMBER})(?P<more>(?:\s*(?:,|&|and)\s*{_NUMBER}(?=\s*(?:[,&);]|and\b|$)))*)"
    r")",
    re.IGNORECASE,
)


class TaskKey(NamedTuple):
    """What two spellings of one task have in common: ``US-24`` and ``us-024`` share a key."""

    kind: str
    number: tuple[str, ...]


class Mention(NamedTuple):
    """Tasks named at ``start:end`` of a text; several when a range or a list is written."""

    tasks: tuple[TaskId, ...]
    start: int
    end: int


def parse_task_name(text: str) -> TaskId | None:
    """The canonical name of ``US-104``, ``us-104``, ``PRIORITY 25``, ``priority-2.5`` or ``t001``; None for the rest.

    A bare number is None: only a roadmap can say whether it is a story or a priority (``resolve_task``).
    """
    if len(text) > MAX_NAME:
        return None
    name = text.strip()
    if _LISTED.fullmatch(name):
        return TaskId(f"T{name[1:]}")
    match = _NAME.fullmatch(name)
    return TaskId(f"{match[1].upper()}-{match[2]}") if match else None


def task_key(task: TaskId) -> TaskKey:
    """The key of a canonical name: its kind, and its number without zero padding."""
    if is_listed(task):
        return TaskKey("T", tuple(part.lstrip("0").lower() or "0" for part in _LISTED_PART.findall(task[1:])))
    kind, _, number = task.partition("-")
    return TaskKey(kind, number_key(number))


def is_listed(task: str) -> bool:
    """Whether this is a name of a task list, which another list may use for another task."""
    return task[:1] == "T" and _LISTED.fullmatch(task) is not None


def is_of(task: str, written: str | None, roadmap: str) -> bool:
    """Whether a record about *task* of the file *written* (None: nobody noted it) is about *task* of *roadmap*.

    Each list of tasks begins with ``T001``; every other name means one work, wherever the roadmap has moved.
    """
    return written in (None, roadmap) or not is_listed(task)


def number_key(number: str) -> tuple[str, ...]:
    """``"024"`` and ``"24"`` give ``("24",)``; ``"2.5"`` gives ``("2", "5")``."""
    return tuple(part.lstrip("0") or "0" for part in number.split("."))


def expand_range(first: str, last: str, kind: str = "US-") -> tuple[TaskId, ...]:
    """``("073", "075")`` gives US-073, US-074, US-075, padded like the first."""
    low, high = int(first), int(last)
    if not low <= high <= low + MAX_RANGE:
        return (TaskId(f"{kind}{first}"), TaskId(f"{kind}{last}"))
    return tuple(TaskId(f"{kind}{number:0{len(first)}d}") for number in range(low, high + 1))


def mentions(text: str) -> Iterator[Mention]:
    """Every task that a line of prose names, left to right; targets of links are not prose."""
    prose = _LINK_TARGET.sub(lambda match: " " * len(match[0]), text) if "](" in text else text
    for match in _MENTION.finditer(prose):
        if match["us"]:
            last = match["last"]
            tasks = expand_range(match["us"], last) if last else (TaskId(f"US-{match['us']}"),)
        else:
            numbers = [match["priority"], *_BARE.findall(match["more"])]
            tasks = tuple(TaskId(f"PRIORITY-{number}") for number in numbers)
        yield Mention(tasks, match.start(), match.end())


def resolve_task(name: str, items: Sequence[RoadmapItem]) -> TaskId:
    """The id of the item that ``name`` means: an id, an alias or a bare number, in any case and padding.

    An item's own id wins over another item's alias, because ids are what our own output prints.
    Raises UsageError when the name is hostile, unknown (nearest names as hint) or ambiguous.
    """
    text = _harmless(name)
    task = parse_task_name(text)
    if task is None and not _BARE.fullmatch(text):
        raise UsageError(f"{name!r} is not a task name", hint="type US-104, PRIORITY-25, T001 or the number alone")
    found = _by_name(task, items) if task else _by_number(text, items)
    if not found:
        raise UsageError(f"no task {text} in the roadmap", hint=_nearest(text, items))
    if len(found) > 1:
        names = ", ".join(_describe(item) for item in found)
        raise UsageError(f"{text} is ambiguous", hint=f"type one of: {names}")
    return found[0].id


def _harmless(name: str) -> str:
    if len(name) > MAX_NAME:
        raise UsageError(f"a task name of {len(name)} characters is refused", hint="type for example US-104")
    if not name.isprintable():
        raise UsageError(f"task name {name!a} holds control characters", hint="type for example US-104")
    return name.strip()


def _by_name(task: TaskId, items: Iterable[RoadmapItem]) -> list[RoadmapItem]:
    wanted = task_key(task)
    exact = [item for item in items if task_key(item.id) == wanted]
    return exact or [item for item in items if wanted in map(task_key, item.aliases)]


def _by_number(number: str, items: Iterable[RoadmapItem]) -> list[RoadmapItem]:
    wanted = number_key(number)
    return [item for item in items if any(task_key(name).number == wanted for name in (item.id, *item.aliases))]


def _describe(item: RoadmapItem) -> str:
    return f"{item.id} ({', '.join(item.aliases)})" if item.aliases else item.id


def _nearest(text: str, items: Sequence[RoadmapItem]) -> str:
    import difflib

    known: dict[str, TaskId] = {name: item.id for item in items for name in (item.id, *item.aliases)}
    wanted = text.upper().replace(" ", "-")
    if "-" not in wanted and not is_listed(wanted):
        wanted = f"US-{wanted}"
    close = difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)
    if not close:
        return "see the ids with: coffee evaluate --all"
    return f"did you mean {', '.join(dict.fromkeys(known[name] for name in close))}?"
