"""The merging step of a round: announce what is ready, land it, and remember what would not."""

from __future__ import annotations

import time

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import EnvironmentFailure, LockedError
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.text import printable
from coffee_hooks.loop.care import give_back
from coffee_hooks.loop.landing import merge_branches
from coffee_hooks.loop.moment import NEVER, Moment, Refusal
from coffee_hooks.loop.retry import back_off, failure_of
from coffee_hooks.merge.result import Result, Settings
from coffee_hooks.notify import send
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.state.agents import EndReason, latest_run
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.timings import Phase, Timing, note

TROUBLE = frozenset(("error", "target-dirty"))
"""Outcomes that say nothing about the commit: the machine, the remote or the checkout must change."""
VETOED = "skipped"
"""The outcome of a branch that ``hooks.before-merge`` keeps. It may think otherwise later."""


def merge_ready(moment: Moment, readiness: Readiness) -> bool:
    """Whether anything landed. Work that did not get through goes back to its owner, unless something landed:
    then it is judged again first.
    """
    ready = [candidate for candidate in readiness.candidates if candidate.ready]
    for candidate in ready:
        _announce(moment, candidate)
    if not moment.project.config.merge.auto:
        moment.waiting = moment.waiting or bool(ready)
        return False
    fresh = [candidate for candidate in ready if _worth_trying(moment, candidate, readiness.target_sha)]
    if moment.trouble or not fresh:
        return False
    try:
        report = merge_branches(
            moment.project, moment.store, [], Settings(), tell=lambda r: _tell(moment, r),
            announce=lambda candidate: _announce(moment, candidate),
        )  # fmt: skip
    except LockedError:
        moment.waiting = True  # somebody merges right now: what is left is ours in the next round
        return False
    moment.memory.fetched = time.monotonic()
    moment.memory.gates += report.gates
    for result in report.results:
        _remember(moment, result, report.after)
    landed = any(result.outcome == "landed" for result in report.results)
    for result in () if landed else report.results:
        _hand_back(moment, result, report.after)
    return landed


def _worth_trying(moment: Moment, candidate: Candidate, target: Sha) -> bool:
    refused = moment.memory.refused.get(candidate.branch.name)
    if refused is None or (refused.tip, refused.target) != (candidate.branch.tip, target):
        return True
    moment.waiting = moment.waiting or refused.passing
    return time.monotonic() >= refused.until


def _remember(moment: Moment, result: Result, target: Sha) -> None:
    """A commit is not tried twice on the same target, but for an error, later and later."""
    earlier = moment.memory.refused.pop(result.branch, None)
    moment.memory.held.pop(result.branch, None)
    if result.good:
        return
    times = earlier.times + 1 if earlier and earlier.tip == result.sha else 1
    again = result.outcome in TROUBLE or result.outcome in ("moved", VETOED)
    until = time.monotonic() + back_off(times) if again else NEVER
    refusal = Refusal(result.sha, target, until, times, result.outcome == VETOED)
    moment.memory.refused[result.branch] = refusal
    moment.waiting = moment.waiting or refusal.passing
    if refusal.vetoed:
        _tell_vetoed(moment, result)
    if result.outcome in TROUBLE:
        name = printable(result.branch)
        failed = EnvironmentFailure(
            f"{name} could not be merged: {result.reason}", hint=result.hint or f"coffee merge {name}"
        )
        moment.trouble = moment.trouble or failed
        moment.notify(f"Merge error: {name}", f"{failed.what}\n\n{failed.hint}", f"error:{result.branch}:{result.sha}")


def _tell_vetoed(moment: Moment, result: Result) -> None:
    name, why = printable(result.branch), printable(result.reason or "")
    moment.memory.held[result.branch] = why
    text = f"{name} is ready, and the hook keeps it from landing: {why}.\n\nNext: {printable(result.hint or '')}"
    moment.notify(f"Kept by a hook: {name}", text, f"vetoed:{result.branch}:{result.sha}")


def _hand_back(moment: Moment, result: Result, target: Sha) -> None:
    failure = failure_of(result)
    for claim in moment.claims.values():
        open_ = claim.state in (ClaimState.CLAIMED, ClaimState.DONE)
        if failure is not None and open_ and claim.branch == result.branch and moment.is_ours(claim):
            give_back(moment, claim, failure, target)


def _announce(moment: Moment, candidate: Candidate) -> None:
    branch = candidate.branch
    work = messages.ReadyWork(
        branch.name, moment.project.config.target, candidate.task, branch.tip, candidate.commits_ahead, branch.subject
    )
    if send(moment.store, messages.ready_for_merge(work), time.time()) is not None:
        _note_detection(moment, candidate)
        output.say(messages.notified_architect(branch.name, candidate.task))
        moment.tell("ready", {"branch": branch.name, "task": candidate.task, "sha": branch.tip})


def _note_detection(moment: Moment, candidate: Candidate) -> None:
    """Note how long it took to see the good end of the agent; what somebody committed later has no such moment."""
    branch, task = candidate.branch, candidate.task
    run = latest_run(moment.store, task) if task else None
    if task is None or run is None or run.branch != branch.name or run.reason is not EndReason.DONE or not run.ended:
        return
    made = moment.project.repo.objects("log", "-1", "--format=%ct", branch.tip).text
    if int(made) <= run.ended:
        note(moment.store, Timing(task, branch.name, Phase.DETECTION, run.ended, time.time()))


def _tell(moment: Moment, result: Result) -> None:
    moment.tell(
        "merge",
        {"branch": result.branch, "task": result.task, "sha": result.sha, "outcome": result.outcome,
         "merge_commit": result.merge_commit, "reason": result.reason, "conflicts": list(result.conflicts)},
    )  # fmt: skip
    if result.outcome != "landed":
        why = f" ({printable(result.reason)})" if result.reason else ""
        output.say(f"{printable(result.branch)}: {result.outcome}{why}")
        return
    task = TaskId(result.task) if result.task else None
    draft = messages.merge_complete(result.branch, moment.project.config.target, task, result.sha)
    send(moment.store, draft, time.time())
    output.say(messages.notified_orchestrator(result.branch))
