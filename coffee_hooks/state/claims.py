"""Claims: one ref per task, created once, moved by compare-and-swap. The truth about who works on what."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import (
    CLAIMS,
    Move,
    encode,
    is_branch_name,
    read_stored,
    to_sha,
    to_text,
    transact,
    write_json,
)
from coffee_hooks.sources.task_names import is_of

if TYPE_CHECKING:  # a supervisor reads claims and no configuration
    from coffee_hooks.base.project import Project

PREFIX = CLAIMS


class ClaimState(Enum):
    """How far a claimed task has come."""

    CLAIMED = "claimed"
    DONE = "done"
    LANDED = "landed"
    REVERTED = "reverted"
    BLOCKED = "blocked"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who works on *task*, on which branch since which commit. *since* is UNIX time.

    *sha* is the commit a DONE claim stands for, or the landing of a LANDED one. *blob* is where the claim was
    read from: the old value of the next compare-and-swap. *nonce* keeps two claims of the same bytes apart.
    *roadmap* is the file that names the task, None in a claim that does not say. *start* is where the branch was when
    this attempt began, None for *base*; *barren* is how many attempts in a row before it left no commit.
    """

    task: TaskId
    branch: str
    base: Sha
    owner: str
    attempt: int
    state: ClaimState
    sha: Sha | None
    reason: str | None
    since: int
    nonce: str = ""
    blob: Sha = ABSENT
    roadmap: str | None = None
    start: Sha | None = None
    barren: int = 0

    @property
    def ref(self) -> str:
        """Where the claim lives."""
        return PREFIX + encode(self.task)

    @property
    def open(self) -> bool:
        """Whether somebody may still be working on it or its branch waits to be landed."""
        return self.state in (ClaimState.CLAIMED, ClaimState.DONE, ClaimState.BLOCKED)

    def barren_at(self, tip: Sha | None) -> int:
        """How many attempts in a row left no commit, this one included if the branch is at *tip* when it is over."""
        return self.barren + 1 if tip == (self.start or self.base) else 0

    def is_free(self, roadmap: str) -> bool:
        """Whether the task of that name in the file *roadmap* may be claimed anew."""
        if self.state is ClaimState.LANDED:
            return not is_of(self.task, self.roadmap, roadmap)
        return self.state in (ClaimState.RELEASED, ClaimState.REVERTED)


def owner_name() -> str:
    """Who claims on this machine: ``user@host``."""
    import getpass
    import socket

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # no passwd entry, as in many containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def owner_here(project: Project) -> str:
    """Who claims in this repository. Where claims travel each clone has a name of its own: ``user@host/3fa9c1``.

    It is drawn once and kept beside the database: machines may have the same names, users and paths.
    """
    if not project.config.shared:
        return owner_name()
    file = project.repo.state_dir / "clone"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        drawn = file.with_name(f"clone.{secrets.token_hex(4)}")
        drawn.write_text(secrets.token_hex(3))
        with contextlib.suppress(FileExistsError):  # somebody else's is the one, then
            file.hardlink_to(drawn)
        drawn.unlink()
    return f"{owner_name()}/{file.read_text()}"


def read_claims(repo: Repo) -> dict[TaskId, Claim]:
    """Every claim by task. One git process."""
    claims = {ref: _decode(stored.value, stored.blob) for ref, stored in read_stored(repo, PREFIX).items()}
    # A claim that lies under another task's name could only be mistaken for that task's.
    return {claim.task: claim for ref, claim in claims.items() if claim is not None and claim.ref == ref}


def moved(repo: Repo, claim: Claim, **changes: Any) -> tuple[Claim, Move]:
    """*claim* with *changes* written as a new blob, and the move that would put it in place."""
    changed = replace(claim, nonce=secrets.token_hex(8), **changes)
    blob = write_json(repo, _encode(changed))
    return replace(changed, blob=blob), Move(claim.ref, claim.blob, blob)


def update(repo: Repo, claim: Claim, **changes: Any) -> Claim | None:
    """Change the claim by compare-and-swap; None when somebody else changed it first."""
    changed, move = moved(repo, claim, **changes)
    return changed if transact(repo, [move]) else None


def _encode(claim: Claim) -> dict[str, Any]:
    optional = {"roadmap": claim.roadmap, "start": claim.start, "barren": claim.barren}
    return {
        "task": claim.task, "branch": claim.branch, "base": claim.base, "owner": claim.owner, "nonce": claim.nonce,
        "attempt": claim.attempt, "state": claim.state.value, "sha": claim.sha, "reason": claim.reason,
        "since": claim.since,
        **{name: value for name, value in optional.items() if value},
    }  # fmt: skip


def _decode(value: Mapping[str, Any], blob: Sha) -> Claim | None:
    try:
        return Claim(
            task=TaskId(to_text(value["task"])), branch=_branch(value["branch"]), base=to_sha(value["base"]),
            owner=to_text(value.get("owner", "")), attempt=int(value.get("attempt", 1)),
            state=ClaimState(value["state"]), sha=to_sha(value["sha"]) if value.get("sha") else None,
            reason=None if value.get("reason") is None else to_text(value["reason"]),
            since=int(value.get("since", 0)), nonce=to_text(value.get("nonce", "")), blob=blob,
            roadmap=None if value.get("roadmap") is None else to_text(value["roadmap"]),
            start=to_sha(value["start"]) if value.get("start") else None, barren=int(value.get("barren", 0)),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, OverflowError):  # by hand or by a later version: we may not act on it
        return None


def _branch(value: object) -> str:
    name = to_text(value)
    if not is_branch_name(name):
        raise ValueError(f"{name!r} is no name for a branch")
    return name
