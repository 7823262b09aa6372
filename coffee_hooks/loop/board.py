"""What the status says, row by row: pure decisions over one report, for every way of showing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from coffee_hooks.base.cells import cells, padded
from coffee_hooks.base.model import Sha
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.ready.judge import Code
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.radar import Radar
from coffee_hooks.ready.report import radar_lines
from coffee_hooks.state.agent_state import Doing
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState

IDLE_SECONDS = 300.0
"""An agent at work that gave no sign of life for so long is called idle."""
NOTHING = "nothing is claimed and no roadmap-* branch is open; start with: coffee run"

_TO_REPAIR = frozenset((Code.CONFLICT, Code.GATE_FAILED, Code.REVIEW_REJECTED, Code.AGENT_FAILED))


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Facts read at one moment; *now* and *last_cleanup* are UNIX seconds.

    *spent* is what all attempts on a branch cost, in US dollars, as far as their programs said.
    """

    now: float
    claims: tuple[Claim, ...]
    doing: tuple[Doing, ...]
    readiness: Readiness
    radar: Radar
    completed: int
    last_cleanup: float | None
    spent: Mapping[str, float] = field(default_factory=dict)


class Phase(Enum):
    """How far a task or a branch has come, what goes on first."""

    WORK = "work"
    START = "start"
    """Claimed, and no agent yet."""
    REPAIR = "repair"
    """It cannot land as it is; its agent is started again, or a person is asked."""
    BLOCKED = "blocked"
    REVIEW = "review"
    QUEUE = "queue"
    WAIT = "wait"
    """Something else is missing before it may land."""
    REVERTED = "reverted"
    RELEASED = "released"
    LANDED = "landed"


@dataclass(frozen=True, slots=True)
class Row:
    """A claim, or an open branch that nobody claimed. None is what there is not.

    *elapsed* are the seconds that its latest agent ran so far, *silent* those since its last sign of life while it
    runs. *verdict* is ``ready`` or the first reason why not. *cost* is that of all attempts, in US dollars.
    """

    task: str | None
    state: str | None
    phase: Phase
    branch: str
    agent: str | None
    word: str | None
    elapsed: float | None
    silent: float | None
    commits: int | None
    verdict: str | None
    cost: float | None


def rows(status: StatusReport) -> tuple[Row, ...]:
    """Claims, the oldest first, then the open branches that nobody claimed."""
    doing = {d.run.branch: d for d in status.doing}
    open_ = {c.branch.name: c for c in status.readiness.candidates}
    claimed = {claim.branch for claim in status.claims}
    return (
        *(_row(status, c.branch, c.task, c, doing.get(c.branch), open_.get(c.branch)) for c in status.claims),
        *(_row(status, name, c.task, None, None, c) for name, c in open_.items() if name not in claimed),
    )


def _row(
    status: StatusReport, branch: str, task: str | None, claim: Claim | None, doing: Doing | None,
    found: Candidate | None,
) -> Row:  # fmt: skip
    now, run = status.now, doing.run if doing else None
    running = doing is not None and doing.running
    return Row(
        task, claim.state.value if claim else None, phase_of(claim, doing, found), branch,
        run.agent if run else None, word_for(doing, now) if doing else None,
        max(0.0, (now if running else run.ended or run.last_sign) - run.started) if run else None,
        max(0.0, now - run.last_sign) if run and running else None,
        found.commits_ahead if found else None, verdict_of(found), status.spent.get(branch),
    )  # fmt: skip


def spent_on(runs: Iterable[AgentRun]) -> dict[str, float]:
    """What the runs on each branch cost together, where at least one of them said."""
    spent: dict[str, float] = {}
    for run in runs:
        if run.cost_usd is not None:
            spent[run.branch] = spent.get(run.branch, 0.0) + run.cost_usd
    return spent


def word_for(doing: Doing, now: float) -> str:
    """working, idle, done, stuck or dead."""
    if doing.running:
        return "idle" if now - doing.run.last_sign > IDLE_SECONDS else "working"
    if doing.run.reason is EndReason.DONE:
        return "done"
    return "stuck" if doing.run.reason in (EndReason.STALLED, EndReason.TIMED_OUT) else "dead"


def phase_of(claim: Claim | None, doing: Doing | None, found: Candidate | None) -> Phase:
    """The phase of a claim, its agent and its branch, as far as there are any."""
    if doing is not None and doing.running:
        return Phase.WORK
    if claim is not None and claim.state not in (ClaimState.CLAIMED, ClaimState.DONE):
        return Phase(claim.state.value)
    if found is not None and found.ready:
        return Phase.QUEUE
    if found is not None and found.codes == {Code.REVIEW_PENDING}:
        return Phase.REVIEW
    if found is not None and found.codes & _TO_REPAIR:
        return Phase.REPAIR
    return Phase.START if claim is not None and doing is None and claim.state is ClaimState.CLAIMED else Phase.WAIT


def verdict_of(found: Candidate | None) -> str | None:
    """``ready``, or the code of the first thing that stands in the way of a branch."""
    if found is None:
        return None
    return "ready" if found.ready else found.reasons[0].code.value


def queue(status: StatusReport) -> tuple[tuple[str, str], ...]:
    """What is finished, in the order in which it lands, each branch with its verdict."""
    done = {claim.branch for claim in status.claims if claim.state is ClaimState.DONE}
    found = sorted(status.readiness.candidates, key=lambda c: not c.ready)  # stable: the order stays
    return tuple((c.branch.name, verdict_of(c) or "") for c in found if c.ready or c.branch.name in done)


def notes(status: StatusReport) -> Iterator[str]:
    """One line for everything that wants a look: reasons of claims, then what the radar shows."""
    for claim in status.claims:
        if claim.reason:
            yield f"{printable(claim.task)}: {one_line(claim.reason)}"
    yield from radar_lines(status.radar)


def target_of(status: StatusReport) -> tuple[str, Sha]:
    """The branch that everything lands on, and where it is."""
    return status.readiness.target, status.readiness.target_sha


def to_text(status: StatusReport) -> str:
    """A table of tasks, one line each, then what wants a look and what lands next. Pure."""
    found = rows(status)
    if not found:
        return NOTHING
    table = [("task", "state", "branch", "agent", "commits", "next")]
    for row in found:
        commits = "-" if row.commits is None else str(row.commits)
        table.append((row.task or "-", row.state or "-", row.branch, row.word or "-", commits, row.verdict or ""))
    ready = [printable(name) for name, verdict in queue(status) if verdict == "ready"]
    return "\n".join([*_aligned(table), *notes(status), *([f"queue: {', '.join(ready)}"] if ready else [])])


def _aligned(table: Sequence[tuple[str, ...]]) -> list[str]:
    shown = [[printable(cell) for cell in row] for row in table]
    widths = [max(map(cells, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]


def brief_time(seconds: float) -> str:
    """``45s``, ``12m``, ``3h05``, ``2d04h``: never more than six characters for less than a hundred days."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if minutes < 1:
        return f"{max(0, int(seconds))}s"
    if hours < 1:
        return f"{minutes}m"
    return f"{hours}h{minutes % 60:02}" if days < 1 else f"{days}d{hours % 24:02}h"
