"""What became of each task, put together from records that may be missing: claim, agents, tests, merge, landing.

The landing record is in git and complete. Everything else is from the local database, which may have been deleted or
be another machine's: a task whose claim is recorded here has all its later records here too, and only of such a task
may it be concluded that something did not happen (an agent at work when the database went may be missing beside it).
Times are UNIX seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.landings import Landing
from coffee_hooks.state.reverts import in_force
from coffee_hooks.state.timings import Phase, Timing

LANDED, CONFLICT, WORKING = "landed", "conflict", "working"
LATE = 600.0
"""Seconds within which a merge has noted the landing that the record knows to the second."""


@dataclass(frozen=True, slots=True)
class Spell:
    """Something that went on for a while. *outcome* is its end in a word, *reason* why."""

    started: float
    ended: float
    outcome: str = ""
    reason: str = ""

    @property
    def interval(self) -> tuple[float, float]:
        """From when to when."""
        return self.started, self.ended

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started


@dataclass(frozen=True, slots=True)
class Journey:
    """One task on one branch, from its claim to its removal.

    *claimed* is None where its records may be incomplete, *landed* where it did not land on the target or was taken
    back (*reverted*). *creation* is claim to agent, *detections* good end of an agent to notice of it. *state* and
    *reason* are those of its claim.
    """

    branch: str
    task: str | None = None
    claimed: float | None = None
    creation: Spell | None = None
    agents: tuple[Spell, ...] = ()
    detections: tuple[Spell, ...] = ()
    gates: tuple[Spell, ...] = ()
    merges: tuple[Spell, ...] = ()
    landed: float | None = None
    cleanup: Spell | None = None
    reverted: bool = False
    state: str = ""
    reason: str = ""

    @property
    def removed(self) -> float | None:
        """When its worktree and branch were gone."""
        return self.cleanup.ended if self.cleanup else None

    @property
    def conflict(self) -> float | None:
        """When the first conflict with the target was seen."""
        return min((merge.ended for merge in self.merges if merge.outcome == CONFLICT), default=None)

    @property
    def events(self) -> tuple[float, ...]:
        """Every moment that is known of it."""
        spells = (*self.agents, *self.detections, *self.gates, *self.merges)
        known = [self.claimed, self.landed, *(time for spell in spells for time in spell.interval)]
        known += self.cleanup.interval if self.cleanup else ()
        return tuple(sorted(time for time in known if time is not None))


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that is known here. *alive* are the numbers of the runs whose agents are at work at *now*."""

    target: str
    claims: Collection[Claim]
    landings: Sequence[Landing]
    timings: Sequence[Timing]
    runs: Sequence[AgentRun]
    alive: Collection[int]
    now: float


def journeys(records: Records) -> tuple[Journey, ...]:
    """The journey of every branch that is in *records*, by its first moment."""
    landed = _landed(records)
    timed = _by_branch(records.timings)
    runs: dict[str, list[AgentRun]] = {}
    for run in records.runs:
        runs.setdefault(run.branch, []).append(run)
    claims = {claim.branch: claim for claim in records.claims}
    names = dict.fromkeys((*claims, *runs, *timed, *landed))
    gone = {member.branch for landing in records.landings for member in landing.members if member.reverts}
    tasks = _tasks(records)
    found = []
    for name in names:
        known = _Known(
            timed.get(name, {}), runs.get(name, []), claims.get(name), landed.get(name), name in gone - landed.keys()
        )
        found.append(_journey(name, tasks.get(name), known, records))
    return tuple(sorted(found, key=lambda each: (each.events[:1] or (records.now,), each.branch)))


def gate_runs(records: Records) -> tuple[Spell, ...]:
    """Every run of the gate once, whatever it tested."""
    return tuple(_spell(timing) for timing in records.timings if timing.phase is Phase.GATE)


@dataclass(frozen=True, slots=True)
class _Known:
    timed: Mapping[Phase, list[Timing]]
    runs: Sequence[AgentRun]
    claim: Claim | None
    landed: int | None
    reverted: bool


def _journey(branch: str, task: str | None, known: _Known, records: Records) -> Journey:
    spells = {phase: tuple(map(_spell, timings)) for phase, timings in known.timed.items()}
    creation = min(spells.get(Phase.CLAIM, ()), key=lambda spell: spell.started, default=None)
    merges = spells.get(Phase.MERGE, ())
    return Journey(
        branch=branch,
        task=task,
        claimed=creation.started if creation and _whole(creation, known.runs) else None,
        creation=creation,
        agents=tuple(_run(run, records) for run in known.runs),
        detections=spells.get(Phase.DETECTION, ()),
        gates=spells.get(Phase.GATE, ()),
        merges=merges,
        landed=_moment(known.landed, merges),
        cleanup=max(spells.get(Phase.CLEANUP, ()), key=lambda spell: spell.ended, default=None),
        reverted=known.reverted,
        state=known.claim.state.value if known.claim else "",
        reason=(known.claim.reason or "") if known.claim else "",
    )


def _whole(creation: Spell, runs: Iterable[AgentRun]) -> bool:
    """Whether its records begin with its first agent: the claim is noted when that is at work."""
    return any(run.started <= creation.ended for run in runs)


def _landed(records: Records) -> dict[str, int]:
    """When each branch that is on the target landed last."""
    when = {member.merge_commit: landing.when for landing in records.landings for member in landing.members}
    return {member.branch: when[member.merge_commit] for member in in_force(records.landings, records.target)}


def _moment(landed: int | None, merges: Iterable[Spell]) -> float | None:
    """The record says when to the second, the merge that did it to the fraction of one."""
    if landed is None:
        return None
    near = [m.ended for m in merges if m.outcome == LANDED and landed <= m.ended <= landed + LATE]
    return min(near, default=float(landed))


def _by_branch(timings: Iterable[Timing]) -> dict[str, dict[Phase, list[Timing]]]:
    found: dict[str, dict[Phase, list[Timing]]] = {}
    for timing in timings:
        for name in timing.branch.split(" ") if timing.branch else ():
            found.setdefault(name, {}).setdefault(timing.phase, []).append(timing)
    return found


def _tasks(records: Records) -> dict[str, str]:
    found = {member.branch: member.task for landing in records.landings for member in landing.members if member.task}
    found |= {timing.branch: timing.task for timing in records.timings if timing.task and " " not in timing.branch}
    found |= {run.branch: run.task for run in records.runs}
    return found | {claim.branch: claim.task for claim in records.claims}


def _spell(timing: Timing) -> Spell:
    outcome, _, reason = timing.detail.partition(": ")
    return Spell(timing.started, max(timing.started, timing.ended), outcome, reason)


def _run(run: AgentRun, records: Records) -> Spell:
    """Of a run that nobody saw end, the last sign of life counts."""
    if run.ended is None:
        ended = records.now if run.id in records.alive else run.last_sign
        word = WORKING if run.id in records.alive else EndReason.LOST.value
    else:
        ended = run.last_sign if run.reason is EndReason.LOST else run.ended
        word = run.reason.value if run.reason else ""
    return Spell(run.started, max(run.started, ended), word)
