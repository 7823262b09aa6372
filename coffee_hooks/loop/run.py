"""The orchestrator: ticks over the phases, never waits for an agent, and picks up where any earlier one stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.process import reap
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import Outcome, RemotePolicy, Waive
from coffee_hooks.loop.landing import merge_branches
from coffee_hooks.loop.retry import Failure, Next, block, decide, failure_of
from coffee_hooks.loop.work import assignment, crew_for, select, start
from coffee_hooks.merge.merge import Result, Settings
from coffee_hooks.notify import received, send
from coffee_hooks.ready.observe import Candidate, detect_ready
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.spawn.resume import resume
from coffee_hooks.state import claims as claims_
from coffee_hooks.state import notices
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import AgentRun, EndReason, active_runs, end_run, latest_run, runs_of
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.facts import add_to_fact, set_fact
from coffee_hooks.state.store import Store

LOOK_SECONDS = 0.2
"""How often the loop looks at a few files for a sign that something changed; no git process is started for that."""
MANY_FAILURES = 3
"""Ticks in a row that may fail for reasons of the environment before the loop gives up."""


class Activity(Enum):
    """What a round left behind: reason to go on at once, something to wait for, or nothing."""

    PROGRESS = "progress"
    WAITING = "waiting"
    IDLE = "idle"


class Until(Enum):
    """When the loop ends by itself."""

    STOPPED = "stopped"
    IDLE = "idle"
    ONE_TICK = "one-tick"


@dataclass(slots=True)
class Orchestrator:
    """One loop over one repository. *tell* receives every event as ``(name, fields)``."""

    start: Path
    store: Store
    tell: Callable[[str, dict[str, Any]], None]
    agent: str | None = None
    most: int | None = None
    poll: float | None = None
    project: Project = field(init=False)
    gates: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.project = open_project(self.start)

    def run(self, until: Until) -> int:
        """Tick until *until*; 0, or 1 when something is blocked. Raises LockedError when another loop runs here."""
        failures = 0
        with hold(self.project.repo, "run"):
            while True:
                try:
                    activity = self.tick()
                    failures = 0
                except CoffeeError as failed:
                    failures += 1
                    if until is Until.ONE_TICK or failures >= MANY_FAILURES or failed.exit_code == 2:
                        raise
                    output.say(f"error: {failed.what}; trying again")
                    activity = Activity.WAITING
                if until is Until.ONE_TICK or (until is Until.IDLE and activity is Activity.IDLE):
                    blocked = [
                        c for c in claims_.read_claims(self.project.repo).values() if c.state is ClaimState.BLOCKED
                    ]
                    self.tell("idle", {"blocked": sorted(claim.task for claim in blocked)})
                    return 1 if blocked else 0
                if activity is not Activity.PROGRESS:
                    self._wait()

    def tick(self) -> Activity:
        """One round: reconcile, detect, merge, clean up, spawn."""
        reap()
        self.project = open_project(self.start)
        project, store = self.project, self.store
        at_work = self._at_work()  # looked at first: what ends while we look elsewhere is news for the next round
        self._reconcile()
        fetch(project)
        landed = self._merge()
        if project.config.cleanup.after_merge:
            self._clean_up()
        self._retry_failed_agents()
        spawned = self._spawn()
        for run in self._at_work():
            output.say(messages.running(run.pid or 0, TaskId(run.task), time.time() - run.started))
        if landed:
            return Activity.PROGRESS
        return Activity.WAITING if at_work or spawned or self._at_work() or self._waiting() else Activity.IDLE

    def _at_work(self) -> list[AgentRun]:
        return [run for run in active_runs(self.store) if look(self.project.repo.state_dir, run).running]

    # --- steps ------------------------------------------------------------------------------------

    def _reconcile(self) -> None:
        """Facts beat records: a run whose process and supervisor are gone is lost, whatever its row says."""
        for run in active_runs(self.store):
            if look(self.project.repo.state_dir, run).lost:
                end_run(self.store, run.id, time.time(), None, EndReason.LOST)
                self.tell("agent-lost", {"task": run.task, "branch": run.branch})

    def _merge(self) -> bool:
        project, store = self.project, self.store
        readiness = detect_ready(project, store, read_target(project))
        ready = [candidate for candidate in readiness.candidates if candidate.ready]
        for candidate in ready:
            self._announce(candidate)
        if not ready:
            self._hand_back_conflicts(readiness.candidates)
            return False
        if not project.config.merge.auto:
            return False
        report = merge_branches(project, store, [], Settings(), wait=60.0, tell=self._merged)
        self.gates += report.gates
        return any(result.outcome == "landed" for result in report.results)

    def _announce(self, candidate: Candidate) -> None:
        work = messages.ReadyWork(
            candidate.branch.name, self.project.config.target, candidate.task, candidate.branch.tip,
            candidate.commits_ahead, candidate.branch.subject,
        )  # fmt: skip
        if send(self.store, messages.ready_for_merge(work), time.time()) is not None:
            output.say(messages.notified_architect(candidate.branch.name, candidate.task))
            self.tell("ready", {"branch": candidate.branch.name, "task": candidate.task, "sha": candidate.branch.tip})

    def _merged(self, result: Result) -> None:
        self.tell(
            result.outcome,
            {"branch": result.branch, "task": result.task, "sha": result.sha, "reason": result.reason,
             "merge_commit": result.merge_commit, "conflicts": list(result.conflicts)},
        )  # fmt: skip
        if result.outcome == "landed":
            task = TaskId(result.task) if result.task else None
            send(
                self.store,
                messages.merge_complete(result.branch, self.project.config.target, task, result.sha),
                time.time(),
            )
            output.say(messages.notified_orchestrator(result.branch))
            return
        output.say(f"{printable(result.branch)}: {result.outcome}" + (f" ({result.reason})" if result.reason else ""))
        failure = failure_of(result)
        if failure is not None:
            self._give_back(result.branch, failure)

    def _hand_back_conflicts(self, candidates: Iterable[Candidate]) -> None:
        """A finished branch that conflicts is not ready, so the queue never sees it: tell its owner here."""
        for candidate in candidates:
            codes = [reason.code.value for reason in candidate.reasons]
            if codes == ["conflict"]:
                result = Result(
                    candidate.branch.name, candidate.task, candidate.branch.tip, "conflict",
                    reason=candidate.reasons[0].detail, conflicts=candidate.conflicts,
                )  # fmt: skip
                self._merged(result) if self._claim_of(candidate.branch.name) else self._tell_people(result)

    def _tell_people(self, result: Result) -> None:
        draft = messages.Draft(
            "orchestrator", f"Conflict: {printable(result.branch)}", result.reason or "", messages.Level.HIGH, "user_listener",
            dedupe_key=f"conflict:{result.branch}:{result.sha}",
        )  # fmt: skip
        send(self.store, draft, time.time())

    def _claim_of(self, branch: str) -> Claim | None:
        found = (c for c in claims_.read_claims(self.project.repo).values() if c.branch == branch)
        return next((c for c in found if c.state in (ClaimState.CLAIMED, ClaimState.DONE)), None)

    def _give_back(self, branch: str, failure: Failure, ended: float | None = None) -> None:
        """Start the owner again with what failed, or give the task to a person."""
        claim = self._claim_of(branch)
        if claim is None:
            return
        what = decide(claim.attempt, self.project.config.agent.retries, ended, time.time())
        if what is Next.BLOCK:
            if block(self.project, self.store, claim, failure):
                output.say(f"{claim.task} is blocked: {failure.summary}. Its work is kept on {claim.branch}")
                self.tell(
                    "blocked", {"task": claim.task, "branch": branch, "reason": f"{failure.code}: {failure.summary}"}
                )
        elif what is Next.RESUME:
            plan = read_plan(self.project, read_target(self.project).sha)
            again = resume(
                self.project, self.store, claim, assignment(plan, claim.task, failure.feedback),
                crew_for(self.project, self.agent),
            )  # fmt: skip
            self.tell("resumed", {"task": claim.task, "branch": branch, "attempt": again.attempt, "pid": again.pid})

    def _retry_failed_agents(self) -> None:
        for claim in claims_.read_claims(self.project.repo).values():
            run = latest_run(self.store, claim.task)
            if claim.state is not ClaimState.CLAIMED or run is None or run.branch != claim.branch or run.ended is None:
                continue
            if run.reason is EndReason.CANCELLED:
                continue  # a person stopped it; a person starts it again
            why = claim.reason or (run.reason.value if run.reason else "ended")
            failure = Failure("agent-failed", f"Your last attempt ended: {why}.", f"its agent ended: {why}")
            self._give_back(claim.branch, failure, run.ended)

    def _clean_up(self) -> None:
        policy = RemotePolicy.DELETE if self.project.config.cleanup.remote else RemotePolicy.KEEP
        report = cleanup(self.project, (), waive=Waive.NOTHING, remote=policy, store=self.store)
        removed = [r for r in report.results if r.outcome is Outcome.REMOVED]
        for removal in removed:
            output.say(messages.cleanup_requested(removal.branch))
            self.tell("removed", {"branch": removal.branch, "backup": removal.backup})
        if not removed:
            return
        if any(r.worktree for r in removed):
            output.say(messages.removed_worktrees([str(r.worktree) for r in removed if r.worktree]))
        for notification in received(self.store, "orchestrator"):
            if notification.read_at is None and notification.title == "Merge Complete":
                notices.mark_read(self.store, notification.id, time.time())
        add_to_fact(self.store, "parallel_executions_completed", self._ran_beside_another(r.branch for r in removed))
        set_fact(self.store, "last_cleanup", str(time.time()))
        output.say(messages.EXECUTION_COMPLETE)

    def _ran_beside_another(self, branches: Iterable[str]) -> int:
        """How many of *branches* had an agent that ran at the same time as another one."""
        claims = {claim.branch: claim.task for claim in claims_.read_claims(self.project.repo).values()}
        everyone = [run for task in claims.values() for run in runs_of(self.store, task)]
        return sum(any(_beside(a, b) for a in everyone if a.branch == name for b in everyone) for name in branches)

    def _spawn(self) -> bool:
        project, store = self.project, self.store
        evaluation, places = select(project, store, (), self.most)
        if not places or not evaluation.selected:
            return False
        report = start(project, store, evaluation.base, evaluation.selected, crew_for(project, self.agent))
        for spawned in report.spawned:
            self.tell("spawned", {"task": spawned.task, "branch": spawned.branch, "pid": spawned.pid})
        for skipped in report.skipped:
            output.say(f"{skipped.task} was not started: {skipped.detail}")
            self.tell("skipped", {"task": skipped.task, "reason": skipped.reason, "detail": skipped.detail})
        return bool(report.spawned)

    def _waiting(self) -> bool:
        """Whether a failed agent waits for its next attempt."""
        for claim in claims_.read_claims(self.project.repo).values():
            run = latest_run(self.store, claim.task)
            ended = claim.state is ClaimState.CLAIMED and run is not None and run.ended is not None
            if ended and run is not None and run.reason is not EndReason.CANCELLED:
                return True
        return False

    # --- waiting ----------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Sleep until an agent ends, a ref of ours moves, or the poll interval is over."""
        poll = self.poll if self.poll is not None else self.project.config.poll
        deadline = time.monotonic() + poll
        before = self._signs()
        while time.monotonic() < deadline:
            time.sleep(min(LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
            if self._signs() != before:
                return

    def _signs(self) -> tuple[Any, ...]:
        common = self.project.repo.common_dir
        watched = [common / "coffee" / "agents", common / "refs" / "coffee" / "tasks", common / "refs" / "heads"]
        return tuple(_modified(path) for path in watched)


def _beside(a: AgentRun, b: AgentRun) -> bool:
    if a.branch == b.branch:
        return False
    now = time.time()
    return a.started < (b.ended or now) and b.started < (a.ended or now)


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
