"""Where everything stands: tasks, agents, branches, the queue, what the radar shows, and two counters."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.loop.exchange import catch_up
from coffee_hooks.loop.radar import scan
from coffee_hooks.ready.observe import Candidate, Readiness, detect_ready
from coffee_hooks.ready.radar import Radar
from coffee_hooks.ready.report import radar_json, radar_lines
from coffee_hooks.state.agent_state import Doing, look
from coffee_hooks.state.agents import AgentRun, EndReason, all_runs
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.facts import fact
from coffee_hooks.state.store import Store, open_store

WATCH_SECONDS = 5.0
IDLE_SECONDS = 300.0
"""An agent at work that gave no sign of life for so long is called idle."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Facts read at one moment; *now* and *last_cleanup* are UNIX seconds."""

    now: float
    claims: tuple[Claim, ...]
    doing: tuple[Doing, ...]
    readiness: Readiness
    radar: Radar
    completed: int
    last_cleanup: float | None


def read_status(project: Project, store: Store) -> StatusReport:
    """Read it all; no network. Raises UsageError without a target branch or when it has diverged."""
    found = read_claims(project.repo)
    claims = sorted(found.values(), key=lambda claim: (claim.since, claim.task))
    runs = all_runs(store)
    latest = {run.branch: run for run in runs}
    cleaned = fact(store, "last_cleanup")
    readiness = detect_ready(project, store, read_target(project), claims=found)
    return StatusReport(
        time.time(), tuple(claims), tuple(look(project.repo.state_dir, run) for run in latest.values()),
        readiness, scan(project, store, readiness, found), ran_beside_another(claims, runs),
        float(cleaned) if cleaned else None,
    )  # fmt: skip


def ran_beside_another(claims: Iterable[Claim], runs: Sequence[AgentRun]) -> int:
    """How many landed tasks had an agent that ran at the same time as the agent of another task. Pure."""
    landed = {claim.branch for claim in claims if claim.state is ClaimState.LANDED}
    return len({a.branch for a in runs if a.branch in landed and any(_overlap(a, b) for b in runs)})


def _overlap(a: AgentRun, b: AgentRun) -> bool:
    forever = float("inf")
    return a.task != b.task and a.started < (b.ended or forever) and b.started < (a.ended or forever)


def word_for(doing: Doing, now: float) -> str:
    """working, idle, done, stuck or dead."""
    if doing.running:
        return "idle" if now - doing.run.last_sign > IDLE_SECONDS else "working"
    if doing.run.reason is EndReason.DONE:
        return "done"
    return "stuck" if doing.run.reason in (EndReason.STALLED, EndReason.TIMED_OUT) else "dead"


def to_json(status: StatusReport) -> dict[str, Any]:
    """The object of ``status --json``."""
    return {
        "tasks": [
            {"task": c.task, "branch": c.branch, "state": c.state.value, "attempt": c.attempt, "owner": c.owner,
             "since": c.since, "reason": c.reason}
            for c in status.claims
        ],
        "agents": [
            {"task": d.run.task, "branch": d.run.branch, "worktree": d.run.worktree, "pid": d.run.pid,
             "state": word_for(d, status.now), "reason": _reason(d), "exit_code": d.run.exit_code,
             "attempt": d.run.attempt, "started": d.run.started, "last_sign": d.run.last_sign, "ended": d.run.ended,
             "log": d.run.log, **_cost(d.run)}
            for d in status.doing
        ],
        "branches": [
            {"branch": c.branch.name, "task": c.task, "sha": c.branch.tip, "commits_ahead": c.commits_ahead,
             "ready": c.ready, "reasons": [r.code.value for r in c.reasons]}
            for c in status.readiness.candidates
        ],
        **radar_json(status.radar),
        "state": {"parallel_executions_completed": status.completed, "last_cleanup": status.last_cleanup},
    }  # fmt: skip


def _cost(run: AgentRun) -> dict[str, float | None]:
    """What an ended run cost; of one that goes on nobody can say yet."""
    if run.ended is None:
        return {}
    return {"cost_usd": run.cost_usd, "tokens": run.tokens, "tokens_in": run.tokens_in, "tokens_out": run.tokens_out}


def _reason(doing: Doing) -> str | None:
    if doing.lost:
        return EndReason.LOST.value
    return doing.run.reason.value if doing.run.reason else None


def to_text(status: StatusReport) -> str:
    """A table of tasks, one line each, then what wants a look and what lands next."""
    doing = {d.run.branch: d for d in status.doing}
    open_ = {c.branch.name: c for c in status.readiness.candidates}
    claimed = {claim.branch for claim in status.claims}
    rows = [("task", "state", "branch", "agent", "commits", "next")]
    for claim in status.claims:
        agent = doing.get(claim.branch)
        word = word_for(agent, status.now) if agent else "-"
        rows.append((claim.task, claim.state.value, claim.branch, word, *_progress(open_.get(claim.branch))))
    for name, candidate in open_.items():
        if name not in claimed:
            rows.append((candidate.task or "-", "-", name, "-", *_progress(candidate)))
    if len(rows) == 1:
        return "nothing is claimed and no roadmap-* branch is open; start with: coffee run"
    lines = _aligned(rows)
    lines += [f"{claim.task}: {one_line(claim.reason)}" for claim in status.claims if claim.reason]
    lines += radar_lines(status.radar)
    queue = [printable(name) for name, candidate in open_.items() if candidate.ready]
    return "\n".join([*lines, *([f"queue: {', '.join(queue)}"] if queue else [])])


def _progress(candidate: Candidate | None) -> tuple[str, str]:
    if candidate is None:
        return "-", ""
    return str(candidate.commits_ahead), "ready" if candidate.ready else candidate.reasons[0].code.value


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]


def show_status(start: Path, watch: bool) -> int:
    """Answer ``coffee status``; with *watch* again whenever it has changed, until Ctrl-C."""
    shown: tuple[str, dict[str, Any]] | None = None
    caught_up = float("-inf")
    while True:
        project = open_project(start)
        if time.monotonic() - caught_up >= project.config.poll:
            catch_up(project)
            caught_up = time.monotonic()
        with open_store(project.repo.state_dir) as store:
            found = read_status(project, store)
        now = to_text(found), to_json(found)
        if now != shown:
            if watch and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
                output.answer("\x1b[H\x1b[2J" + time.strftime("%H:%M:%S"))
            output.answer_json("status", now[1])
            output.answer(now[0])
            shown = now
        if not watch:
            return 0
        time.sleep(WATCH_SECONDS)
