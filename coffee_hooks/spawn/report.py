"""What one call of spawn did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.model import Sha, TaskId


@dataclass(frozen=True, slots=True)
class Spawned:
    """A task whose agent runs."""

    task: TaskId
    branch: str
    worktree: Path
    base: Sha
    pid: int
    agent: str
    log: Path
    attempt: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that was not started: a stable reason code and one sentence."""

    task: TaskId
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class SpawnReport:
    """Everything that one call did."""

    spawned: tuple[Spawned, ...]
    skipped: tuple[Skipped, ...]
