"""What each agent is doing, from facts before records: its supervisor's lock, then its process, then its row."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.identity import Identity, alive
from coffee_hooks.state.agents import AgentRun, EndReason, all_runs
from coffee_hooks.state.order import supervised
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Doing:
    """The latest run of a branch. *running* is a fact; *failed* means that it ended and not well."""

    run: AgentRun
    running: bool
    lost: bool

    @property
    def failed(self) -> bool:
        """Whether it ended without success."""
        return not self.running and (self.lost or self.run.reason not in (None, EndReason.DONE))

    @property
    def detail(self) -> str:
        """One clause for people."""
        if self.running:
            minutes = int(max(0.0, time.time() - self.run.started) // 60)
            return f"its agent is still at work (PID {self.run.pid}, {minutes} min)"
        if self.lost:
            return "its agent vanished without a word"
        if self.run.reason is EndReason.DONE:
            return "its agent has ended"
        code = "" if self.run.exit_code is None else f", exit code {self.run.exit_code}"
        return f"its agent ended: {self.run.reason.value if self.run.reason else 'unknown'}{code}"


def what_agents_do(state_dir: Path, store: Store) -> Mapping[str, Doing]:
    """The latest run of every branch."""
    return {run.branch: look(state_dir, run) for run in all_runs(store)}


def look(state_dir: Path, run: AgentRun) -> Doing:
    """Whether *run* still goes on. Unknown is not dead: a process we may not look at counts as running."""
    if run.ended is not None:
        return Doing(run, False, False)
    if supervised(state_dir, run.id) or process_alive(run):
        return Doing(run, True, False)
    return Doing(run, False, True)


def process_alive(run: AgentRun) -> bool:
    """Whether the agent's own process still runs, whatever became of its supervisor."""
    if run.pid is None or run.start_time is None:
        return False
    return alive(Identity(run.pid, run.start_time, run.boot_id))
