"""What was asked of a merge, and how each branch ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coffee_hooks.base.model import Sha
from coffee_hooks.merge.candidate import Refused, Work
from coffee_hooks.merge.land import NotLanded, Pushing
from coffee_hooks.merge.revert import conflict_hint


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

    *suspects* are branches that landed just before and may not go together with it. *reverts* are the merge commits
    that were to be taken back; *merge_commit* is then the commit that does.
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
    reverts: tuple[Sha, ...] = ()

    @property
    def good(self) -> bool:
        """Whether that is what was asked for."""
        return self.outcome in ("landed", "already-landed", "would-land")


def result_of(
    work: Work, outcome: str, *, merge_commit: Sha | None = None, reason: str | None = None, hint: str | None = None,
    conflicts: tuple[str, ...] = (), log: Path | None = None, suspects: tuple[str, ...] = (),
) -> Result:  # fmt: skip
    return Result(
        work.branch, work.task, work.tip, outcome, merge_commit, reason, hint, conflicts, log, suspects, work.reverts
    )  # fmt: skip


def moved(work: Work) -> Result:
    return result_of(work, "moved", reason="the branch moved while it was tested", hint="run this again")


def not_landed(work: Work, done: NotLanded) -> Result:
    return result_of(work, done.outcome, reason=done.detail, hint=done.hint)


def refused_by(work: Work, refused: Refused, target: str) -> Result:
    hints = {
        "conflict": conflict_hint(work, target),
        "roadmap-duplicate": "remove one of the two entries on the branch",
    }
    hint = hints.get(refused.outcome)
    return result_of(work, refused.outcome, reason=refused.detail, hint=hint, conflicts=refused.conflicts)
