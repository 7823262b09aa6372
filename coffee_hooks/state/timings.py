"""How long each phase of a task took: the numbers behind the metrics. Times are UNIX seconds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.state.store import Store


class Phase(str, Enum):
    """What was timed. A claim is as long as it takes from there to an agent at work, a detection from the agent's end.

    A gate run belongs to all branches that it tested, their names apart by blanks, or to none: then to the target.
    """

    CLAIM = "claim"
    WORKTREE = "worktree"
    AGENT = "agent"
    DETECTION = "detection"
    GATE = "gate"
    MERGE = "merge"
    CLEANUP = "cleanup"


@dataclass(frozen=True, slots=True)
class Timing:
    """One phase of one task from *started* to *ended*; *detail* is its outcome in a word (``landed``), and
    with a reason behind a colon (``conflict: conflicts in pkg/a.py``).
    """

    task: str
    branch: str
    phase: Phase
    started: float
    ended: float
    detail: str = ""


def record_timing(store: Store, timing: Timing) -> None:
    """Keep *timing*."""
    store.write(
        "INSERT INTO timings (task, branch, phase, started, ended, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (timing.task, timing.branch, Phase(timing.phase).value, timing.started, timing.ended, timing.detail),
    )


def note(store: Store, timing: Timing) -> None:
    """Keep *timing* where that is possible: a number for the metrics is no reason to stop or to undo anything."""
    with contextlib.suppress(CoffeeError):
        record_timing(store, timing)


def last_timing(store: Store, branch: str, phase: Phase) -> Timing | None:
    """What was recorded last of *branch* and *phase*, None when nothing was."""
    found = store.rows(
        "SELECT task, started, ended, detail FROM timings WHERE branch = ? AND phase = ? ORDER BY id DESC LIMIT 1",
        (branch, phase.value),
    )
    return Timing(found[0][0], branch, phase, *found[0][1:]) if found else None


def timings(store: Store) -> list[Timing]:
    """Everything that was timed, in the order it was recorded."""
    found = store.rows("SELECT task, branch, phase, started, ended, detail FROM timings ORDER BY id")
    return [Timing(task, branch, Phase(phase), *rest) for task, branch, phase, *rest in found]
