"""What follows a failure, as decisions over values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.loop.retry import (
    GONE,
    Failure,
    Next,
    back_off,
    decide,
    failure_again,
    failure_now,
    failure_of,
    never_began,
    with_history,
)
from coffee_hooks.merge.result import Result
from coffee_hooks.ready.branches import Branch, Where
from coffee_hooks.ready.judge import Code, Reason
from coffee_hooks.ready.observe import Candidate
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState

BASE, TIP = Sha("1" * 40), Sha("2" * 40)
FAILED = Failure("agent-failed", "its agent ended: failed", "Your last attempt ended: failed.", ended=1000.0)


def claim(state: ClaimState = ClaimState.CLAIMED, attempt: int = 1, reason: str | None = None) -> Claim:
    sha = TIP if state is ClaimState.DONE else None
    return Claim(TaskId("US-104"), "roadmap-wt1", BASE, "me@here", attempt, state, sha, reason, 0)


def run(reason: EndReason | None, attempt: int = 1, pid: int | None = 7, branch: str = "roadmap-wt1") -> AgentRun:
    ended = None if reason is None else 1000.0
    return AgentRun(
        1, "US-104", branch, "/wt1", attempt, "agent", ("agent",), 6, pid, 1.0, "boot", "/log", 900.0, 950.0, ended, 1,
        reason,
    )  # fmt: skip


def candidate(*codes: Code, message: str = "feat: x", log: Path | None = None) -> Candidate:
    branch = Branch("roadmap-wt1", TIP, Where.LOCAL, message, False)
    reasons = tuple(Reason(code, f"detail of {code.value}", "hint") for code in codes)
    conflicts = ("a.py", "b.py") if Code.CONFLICT in codes else ()
    return Candidate(branch, 1, TaskId("US-104"), None, reasons, conflicts, ("a.py",), log)


def result(outcome: str, **values: object) -> Result:
    return Result("roadmap-wt1", "US-104", TIP, outcome, **values)  # type: ignore[arg-type]


# --- again, later, or a person --------------------------------------------------------------------


@given(st.integers(1, 50), st.integers(0, 10), st.floats(0, 1e5))
def test_there_are_exactly_as_many_attempts_as_were_allowed(attempt: int, retries: int, waited: float) -> None:
    """The first attempt and `retries` more, however long it took; then a person."""
    what = decide(FAILED, attempt, retries, 1000.0 + waited)
    assert (what is Next.BLOCK) == (attempt > retries)
    if attempt <= retries:
        assert what is (Next.RESUME if waited >= back_off(attempt) else Next.WAIT)


def test_three_attempts_without_a_commit_are_the_last() -> None:
    """However many are allowed: a person looks before more money is burnt."""
    assert [decide(FAILED, 9, 99, 1e9, barren) for barren in (0, 2, 3, 4)] == [
        Next.RESUME, Next.RESUME, Next.BLOCK, Next.BLOCK,
    ]  # fmt: skip


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    """An end that lies ahead says nothing about how long ago it was."""
    assert decide(FAILED, 1, 1, 999.0) is Next.RESUME
    assert decide(FAILED, 1, 1, 1000.0) is Next.WAIT


def test_back_off_grows_to_a_limit() -> None:
    """10, 20, 40 ... and never more than five minutes, nor an overflow."""
    assert [back_off(n) for n in (1, 2, 3, 4, 5, 6, 2000)] == [10, 20, 40, 80, 160, 300, 300]


def test_a_red_gate_and_a_conflict_do_not_wait() -> None:
    """Nothing crashed, so there is nothing to back off from."""
    for outcome in ("gate-failed", "conflict", "roadmap-duplicate"):
        failure = failure_of(result(outcome, conflicts=("a.py",)))
        assert failure is not None
        assert decide(failure, 1, 1, 0.0) is Next.RESUME


def test_what_no_agent_can_repair_goes_to_a_person_at_once() -> None:
    """A branch that is gone has nothing to start an agent on."""
    failure = failure_now(claim(), run(EndReason.FAILED), None)
    assert failure is not None and failure.code == GONE
    assert decide(failure, 1, 99, 1e9) is Next.BLOCK


# --- what went wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "outcome",
    ["landed", "already-landed", "would-land", "moved", "target-dirty", "error", "skipped", "not-ready"],
)
def test_outcomes_that_are_not_the_agents_business(outcome: str) -> None:
    """An error of the environment is never blamed on a branch."""
    assert failure_of(result(outcome)) is None


def test_a_conflict_tells_the_files() -> None:
    """The agent learns which files, people learn it in one sentence."""
    failure = failure_of(result("conflict", conflicts=("a.py", "b\n.py")))
    assert failure is not None
    assert "- a.py\n- b\\n.py" in failure.feedback and failure.summary == "conflicts in a.py, b\\n.py"


def test_a_conflict_tells_where_both_sides_started() -> None:
    """The merge base and the target's commit; without common history the target alone."""
    failure = failure_of(result("conflict", conflicts=("a.py",)))
    assert failure is not None
    told = with_history(failure, "roadmap", TIP, BASE)
    assert told.feedback.startswith(failure.feedback) and told.summary == failure.summary
    assert f"roadmap is at {TIP}. The merge base is {BASE}: `git diff {BASE} {TIP} -- FILE`" in told.feedback
    assert with_history(failure, "roadmap", TIP, None).feedback.endswith(f"roadmap is at {TIP}.")


