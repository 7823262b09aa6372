"""Edits that may have escaped: made in the main checkout while an agent that has its own was at work.

Nobody can know whose hand it was, so two things must come together. The file was changed (its time says so) while the
agent of a task that has not landed ran. And that task has to do with the file: the agent's log names it with the path
of the main checkout, its branch changes the same file, or it was foreseen to. What every task may touch (change logs,
lock files, the roadmap) is left out: people edit that all the time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from coffee_hooks.base.model import TaskId
from coffee_hooks.ready.uncommitted import uncommitted

LOG_BYTES = 1 << 20
"""The end of a log in which names are looked for."""

# Behind a name: neither more of it nor of a longer one; but a sentence may end there.
_END = re.compile(rb"(?![\w/-]|\.\w)")


class Evidence(IntEnum):
    """Why an edit is put down to a task, the strongest last."""

    FOOTPRINT = 1
    TOUCHED = 2
    LOG = 3


@dataclass(frozen=True, slots=True)
class Edit:
    """An uncommitted change of the main checkout. *changed* is UNIX time, of a deletion the latest it can have been."""

    path: str
    changed: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A task at work elsewhere. *spans* are when its agent ran: start and end in UNIX time, no end while it runs.

    *touched* are the paths that its branch changes, *named* those that its log names in the main checkout.
    """

    task: TaskId
    branch: str
    spans: tuple[tuple[float, float | None], ...]
    touched: AbstractSet[str]
    foreseen: Callable[[str], bool]
    named: AbstractSet[str] = frozenset()

    def ran_at(self, when: float) -> bool:
        """Whether its agent was at work then."""
        return any(start <= when and (end is None or when <= end) for start, end in self.spans)

    def evidence(self, path: str) -> Evidence | None:
        """The strongest evidence that it has to do with *path*."""
        if path in self.named:
            return Evidence.LOG
        if path in self.touched:
            return Evidence.TOUCHED
        return Evidence.FOOTPRINT if self.foreseen(path) else None


@dataclass(frozen=True, slots=True)
class Escaped:
    """*path* of the main checkout was changed while *task* ran; None where the evidence speaks for several alike."""

    path: str
    task: TaskId | None
    branch: str | None
    changed: float
    evidence: Evidence


def find_escaped(
    edits: Iterable[Edit], suspects: Sequence[Suspect], shared: Callable[[str], bool]
) -> tuple[Escaped, ...]:
    """The edits that may be a task's, by path. Pure."""
    found = []
    for edit in sorted(edits, key=lambda each: each.path):
        told = [] if shared(edit.path) else list(_accused(edit, suspects))
        if told:
            strongest = max(evidence for _, evidence in told)
            likely = [suspect for suspect, evidence in told if evidence is strongest]
            one = likely[0] if len(likely) == 1 else None
            task, branch = (one.task, one.branch) if one else (None, None)
            found.append(Escaped(edit.path, task, branch, edit.changed, strongest))
    return tuple(found)


def _accused(edit: Edit, suspects: Iterable[Suspect]) -> Iterator[tuple[Suspect, Evidence]]:
    for suspect in suspects:
        if suspect.ran_at(edit.changed) and (evidence := suspect.evidence(edit.path)):
            yield suspect, evidence


def edits_of(main: Path) -> tuple[Edit, ...]:
    """What is uncommitted in the checkout *main*. One git process. Raises GitFailed."""
    return tuple(Edit(path, _changed(main / path)) for path in uncommitted(main) if not path.endswith("/"))


def _changed(path: Path) -> float:
    """When *path* was changed last; of one that is gone, when something last came or went in its folder."""
    while True:
        try:
            return path.lstat().st_mtime
        except OSError:
            if path.parent == path:
                return 0.0
            path = path.parent


def named_in(log: Path, main: Path, paths: Sequence[str]) -> frozenset[str]:
    """Those of *paths* that the end of *log* names with the path of the checkout *main*; none if it cannot be read."""
    if not paths:
        return frozenset()
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            said = file.read(LOG_BYTES)
    except OSError:
        return frozenset()
    top = os.fsencode(main) + b"/"
    wanted = {os.fsencode(path): path for path in paths}
    longest = max(map(len, wanted))
    found: set[bytes] = set()
    for start in re.finditer(re.escape(top), said):
        rest = said[start.end() : start.end() + longest + 2]
        found.update(name for end in _END.finditer(rest) if (name := rest[: end.start()]) in wanted)
    return frozenset(wanted[name] for name in found)
