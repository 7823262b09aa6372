"""Agent runs: who was started where, the last sign of life, and how it ended. Times are UNIX seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from coffee_hooks.state.store import Store


class EndReason(str, Enum):
    """Why a run is over. ``LOST``: nobody saw it end."""

    DONE = "done"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    STALLED = "stalled"
    CANCELLED = "cancelled"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run cost as far as its program said so; None is unknown, never nothing.

    *cost_usd* is in US dollars. *tokens* are all of them, *tokens_in* what was sent (read from a cache or not),
    *tokens_out* what came back.
    """

    cost_usd: float | None = None
    tokens: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One start of one agent. A process is the same one only if pid, start time and boot id all are.

    The last four are those of a `Usage`: what the agent's program said at its end, None where it said nothing.
    """

    id: int
    task: str
    branch: str
    worktree: str
    attempt: int
    agent: str
    command: tuple[str, ...]
    supervisor_pid: int
    pid: int | None
    start_time: float | None
    """When the kernel made the process *pid*, as `base.process.Identity` has it."""
    boot_id: str
    log: str
    started: float
    last_sign: float
    ended: float | None
    exit_code: int | None
    reason: EndReason | None
    cost_usd: float | None = None
    tokens: int | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


_SELECT = """
    SELECT id, task, branch, worktree, attempt, agent, command, supervisor_pid, pid, start_time, boot_id, log,
           started, last_sign, ended, exit_code, reason, cost_usd, tokens, tokens_in, tokens_out
    FROM agent_runs
"""


def begin_run(
    store: Store,
    *,
    task: str,
    branch: str,
    worktree: str,
    attempt: int,
    agent: str,
    command: Sequence[str],
    supervisor_pid: int,
    boot_id: str,
    log: str,
    when: float,
) -> int:
    """Record that an agent is about to be started; returns the number of the run."""
    argv = json.dumps(list(command))
    started = store.write(
        "INSERT INTO agent_runs (task, branch, worktree, attempt, agent, command, supervisor_pid, boot_id,"
        " log, started, last_sign) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (task, branch, worktree, attempt, agent, argv, supervisor_pid, boot_id, log, when, when),
    )
    assert started.lastrowid is not None
    return started.lastrowid


def note_pid(store: Store, run_id: int, pid: int, start_time: float) -> None:
    """Record which process the agent is."""
    store.write("UPDATE agent_runs SET pid = ?, start_time = ? WHERE id = ?", (pid, start_time, run_id))


def note_supervisor(store: Store, run_id: int, pid: int) -> None:
    """Record which process watches the agent."""
    store.write("UPDATE agent_runs SET supervisor_pid = ? WHERE id = ?", (pid, run_id))


def heartbeat(store: Store, run_id: int, when: float) -> None:
    """Record a sign of life; an older sign than the known one changes nothing, nor does a forgotten run."""
    store.write("UPDATE agent_runs SET last_sign = max(last_sign, ?) WHERE id = ?", (when, run_id))


def end_run(store: Store, run_id: int, when: float, exit_code: int | None, reason: EndReason) -> None:
    """Record the end. The first word counts, except that an end that was seen replaces ``LOST``."""
    store.write(
        "UPDATE agent_runs SET ended = ?, exit_code = ?, reason = ? WHERE id = ? AND (ended IS NULL OR reason = ?)",
        (when, exit_code, EndReason(reason).value, run_id, EndReason.LOST.value),
    )


def note_usage(store: Store, run_id: int, usage: Usage) -> None:
    """Record what the run cost, as its program told it."""
    store.write(
        "UPDATE agent_runs SET cost_usd = ?, tokens = ?, tokens_in = ?, tokens_out = ? WHERE id = ?",
        (usage.cost_usd, usage.tokens, usage.tokens_in, usage.tokens_out, run_id),
    )


def active_runs(store: Store) -> list[AgentRun]:
    """Runs without a recorded end, oldest first."""
    return _runs(store, "WHERE ended IS NULL")


def runs_of(store: Store, task: str) -> list[AgentRun]:
    """Every run of *task*, oldest first."""
    return _runs(store, "WHERE task = ?", task)


def all_runs(store: Store) -> list[AgentRun]:
    """Every run, oldest first."""
    return _runs(store)


def latest_run(store: Store, task: str) -> AgentRun | None:
    """The run of *task* that was begun last."""
    runs = runs_of(store, task)
    return runs[-1] if runs else None


def _runs(store: Store, which: str = "", *values: str) -> list[AgentRun]:
    try:
        return [_run(row) for row in store.rows(f"{_SELECT} {which} ORDER BY id", values)]
    except (ValueError, TypeError) as broken:
        raise store.damaged(str(broken)) from broken


def _run(row: tuple[Any, ...]) -> AgentRun:
    run = AgentRun(*row)
    if not {type(run.started), type(run.last_sign), type(run.ended)} <= {int, float, type(None)}:
        raise ValueError(f"the times of run {run.id} are none")
    reason = EndReason(run.reason) if run.reason else None
    return replace(run, command=tuple(json.loads(row[6])), reason=reason)
