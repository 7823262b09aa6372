"""Is a branch finished? A pure decision over what was observed, all of it at one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.text import printable


class Code(Enum):
    """Why a branch is not ready: the stable codes of the contract."""

    NO_COMMITS = "no-commits"
    EMPTY_DIFF = "empty-diff"
    DIRTY = "dirty"
    IN_PROGRESS = "in-progress"
    AGENT_RUNNING = "agent-running"
    AGENT_FAILED = "agent-failed"
    NO_SIGNAL = "no-signal"
    CONFLICT = "conflict"
    GATE_FAILED = "gate-failed"
    REVIEW_PENDING = "review-pending"
    REVIEW_REJECTED = "review-rejected"
    DIVERGED = "diverged"
    NEEDS_HUMAN = "needs-human"


WAIVED_BY_NAME = frozenset({Code.NO_SIGNAL, Code.NEEDS_HUMAN, Code.GATE_FAILED})
"""What naming a branch on the command line waives, and nothing else."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One obstacle: its code, one sentence, and what to type next."""

    code: Code
    detail: str
    hint: str


class AgentState(Enum):
    """What is known about the agent of a branch."""

    NONE = "none"
    RUNNING = "running"
    FAILED = "failed"
    ENDED = "ended"


class Signal(Enum):
    """Whether somebody said that the branch is finished at this very commit."""

    GIVEN = "given"
    OUTDATED = "outdated"
    MISSING = "missing"
    NOT_NEEDED = "not-needed"


