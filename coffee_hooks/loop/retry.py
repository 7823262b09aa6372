"""What happens to a task that failed: again in the same worktree with the failure told, or to a person."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base import messages
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.merge.merge import Result
from coffee_hooks.notify import send
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.store import Store

FIRST_BACK_OFF, LONGEST_BACK_OFF = 10.0, 300.0
LOG_TAIL = 6_000
"""Characters of a gate log that an agent is shown."""


class Next(Enum):
    """What to do with a failed task."""

    RESUME = "resume"
    WAIT = "wait"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task did not get through: a reason code, what its agent is told, one sentence for people."""

    code: str
    feedback: str
    summary: str


def decide(attempt: int, retries: int, ended: float | None, now: float) -> Next:
    """Whether attempt number *attempt* is followed by another. Pure; times are UNIX seconds.

    *ended* is when the agent failed by itself, None when it was the gate or a conflict that said no: then there is
    nothing to back off from.
    """
    if attempt > retries:
        return Next.BLOCK
    if ended is not None and now < ended + back_off(attempt):
        return Next.WAIT
    return Next.RESUME


def back_off(attempt: int) -> float:
    """Seconds before attempt *attempt* is followed by the next: 10, 20, 40 ... 300."""
    return float(min(FIRST_BACK_OFF * 2 ** (attempt - 1), LONGEST_BACK_OFF))


def failure_of(result: Result) -> Failure | None:
    """What a merge result means for the branch's agent; None when that is not its business."""
    if result.outcome == "conflict":
        paths = "\n".join(f"- {printable(path)}" for path in result.conflicts)
        return Failure(
            "conflict",
            f"Your branch conflicts with the target in:\n{paths}\n\nMerge the target into your branch"
            " (this one merge is allowed), resolve the conflicts without dropping either side's work, run the tests"
            " and commit.",
            f"conflicts in {', '.join(printable(p) for p in result.conflicts[:3])}",
        )
    if result.outcome == "gate-failed":
        tail = ""
        if result.log is not None and result.log.is_file():
            data = result.log.read_bytes()[-LOG_TAIL:]
            tail = "\n\nThe end of its log:\n\n" + "".join(
                char if char in "\n\t" or char.isprintable() else "?" for char in data.decode("utf-8", "replace")
            )
        return Failure("gate-failed", f"The tests were red with your branch merged.{tail}", "the gate is red with it")
    if result.outcome == "roadmap-duplicate":
        return Failure("roadmap-duplicate", result.reason or "", result.reason or "")
    return None


def block(project: Project, store: Store, claim: Claim, failure: Failure) -> bool:
    """Give the task to a person; False when somebody else changed its claim first."""
    changed = claims_.update(project.repo, claim, state=ClaimState.BLOCKED, reason=f"{failure.code}: {failure.summary}")
    if changed is None:
        return False
    send(
        store,
        messages.Draft(
            "orchestrator",
            f"Task blocked: {printable(claim.task)}",
            f"{printable(claim.branch)}: {failure.summary}.\n\nIts work is kept. Repair it there, or start its agent again:\n"
            f"coffee resume {printable(claim.task)}",
            messages.Level.CRITICAL,
            "user_listener",
            dedupe_key=f"blocked:{claim.branch}:{claim.attempt}",
        ),
        time.time(),
    )
    return True
