"""Claim a task: claim, branch number and branch in one ref transaction, under the lock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, list_refs, read_json, transact, write_json
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.spawn.numbers import branch_name, next_number
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.graveyard import read_graves
from coffee_hooks.state.landings import read_landings

SEQ = "refs/coffee/seq"


def first_number(project: Project, claims: Mapping[TaskId, Claim], worktrees: Iterable[Worktree]) -> int:
    """The first branch number that nothing here or on the remote has ever carried."""
    repo = project.repo
    refs = list_refs(repo, "refs/heads/", "refs/remotes/", SEQ)
    known = [name.rpartition("/")[2] for name in refs]
    known += [str(w.path) for w in worktrees]
    known += [grave.branch for grave in read_graves(repo)]
    known += [claim.branch for claim in claims.values()]
    known += [member.branch for landing in read_landings(repo) for member in landing.members]
    if (root := project.worktrees_root).is_dir():
        known += [entry.name for entry in root.iterdir()]
    return next_number(known, _sequence(project))


def _sequence(project: Project) -> int:
    values = read_json(project.repo, list_refs(project.repo, SEQ).values())
    return max((int(v["last"]) for v in values.values() if type(v.get("last")) is int), default=0)


def claim_task(
    project: Project, task: TaskId, base: Sha, number: int, earlier: Claim | None, proof: LockProof
) -> Claim | None:
    """Claim *task* on a new branch at *base*; None when somebody else was first.

    *earlier* is a released or reverted claim that this one replaces.
    """
    assert proof.name == "spawn"
    repo = project.repo
    branch = branch_name(number)
    attempt = earlier.attempt + 1 if earlier else 1
    fresh = Claim(
        task, branch, base, claims_.owner_name(), attempt, ClaimState.CLAIMED, None, None, int(time.time()),
        blob=earlier.blob if earlier else ABSENT,
    )  # fmt: skip
    claim, take = claims_.moved(repo, fresh)
    old_sequence = list_refs(repo, SEQ).get(SEQ, ABSENT)
    moves = [
        take,
        Move(SEQ, old_sequence, write_json(repo, {"last": number})),
        Move(f"refs/heads/{branch}", ABSENT, base),
    ]
    return claim if transact(repo, moves, reason=f"coffee spawn {task}") else None


def give_back(project: Project, claim: Claim, reason: str) -> bool:
    """Undo a claim whose branch still is where it was made: the branch goes, the claim is released.

    False when either has moved since; then nothing was changed.
    """
    _, release = claims_.moved(project.repo, claim, state=ClaimState.RELEASED, reason=reason)
    branch = Move(f"refs/heads/{claim.branch}", claim.base, ABSENT)
    return transact(project.repo, [release, branch], reason=f"coffee spawn: {reason}")
