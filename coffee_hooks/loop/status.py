"""Where everything stands: tasks, agents, branches, overlaps, and two counters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.project import Project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.ready.observe import Readiness, detect_ready
from coffee_hooks.ready.report import overlap_json
from coffee_hooks.state.agent_state import Doing, what_agents_do
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.claims import Claim, read_claims
from coffee_hooks.state.facts import fact
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Facts read at one moment."""

    claims: tuple[Claim, ...]
    doing: tuple[Doing, ...]
    readiness: Readiness
    completed: int
    last_cleanup: float | None


def read_status(project: Project, store: Store) -> StatusReport:
    """Read it all; no network."""
    claims = sorted(read_claims(project.repo).values(), key=lambda claim: (claim.since, claim.task))
    doing = what_agents_do(project.repo.state_dir, store)
    cleaned = fact(store, "last_cleanup")
    return StatusReport(
        tuple(claims), tuple(doing.values()), detect_ready(project, store, read_target(project)),
        int(fact(store, "parallel_executions_completed") or 0), float(cleaned) if cleaned else None,
    )  # fmt: skip


def word_for(doing: Doing) -> str:
    """working, done, stuck or dead."""
    if doing.running:
        return "working"
    if doing.lost:
        return "dead"
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
            {"task": d.run.task, "branch": d.run.branch, "worktree": d.run.worktree, "pid": d.run.pid, "state": word_for(d),
             "reason": d.run.reason.value if d.run.reason else None, "exit_code": d.run.exit_code,
             "attempt": d.run.attempt, "started": d.run.started, "last_sign": d.run.last_sign, "ended": d.run.ended,
             "log": d.run.log}
            for d in status.doing
        ],
        "branches": [
            {"branch": c.branch.name, "task": c.task, "sha": c.branch.tip, "commits_ahead": c.commits_ahead,
             "ready": c.ready, "reasons": [r.code.value for r in c.reasons]}
            for c in status.readiness.candidates
        ],
        "overlaps": [overlap_json(overlap) for overlap in status.readiness.overlaps],
        "state": {"parallel_executions_completed": status.completed, "last_cleanup": status.last_cleanup},
    }  # fmt: skip


def to_text(status: StatusReport) -> str:
    """A table of tasks, one line each, then what wants a look."""
    doing = {d.run.branch: d for d in status.doing}
    ready = {c.branch.name: c for c in status.readiness.candidates}
    rows = [("task", "state", "branch", "agent", "commits", "next")]
    for claim in status.claims:
        candidate, agent = ready.get(claim.branch), doing.get(claim.branch)
        then = "" if candidate is None else "ready" if candidate.ready else candidate.reasons[0].code.value
        rows.append(
            (claim.task, claim.state.value, claim.branch, word_for(agent) if agent else "-",
             str(candidate.commits_ahead) if candidate else "-", then)
        )  # fmt: skip
    claimed = {claim.branch for claim in status.claims}
    for candidate in status.readiness.candidates:
        if candidate.branch.name not in claimed:
            then = "ready" if candidate.ready else candidate.reasons[0].code.value
            rows.append((candidate.task or "-", "-", candidate.branch.name, "-", str(candidate.commits_ahead), then))
    if len(rows) == 1:
        return "nothing is claimed and no roadmap-* branch is open; start with: coffee run"
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(printable(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += [f"{claim.task}: {one_line(claim.reason)}" for claim in status.claims if claim.reason]
    lines += [
        f"{'conflict' if o.conflict else 'overlap'}: {printable(o.a)} and {printable(o.b)} in {printable(', '.join(o.paths[:3]))}"
        for o in status.readiness.overlaps
    ]
    return "\n".join(lines)
