"""Signs of life of an agent: bytes in its log, commits, files that it changes, work of the processor."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from coffee_hooks.base.worktrees import pointer_of

NOT_WORK = frozenset((".git", "node_modules", ".venv"))
MOST_FILES = 20_000
"""Files that one look takes in; a change in the rest of a larger tree shows in the log and the commits."""

LONGEST_WALK_PAUSE = 30.0
BUSY = 0.1
"""Share of one processor that is work: a program that only waits uses far less."""


def fingerprint(top: Path, most: int = MOST_FILES) -> int:
    """A number that differs, for all practical purposes, once a file below *top* was changed, made or removed."""
    total, left = 0, [os.fspath(top)]
    while left and most >= 0:  # no recursion: a program that copies a folder into itself makes thousands of levels
        place = left.pop()
        total ^= _state(place)
        with contextlib.suppress(OSError), os.scandir(place) as found:
            for entry in found:
                if not entry.is_dir(follow_symlinks=False):
                    total, most = total ^ _state(entry.path), most - 1
                elif entry.name not in NOT_WORK:
                    left.append(entry.path)
    return total


def _state(path: str) -> int:
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return hash((path, found.st_mtime_ns, found.st_size))


def cheap_signs(log: Path, git_dir: Path | None) -> tuple[int, ...]:
    """What costs two looks: the size of the log, and the journal of HEAD, which grows with every commit."""
    return (_size(log), _size(git_dir / "logs" / "HEAD") if git_dir else 0)


@dataclass(slots=True)
class Silence:
    """How long an agent gave no sign. Times are seconds of one monotonic clock.

    *used* says how many seconds of the processor the agent and all that it started have used.
    """

    log: Path
    worktree: Path
    idle_timeout: float
    last_sign: float
    used: Callable[[], float]
    last_walk: float = field(init=False)
    git_dir: Path | None = field(init=False)
    cheap: tuple[int, ...] = field(init=False)
    files: int = field(init=False)
    worked: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.git_dir = pointer_of(self.worktree)
        self.last_walk = self.last_sign
        self.cheap = cheap_signs(self.log, self.git_dir)
        self.files = fingerprint(self.worktree)

    def seconds(self, now: float) -> float:
        """Seconds since the last sign; looks at files and processes only when nothing else speaks."""
        if (cheap := cheap_signs(self.log, self.git_dir)) != self.cheap:
            self.cheap, self.last_sign = cheap, now
        elif self._worth_a_walk(now):
            since, before = now - self.last_walk, self.worked
            self.last_walk, self.worked = now, self.used()
            if self.worked - before > BUSY * since:
                self.last_sign = now
            elif (files := fingerprint(self.worktree)) != self.files:
                self.files, self.last_sign = files, now
        return now - self.last_sign

    def _worth_a_walk(self, now: float) -> bool:
        overdue = now - self.last_sign > self.idle_timeout
        return overdue or now - max(self.last_walk, self.last_sign) > min(LONGEST_WALK_PAUSE, self.idle_timeout / 10)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
