"""The words of the field as values: tasks, specs, branches, outcomes. No I/O, no clock, no git."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NewType

TaskId = NewType("TaskId", str)
"""Canonical task name: ``US-104`` (zero padding as in the roadmap), ``PRIORITY-25``, or ``T001`` of a task list."""

Sha = NewType("Sha", str)
"""A full 40-digit (or 64-digit) object name, never an abbreviation and never a ref."""


class Status(Enum):
    """Where an item of the roadmap stands; ``UNKNOWN`` when it says nothing we can read."""

    PLANNED = "planned"
    IN_PROGRESS = "in-progress"
    COMPLETE = "complete"
    BLOCKED = "blocked"
    MANUAL_REVIEW = "manual-review"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should look at that stops nothing. ``line`` is 1-based, 0 when unknown."""

    code: str
    message: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}: " if self.path and self.line else f"{self.path}: " if self.path else ""
        return f"{where}{self.message}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A task named as a dependency, with the line that says so."""

    task: TaskId
    line: int
    satisfied: bool
    """True when the text itself marks it complete (``US-062 ✅``)."""


@dataclass(frozen=True, slots=True)
class RoadmapItem:
    """One work item. Lines are 1-based and inclusive; ``text`` is the item's own lines, heading included."""

    id: TaskId
    title: str
    status: Status
    line: int
    end_line: int
    text: str
    aliases: tuple[TaskId, ...] = ()
    depends_on: tuple[Reference, ...] = ()
    blocks: tuple[Reference, ...] = ()
    weak: bool = False
    """Named only in a bullet: it exists, but nobody described it."""

    @property
    def us_number(self) -> str | None:
        """The digits of a ``US-`` id as written, None for any other."""
        return self.id[3:] if self.id.startswith("US-") else None


class PathKind(Enum):
    """How a spec names a place in the tree."""

    FILE = "file"
    GLOB = "glob"
    DIRECTORY = "directory"
    BARE = "bare"
    """A name without a folder (``daemon.py``): means every file of the tree with that name."""


class Intent(Enum):
    """Whether the spec says the path is written, or only talks about it."""

    WRITE = "write"
    MENTION = "mention"


@dataclass(frozen=True, slots=True)
class NamedPath:
    """A path, glob, directory or bare name found in a spec, at a 1-based line."""

    pattern: str
    kind: PathKind
    intent: Intent
    line: int


class SymbolKind(Enum):
    """What sort of shared structure a spec names."""

    CLASS = "class"
    FUNCTION = "function"
    TABLE = "table"
    ROUTE = "route"


class SymbolRole(Enum):
    """What the spec does with it."""

    INTRODUCES = "introduces"
    CHANGES = "changes"
    USES = "uses"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A class, function, table or route that a spec names, at a 1-based line."""

    name: str
    kind: SymbolKind
    role: SymbolRole
    line: int


@dataclass(frozen=True, slots=True)
class Spec:
    """One specification. ``readable`` is False when its bytes are not text: then the scope is unknown."""

    path: str
    title: str
    text: str
    readable: bool = True
    paths: tuple[NamedPath, ...] = ()
    symbols: tuple[Symbol, ...] = ()
    depends_on: tuple[Reference, ...] = ()
    warnings: tuple[Notice, ...] = field(default=())
    documents: tuple[str, ...] = ()
    """Paths of what else to read before doing its task."""