def test_a_person_may_start_an_agent_on_a_conflict_again() -> None:
    """It is told to merge; any other reason is told as it stands."""
    again = failure_again("conflict: conflicts in a.py")
    assert again.code == "conflict" and again.feedback.startswith("conflict: conflicts in a.py.\n\nMerge the target")
    assert failure_again("cancelled").feedback == "cancelled"
    assert failure_again("gate-failed: the gate is red").feedback == "gate-failed: the gate is red"


def test_a_red_gate_tells_the_end_of_its_log(tmp_path: Path) -> None:
    """The last bytes, harmless for a terminal, whatever the gate wrote."""
    log = tmp_path / "gate.log"
    log.write_bytes(b"x" * 100_000 + b"\n\xff\x1b[31mAssertionError: no\n")
    failure = failure_of(result("gate-failed", log=log))
    assert failure is not None
    assert failure.feedback.endswith("AssertionError: no\n")
    assert "\x1b" not in failure.feedback and len(failure.feedback) < 7_000
    assert failure_of(result("gate-failed", log=tmp_path / "gone.log")) is not None


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((), None),
        ((Code.CONFLICT,), "conflict"),
        ((Code.GATE_FAILED,), "gate-failed"),
        ((Code.DIRTY,), "dirty"),
        ((Code.IN_PROGRESS, Code.DIRTY), "in-progress"),
        ((Code.REVIEW_REJECTED,), "review-rejected"),
        ((Code.DIRTY, Code.CONFLICT), "conflict"),
        ((Code.CONFLICT, Code.NEEDS_HUMAN), "conflict"),
        ((Code.NEEDS_HUMAN,), None),
        ((Code.REVIEW_PENDING,), None),
        ((Code.NO_SIGNAL, Code.CONFLICT), None),
        ((Code.AGENT_RUNNING, Code.CONFLICT), None),
        ((Code.DIVERGED, Code.DIRTY), None),
        ((Code.NO_COMMITS,), None),
        ((Code.EMPTY_DIFF,), None),
    ],
)
def test_what_stands_in_the_way_of_finished_work(codes: tuple[Code, ...], expected: str | None) -> None:
    """Only what its agent can repair; what waits for a person or for the cleanup is left alone."""
    failure = failure_now(claim(ClaimState.DONE), run(EndReason.DONE), candidate(*codes))
    assert (failure.code if failure else None) == expected


@pytest.mark.parametrize("reason", [EndReason.FAILED, EndReason.TIMED_OUT, EndReason.STALLED, EndReason.LOST])
def test_an_agent_that_did_not_finish(reason: EndReason) -> None:
    """However it ended, its next attempt is told, and the back-off counts from its end."""
    failure = failure_now(claim(), run(reason), candidate(Code.AGENT_FAILED))
    assert failure is not None and (failure.code, failure.ended) == ("agent-failed", 1000.0)
    assert reason.value in failure.feedback


def test_an_end_whose_claim_could_not_be_written() -> None:
    """The run says done, the claim never heard of it (a full disk): work goes on instead of waiting for ever."""
    assert failure_now(claim(), run(EndReason.DONE), candidate(Code.NO_SIGNAL)) is not None


def test_an_agent_that_a_person_stopped_is_left_alone() -> None:
    """Also when only the claim remembers it."""
    assert failure_now(claim(reason="cancelled"), run(EndReason.CANCELLED), candidate(Code.AGENT_FAILED)) is None
    assert failure_now(claim(), run(EndReason.CANCELLED), candidate(Code.AGENT_FAILED)) is None
    assert failure_now(claim(reason="cancelled"), None, candidate(Code.AGENT_FAILED)) is None


def test_a_crash_after_the_line_is_no_failure() -> None:
    """It had finished: what its commit says counts."""
    said = candidate(message="feat: x\n\nStatus: Ready for merge")
    assert failure_now(claim(), run(EndReason.LOST), said) is None
    assert not never_began(claim(), run(EndReason.LOST), said)


def test_the_claim_alone_knows_a_failure() -> None:
    """The database was deleted: the reason in the claim is enough."""
    failure = failure_now(claim(reason="no-commits: nothing"), None, candidate(Code.AGENT_FAILED))
    assert failure is not None and failure.ended is None and "no-commits: nothing" in failure.feedback


@pytest.mark.parametrize(
    ("attempt", "known", "expected"),
    [
        (1, None, True),
        (1, run(None, pid=None), True),
        (1, run(EndReason.LOST, pid=None), True),
        (2, run(EndReason.FAILED, attempt=1), True),
        (1, run(EndReason.FAILED, branch="roadmap-wt0"), True),
        (1, run(EndReason.FAILED), False),
        (2, run(EndReason.FAILED, attempt=2), False),
    ],
)
def test_a_claim_that_never_got_its_agent(attempt: int, known: AgentRun | None, expected: bool) -> None:
    """A spawn that was killed in between: no failure is counted, spawn goes on with it."""
    found = claim(attempt=attempt)
    assert never_began(found, known, candidate(Code.NO_COMMITS)) is expected
    assert (failure_now(found, known, candidate(Code.NO_COMMITS)) is None) is expected
