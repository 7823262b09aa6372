"""Where everything stands: tasks, agents, branches, the queue, what the radar shows, and two counters."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.loop.board import StatusReport, spent_on, to_text, word_for
from coffee_hooks.loop.exchange import catch_up
from coffee_hooks.loop.radar import scan
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.ready.report import radar_json
from coffee_hooks.state.agent_state import Doing, look
from coffee_hooks.state.agents import AgentRun, EndReason, all_runs
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.facts import fact
from coffee_hooks.state.store import Store, open_store


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
        float(cleaned) if cleaned else None, spent_on(runs),
    )  # fmt: skip


def ran_beside_another(claims: Iterable[Claim], runs: Sequence[AgentRun]) -> int:
    """How many landed tasks had an agent that ran at the same time as the agent of another task. Pure."""
    landed = {claim.branch for claim in claims if claim.state is ClaimState.LANDED}
    return len({a.branch for a in runs if a.branch in landed and any(_overlap(a, b) for b in runs)})


def _overlap(a: AgentRun, b: AgentRun) -> bool:
    forever = float("inf")
    return a.task != b.task and a.started < (b.ended or forever) and b.started < (a.ended or forever)


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
             "log": d.run.log, "agent": d.run.agent, **_cost(d.run)}
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


def show_status(start: Path, watching: bool) -> int:
    """Answer ``coffee status``; *watching*: again whenever it has changed, until Ctrl-C."""
    if watching:
        from coffee_hooks.loop.watch import watch

        return watch(start, _read, to_json)
    project = open_project(start)
    catch_up(project)
    found = _read(project)
    output.answer_json("status", to_json(found))
    output.answer(to_text(found))
    return 0


def _read(project: Project) -> StatusReport:
    with open_store(project.repo.state_dir) as store:
        return read_status(project, store)
