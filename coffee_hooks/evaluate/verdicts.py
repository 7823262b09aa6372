"""The answer of an evaluation as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.model import Notice, Sha, Status, TaskId
from coffee_hooks.evaluate.collisions import Pair
from coffee_hooks.evaluate.footprint import Footprint, Scope
from coffee_hooks.evaluate.order import Edge
from coffee_hooks.evaluate.schedule import Schedule


class Standing(Enum):
    """What may become of a task: it can be chosen, it is being worked on, or it is done."""

    CANDIDATE = "candidate"
    RUNNING = "running"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One task. *line* is that of the roadmap, 0 when it is not in there.

    *needs* are what has to land first. *wave* counts from 1, None when the task is not scheduled or can never start.
    *hours* are what its text says of the effort.
    """

    task: TaskId
    title: str
    status: Status
    standing: Standing
    line: int
    spec: str | None
    footprint: Footprint
    can_parallel: bool
    needs: tuple[Edge, ...] = ()
    collides_with: tuple[TaskId, ...] = ()
    wave: int | None = None
    hours: float | None = None

    @property
    def blocked_by(self) -> tuple[TaskId, ...]:
        """What has to land first, in the order of the roadmap."""
        return tuple(edge.on for edge in self.needs)

    @property
    def independent(self) -> bool:
        """It collides with no evaluated or running task, its scope is known and it waits for nobody."""
        return not self.collides_with and not self.needs and self.footprint.scope is not Scope.UNKNOWN


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every evaluated and running task, and every pair of them, in the order of the roadmap."""

    base: Sha
    roadmap: str
    threshold: float
    verdicts: tuple[Verdict, ...]
    pairs: tuple[Pair, ...]
    schedule: Schedule
    warnings: tuple[Notice, ...] = ()

    @property
    def selected(self) -> tuple[TaskId, ...]:
        """The tasks that may start now."""
        return self.schedule.selected

    def verdict(self, task: TaskId) -> Verdict | None:
        """The verdict on *task*, None when it was not evaluated."""
        return next((each for each in self.verdicts if each.task == task), None)
