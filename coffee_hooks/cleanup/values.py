"""What cleanup knows and says: facts of one branch, outcomes, permissions. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, auto
from pathlib import Path

from coffee_hooks.base.model import Sha
from coffee_hooks.state.claims import Claim


class Outcome(Enum):
    """What became of a branch; the words are those of the contract."""

    REMOVED = "removed"
    KEPT_UNMERGED = "kept-unmerged"
    KEPT_DIRTY = "kept-dirty"
    KEPT_RUNNING = "kept-running"
    KEPT_LOCKED = "kept-locked"
    KEPT_FOREIGN = "kept-foreign"
    KEPT_MOVED = "kept-moved"
    MISSING = "missing"

    @property
    def kept(self) -> bool:
        """Whether something that was there is still there."""
        return self.value.startswith("kept-")


class Waive(Flag):
    """Losses that a person named: ``--force`` is DIRTY, ``--force-delete`` is UNMERGED. Ownership is never waived."""

    NOTHING = 0
    DIRTY = auto()
    UNMERGED = auto()


class RemotePolicy(Enum):
    """Whether the branch goes from the remote too."""

    DELETE = "delete"
    KEEP = "keep"


class Integration(Enum):
    """Why a branch has nothing that the target lacks; the value ends the sentence "its work is in the target: "."""

    ANCESTOR = "the target contains its commits"
    NO_CHANGE = "its commits change nothing"
    SAME_TREE = "the target has the same files"
    ADDS_NOTHING = "merging it would change nothing"
    SQUASHED = "the target has its whole change as one commit"


class Ownership(Enum):
    """Whose branch it is."""

    OURS = "ours"
    NOBODYS = "nobody's"
    """No claim, no worktree of ours, never landed: a person made it."""
    ANOTHERS = "another's"
    """Claimed by somebody else and not landed."""
    REFUSED = "refused"
    """The target, or a name outside CFR-013: never ours, whatever a claim says."""


class Place(Enum):
    """Where a worktree is, as far as removing it goes."""

    OURS = "ours"
    ELSEWHERE = "elsewhere"
    MAIN = "main"
    HERE = "here"
    """This command runs inside it."""
    REPLACED = "replaced"
    """The folder is not that worktree any more."""


class Work(Enum):
    """What the claim says about the work on the branch."""

    OPEN = "open"
    """Claimed or blocked: the agent is not done."""
    EMPTY = "empty"
    """An open claim, and nothing of its own on the branch yet."""
    REVERTED = "reverted"
    """It landed and was taken back."""
    OVER = "over"
    """Done, landed, released, or never claimed."""


class Remote(Enum):
    """What is known of the branch on the remote."""

    UNASKED = "unasked"
    UNWANTED = "unwanted"
    """There is no remote, or it shall not be touched."""
    ABSENT = "absent"
    SAFE = "safe"
    """Its commits are in the remote's target, or are those of the local branch."""
    UNPUSHED = "unpushed"
    """Landed here, but the remote's target does not have it yet."""
    AHEAD = "ahead"
    """It has commits that have not landed; they are known here, so they can be parked."""
    MOVED = "moved"
    """It has commits that are not known here."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What a look into a worktree found; tuples of paths or, in *unsavable*, of sentences."""

    dirty: tuple[str, ...] = ()
    in_progress: str | None = None
    precious: tuple[str, ...] = ()
    """Ignored files that must not go: changed copies, and precious ones that are nobody's copy."""
    hidden: tuple[str, ...] = ()
    """Edited files that the index is told not to look at."""
    unsavable: tuple[str, ...] = ()
    """What no commit of ours could keep, so that no flag waives it."""

    @property
    def clean(self) -> bool:
        """Whether nothing here would be lost."""
        return not (self.dirty or self.in_progress or self.precious or self.hidden or self.unsavable)


@dataclass(frozen=True, slots=True)
class Home:
    """A worktree of the branch. *head* is its HEAD commit, *tree* None until somebody looked."""

    path: Path
    git_dir: Path
    place: Place
    head: Sha | None
    locked: bool
    missing: bool
    restored: bool
    """A person brought it back; only naming it removes it again."""
    tree: Tree | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that decides about one branch. *age* in seconds since it was last touched.

    *tip* is the local branch, *remote_tip* the remote's as last heard. *landed* holds only if every commit that
    would go (tip and HEADs) is in the target.
    """

    branch: str
    named: bool
    ownership: Ownership
    tip: Sha | None
    homes: tuple[Home, ...] = ()
    claim: Claim | None = None
    work: Work = Work.OVER
    running: str | None = None
    landed: Integration | None = None
    remote: Remote = Remote.UNWANTED
    remote_tip: Sha | None = None
    tracking: Sha | None = None
    age: float = float("inf")


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen to a branch: *outcome* with its reason, and the command that would change the answer."""

    facts: Facts
    outcome: Outcome
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Removal:
    """What happened to a branch. *backup* is the ref that keeps what was removed."""

    branch: str
    worktree: Path | None
    outcome: Outcome
    detail: str
    hint: str = ""
    backup: str | None = None
    named: bool = False


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What a cleanup did, a result for each branch it looked at; *changes* only for a dry run.

    *forgotten* are the refs of outdated verdicts that went, None when nobody asked for that.
    """

    results: tuple[Removal, ...]
    changes: tuple[str, ...] | None = None
    forgotten: tuple[str, ...] | None = None

    @property
    def exit_code(self) -> int:
        """1 when a branch that was named is still there, else 0."""
        return int(any(result.named and result.outcome.kept for result in self.results))
