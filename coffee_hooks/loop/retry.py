"""What happens to a task that failed: again in the same worktree with the failure told, or to a person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from coffee_hooks.base import messages
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.merge.result import Result
from coffee_hooks.notify import send
from coffee_hooks.ready.judge import Code, listed
from coffee_hooks.ready.observe import Candidate
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.reviews import Reviewed
from coffee_hooks.state.store import Store

FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 300.0
BARREN = 3
"""So many attempts in a row without a commit, and the next one would bring none either."""
LOG_TAIL = 6_000
"""Bytes of a gate log that an agent is shown."""

GONE = "branch-gone"
CONFLICT = "conflict"
_RESOLVE = (
    "Merge the target into your branch (this one merge is allowed), resolve the conflicts without dropping either"
    " side's work, run the tests and commit."
)


class Next(Enum):
    """What to do with a failed task."""

    RESUME = "resume"
    WAIT = "wait"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task did not get through: a reason code, what its agent is told, one sentence for people.

    *ended* is when its agent failed by itself (UNIX seconds), None when something else said no. No *feedback*: there
    is nothing that an agent could do about it.
    """

    code: str
    summary: str
    feedback: str = ""
    ended: float | None = None


def decide(failure: Failure, attempt: int, retries: int, now: float, barren: int = 0) -> Next:
    """Whether attempt number *attempt*, which ended in *failure*, is followed by another. Pure; UNIX seconds.

    *barren* attempts in a row left no commit. There is nothing to back off from when it was the gate or a conflict
    that said no.
    """
    if attempt > retries or barren >= BARREN or not failure.feedback:
        return Next.BLOCK
    if failure.ended is not None and 0 <= now - failure.ended < back_off(attempt):  # a clock may be set back
        return Next.WAIT
    return Next.RESUME


def back_off(attempt: int) -> float:
    """Seconds before attempt *attempt* is followed by the next: 10, 20, 40 ... 300."""
    return float(min(FIRST_BACK_OFF * 2 ** min(attempt - 1, 10), LONGEST_BACK_OFF))


def failure_of(result: Result) -> Failure | None:
    """What a merge result means for the branch's agent; None when that is not its business."""
    if result.outcome == "conflict":
        return _conflict(result.conflicts)
    if result.outcome == "gate-failed":
        return _red(result.log)
    if result.outcome == "roadmap-duplicate":
        said = result.reason or "the merged roadmap would hold an item twice"
        return Failure("roadmap-duplicate", said, f"{said}. Remove one of the two entries and commit.")
    return None


def failure_now(claim: Claim, run: AgentRun | None, candidate: Candidate | None) -> Failure | None:
    """Why a claim will not land as it is; None when nothing is known to be wrong. Pure.

    Only for an open claim whose agent is not at work; *run* is its latest one here, *candidate* None when its branch
    is gone. A run that a person cancelled is for that person to start again.
    """
    if candidate is None:
        return Failure(GONE, f"its branch {printable(claim.branch)} is gone")
    if _finished(claim, candidate):
        return _in_the_way(candidate)
    if never_began(claim, run, candidate):
        return None
    run = run if run is not None and _is_of(run, claim) else None
    why = claim.reason or (run.reason.value if run is not None and run.reason else None)
    if why is None or _cancelled(why, run):
        return None
    return Failure(
        "agent-failed", f"its agent ended: {why}", f"Your last attempt ended: {why}.", run.ended if run else None
    )


def never_began(claim: Claim, run: AgentRun | None, candidate: Candidate | None) -> bool:
    """Whether a claim without an agent at work never had one in this attempt: then spawn goes on with it. Pure."""
    if claim.state is not ClaimState.CLAIMED or claim.reason or (candidate and _finished(claim, candidate)):
        return False
    return run is None or not _is_of(run, claim) or run.pid is None


def _finished(claim: Claim, candidate: Candidate) -> bool:
    return claim.state is ClaimState.DONE or candidate.branch.says_ready


def _is_of(run: AgentRun, claim: Claim) -> bool:
    return run.branch == claim.branch and run.attempt >= claim.attempt


