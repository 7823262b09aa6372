"""Which branches have a living agent or supervisor. A failed probe is unknown, and unknown counts as living."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path

from coffee_hooks.base.identity import Identity, alive, boot_id, identify
from coffee_hooks.base.process import group_members
from coffee_hooks.state.agents import AgentRun, EndReason

ORDER_BYTES = 1 << 22

STARTING_SECONDS = 60.0
"""How long a run that was begun may take to tell its first process."""


def running_branches(runs: Iterable[AgentRun], state_dir: Path, now: float) -> dict[str, str]:
    """For each branch with a living process, what it is. *now* is UNIX time.

    Asks the kernel, not the database: a supervisor holds a lock on its order file for as long as it lives, also when
    the database was deleted; an agent is known by pid, start time and boot.
    """
    found = dict.fromkeys(_supervised(state_dir), "its supervisor")
    for run in runs:
        if words := _living(run, now):
            found[run.branch] = words
    return found


def _supervised(state_dir: Path) -> set[str]:
    """The branches in the order files that are locked."""
    branches = set()
    for path in sorted((state_dir / "agents").glob("*.json")):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # its supervisor has just ended
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                branches.add(str(json.loads(os.pread(descriptor, ORDER_BYTES, 0))["branch"]))
        finally:
            os.close(descriptor)
    return branches


def _living(run: AgentRun, now: float) -> str | None:
    if run.boot_id != boot_id():
        return None
    if run.pid is None or run.start_time is None:
        return "its starting agent" if run.ended is None and now - run.started < STARTING_SECONDS else None
    if alive(Identity(run.pid, run.start_time, run.boot_id)):
        return f"its agent (PID {run.pid})"
    # The leader is gone; what it started may live on in its group. An end that somebody saw means an empty group,
    # and so does a new process with the leader's pid.
    seen = run.ended is not None and run.reason is not EndReason.LOST
    if not seen and identify(run.pid) is None and group_members(run.pid):
        return f"what its agent (PID {run.pid}) started"
    return None
