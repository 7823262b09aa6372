"""What was asked of a merge, and how each branch ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coffee_hooks.base.model import Sha
from coffee_hooks.merge.candidate import Refused, Work
from coffee_hooks.merge.land import NotLanded, Pushing


class Depth(Enum):
    """How far to go: to a landed commit, or only to a verdict."""

    LAND = "land"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the caller asked for. *batch* and *jobs* None: as it is configured; *batch* 0: the train chooses."""

    depth: Depth = Depth.LAND
    pushing: Pushing = Pushing.PUSH
    retest: bool = False
    batch: int | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How one branch ended: an outcome of the contract, a sentence, and what to type next.

    *suspects* are branches that landed just before and may not go together with it.
    """

    branch: str
    task: str | None
    sha: Sha
    outcome: str
    merge_commit: Sha | None = None
    reason: str | None = None
    hint: str | None = None
    conflicts: tuple[str, ...] = ()
    log: Path | None = None
    suspects: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether that is what was asked for."""
        return self.outcome in ("landed", "already-landed", "would-land")


def result_of(
    work: Work, outcome: str, *, merge_commit: Sha | None = None, reason: str | None = None, hint: str | None = None,
    conflicts: tuple[str, ...] = (), log: Path | None = None, suspects: tuple[str, ...] = (),
) -> Result:  # fmt: skip
    return Result(
        work.branch, work.task, work.tip, outcome, merge_commit, reason, hint, conflicts, log, suspects
    )  # fmt: skip


def moved(work: Work) -> Result:
    return result_of(work, "moved", reason="the branch moved while it was tested", hint="run this again")


def not_landed(work: Work, done: NotLanded) -> Result:
    return result_of(work, done.outcome, reason=done.detail, hint=done.hint)


def refused_by(work: Work, refused: Refused, target: str) -> Result:
    hints = {
        "conflict": f"git merge {target} in its worktree, resolve, commit, then run this again",
        "roadmap-duplicate": "remove one of the two entries on the branch",
    }
    hint = hints.get(refused.outcome)
    return result_of(work, refused.outcome, reason=refused.detail, hint=hint, conflicts=refused.conflicts)