def _cancelled(why: str, run: AgentRun | None) -> bool:
    return EndReason.CANCELLED.value in (why, run.reason.value if run is not None and run.reason else "")


def _in_the_way(candidate: Candidate) -> Failure | None:
    """What the agent of a finished branch can do about its not being ready."""
    codes = candidate.codes
    if codes & {Code.AGENT_RUNNING, Code.NO_SIGNAL, Code.DIVERGED, Code.NO_COMMITS, Code.EMPTY_DIFF}:
        return None
    if Code.CONFLICT in codes:
        return _conflict(candidate.conflicts)
    if Code.GATE_FAILED in codes:
        return _red(candidate.red_log)
    for reason in candidate.reasons:
        if reason.code is Code.REVIEW_REJECTED and candidate.reviewed is not None:
            return _rejected(candidate.reviewed)
        if reason.code in (Code.REVIEW_REJECTED, Code.IN_PROGRESS, Code.DIRTY):
            then = "Deal with that, leave nothing uncommitted, and finish again."
            return Failure(reason.code.value, reason.detail, f"Your branch cannot land: {reason.detail}. {then}")
    return None


def _conflict(paths: Sequence[str]) -> Failure:
    lines = "\n".join(f"- {printable(path)}" for path in paths)
    summary = f"conflicts in {listed(paths)}" if paths else "git cannot merge it"
    return Failure(CONFLICT, summary, f"Your branch conflicts with the target in:\n{lines}\n\n{_RESOLVE}")


def failure_again(reason: str, reviewed: Reviewed | None = None) -> Failure:
    """What the *reason* of a claim, and a review, tell an agent that a person starts once more. Pure."""
    code, _, summary = reason.partition(": ")
    if code == Code.REVIEW_REJECTED.value and reviewed is not None:
        return _rejected(reviewed)
    return Failure(code, summary, f"{reason}.\n\n{_RESOLVE}" if code == CONFLICT else reason)


def with_history(failure: Failure, name: str, target: Sha, base: Sha | None) -> Failure:
    """A conflict with the target *name* at *target*, told with the merge *base* that both sides started from. Pure."""
    where = f"The target {printable(name)} is at {target}."
    if base is not None:
        where += (
            f" The merge base is {base}: `git diff {base} {target} -- FILE` shows what the target did to a file,"
            f" `git diff {base} HEAD -- FILE` what you did."
        )
    return replace(failure, feedback=f"{failure.feedback}\n\n{where}")


def _red(log: Path | None) -> Failure:
    tail = ""
    if log is not None and log.is_file():
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_TAIL))
            said = file.read().decode("utf-8", "replace")
        tail = "\n\nThe end of its log:\n\n" + _shown(said)
    return Failure("gate-failed", "the gate is red with it", f"The tests were red with your branch merged.{tail}")


def _rejected(review: Reviewed) -> Failure:
    """What the reviewer found, as far as it travels with the verdict."""
    said = f"\n\nIts report:\n\n{_shown(review.excerpt)}" if review.excerpt else "\n\nIt wrote no report."
    then = "Repair what it found, commit, and finish again."
    return Failure(
        Code.REVIEW_REJECTED.value, "the review rejected it",
        f"The review rejected your branch at {review.sha[:12]}. {then}{said}",
    )  # fmt: skip


def _shown(text: str) -> str:
    return "".join(c if c in "\n\t" or c.isprintable() else "?" for c in text)


def block(project: Project, store: Store, claim: Claim, failure: Failure) -> bool:
    """Give the task to a person; False when somebody else changed its claim first."""
    reason = f"{failure.code}: {failure.summary}"
    if claims_.update(project.repo, claim, state=ClaimState.BLOCKED, reason=reason) is None:
        return False
    text = (
        f"{printable(claim.branch)}: {failure.summary}.\n\n"
        f"Its work is kept. Repair it there, or start its agent again:\ncoffee resume {printable(claim.task)}"
    )
    draft = messages.Draft(
        "orchestrator", f"Task blocked: {printable(claim.task)}", text, messages.Level.CRITICAL, "user_listener",
        dedupe_key=f"blocked:{claim.branch}:{claim.attempt}",
    )  # fmt: skip
    send(store, draft, time.time())
    return True