class Review(Enum):
    """The reviewer's word at this commit."""

    NOT_ASKED = "not-asked"
    PENDING = "pending"
    REJECTED = "rejected"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the decision needs to know about one branch. Paths are relative to the repository.

    *unreadable* is what git said when it could not tell what is uncommitted. *reverted* is the commit that took its
    landing back and that it does not hold itself.
    """

    branch: str
    target: str
    task: str | None
    commits_ahead: int
    changes: bool
    dirty: Sequence[str] = ()
    unreadable: str | None = None
    in_progress: str | None = None
    agent: AgentState = AgentState.NONE
    agent_detail: str = ""
    signal: Signal = Signal.NOT_NEEDED
    conflicts: Sequence[str] = ()
    mergeable: bool = True
    red_log: str | None = None
    red: bool = False
    review: Review = Review.NOT_ASKED
    review_detail: str = ""
    diverged: bool = False
    protected: Sequence[str] = ()
    secrets: Sequence[str] = ()
    large: Sequence[str] = ()
    reverted: str | None = None


def judge(facts: Facts) -> tuple[Reason, ...]:
    """Every reason why the branch is not ready, the first to deal with first; none means ready."""
    looked_at: list[Callable[[Facts], Reason | None]] = [_agent, _commits, _worktree_progress, _dirty, _diverged]
    if facts.commits_ahead:  # without a commit there is nothing to finish, merge, test or review
        looked_at += [_signal, _empty, _conflict, _red, _review, _protected]
    return tuple(reason for look in looked_at if (reason := look(facts)))


def listed(paths: Sequence[str], most: int = 3) -> str:
    """Some of *paths* on one line, and how many more there are."""
    shown = ", ".join(printable(path) for path in paths[:most])
    return shown + (f" and {len(paths) - most} more" if len(paths) > most else "")


def _agent(facts: Facts) -> Reason | None:
    name = facts.task or facts.branch
    if facts.agent is AgentState.RUNNING:
        return Reason(
            Code.AGENT_RUNNING, facts.agent_detail or "its agent is still at work", f"coffee logs {name} --follow"
        )
    if facts.agent is AgentState.FAILED and facts.signal is not Signal.GIVEN:
        return Reason(
            Code.AGENT_FAILED,
            facts.agent_detail or "its agent failed",
            f"coffee logs {name}; then: coffee resume {name}",
        )
    return None


def _commits(facts: Facts) -> Reason | None:
    if facts.commits_ahead:
        return None
    if facts.reverted:
        detail = f"its landing was taken back by {facts.reverted[:12]}, and nothing was committed since"
        return Reason(
            Code.NO_COMMITS, detail, f"commit the repair there, or land it again: coffee merge {facts.branch}"
        )
    return Reason(
        Code.NO_COMMITS, f"no commits that {facts.target} does not have", "let its agent work, or commit there"
    )


def _worktree_progress(facts: Facts) -> Reason | None:
    if facts.in_progress is None:
        return None
    return Reason(Code.IN_PROGRESS, f"{facts.in_progress} is in progress in its worktree", "finish or abort it there")


def _dirty(facts: Facts) -> Reason | None:
    if facts.unreadable:
        return Reason(Code.DIRTY, f"its worktree cannot be read: {facts.unreadable}", "repair it: git worktree repair")
    if not facts.dirty:
        return None
    return Reason(Code.DIRTY, f"uncommitted: {listed(facts.dirty)}", "commit, ignore or remove them in its worktree")


def _signal(facts: Facts) -> Reason | None:
    if facts.signal in (Signal.GIVEN, Signal.NOT_NEEDED) or facts.agent in (AgentState.RUNNING, AgentState.FAILED):
        return None
    detail = "nobody has said that it is finished"
    if facts.signal is Signal.OUTDATED:
        detail = "it was finished at an earlier commit; there are newer ones"
    return Reason(Code.NO_SIGNAL, detail, f"coffee done (in its worktree), or: coffee merge {facts.branch}")


def _diverged(facts: Facts) -> Reason | None:
    if not facts.diverged:
        return None
    return Reason(
        Code.DIVERGED, "the branch here and the one on the remote have diverged", "merge or delete one of them"
    )


def _empty(facts: Facts) -> Reason | None:
    if facts.changes or facts.conflicts or not facts.mergeable:
        return None
    return Reason(
        Code.EMPTY_DIFF, f"merging it would change nothing in {facts.target}", f"coffee cleanup {facts.branch}"
    )


def _conflict(facts: Facts) -> Reason | None:
    if facts.mergeable and not facts.conflicts:
        return None
    where = listed(facts.conflicts) if facts.conflicts else "git cannot merge it"
    name = facts.task or facts.branch
    hint = f"git merge {facts.target} in its worktree, or: coffee resume {name}"
    if facts.reverted:  # the merge alone would take the work off the branch too
        hint = f"in its worktree: git merge {facts.target} && git revert {facts.reverted[:12]}"
    return Reason(Code.CONFLICT, f"conflicts with {facts.target} in {where}", hint)


def _red(facts: Facts) -> Reason | None:
    if not facts.red:
        return None
    log = f"; log: {facts.red_log}" if facts.red_log else ""
    return Reason(
        Code.GATE_FAILED,
        f"the gate was red at this commit{log}",
        f"repair it and commit, or: coffee merge {facts.branch}",
    )


def _review(facts: Facts) -> Reason | None:
    if facts.review is Review.PENDING:
        more = f": {facts.review_detail}" if facts.review_detail else ""
        return Reason(Code.REVIEW_PENDING, f"not reviewed at this commit{more}", f"coffee review {facts.branch}")
    if facts.review is Review.REJECTED:
        report = f"; report: {facts.review_detail}" if facts.review_detail else ""
        return Reason(
            Code.REVIEW_REJECTED, f"the review rejected this commit{report}", "repair what the report says and commit"
        )
    return None


def _protected(facts: Facts) -> Reason | None:
    told = (
        (
            f"its commits hold {listed(facts.secrets)}, which is copied here because git is not to have it",
            facts.secrets,
        ),
        (f"adds large files: {listed(facts.large)}", facts.large),
        (f"touches protected paths: {listed(facts.protected)}", facts.protected),
    )
    why = "; ".join(text for text, paths in told if paths)
    return Reason(Code.NEEDS_HUMAN, why, f"coffee merge {facts.branch}") if why else None
