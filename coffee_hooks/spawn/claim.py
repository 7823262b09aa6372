"""Claim tasks: claim, branch number and branch in one ref transaction, under the lock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, list_refs, transact, write_json
from coffee_hooks.base.remote import copy_of
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.spawn.making import Making, take
from coffee_hooks.spawn.numbers import branch_name, next_number, number_of
from coffee_hooks.spawn.report import Skipped
from coffee_hooks.spawn.trees import settled_worktrees
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.graveyard import read_graves
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.sharing import SEQ, last_number

TRIES = 3


class Origin(Enum):
    """Whether this call claimed the task, or found it claimed by a call that died or for another attempt."""

    FRESH = "fresh"
    FOUND = "found"


@dataclass(frozen=True, slots=True)
class Job:
    """A claim of ours that this process brings to its agent; only commits after *since* count as the agent's.

    *taken* is when it began to, in UNIX seconds.
    """

    claim: Claim
    making: Making
    origin: Origin
    since: Sha
    taken: float = field(default_factory=time.time, compare=False)

    @property
    def claimed(self) -> float:
        """When the task was claimed, in UNIX seconds."""
        return self.taken if self.origin is Origin.FRESH else float(self.claim.since)


def claim_all(
    project: Project, base: Sha, roadmap: str, tasks: Sequence[TaskId], proof: LockProof
) -> tuple[list[Job], list[Skipped]]:
    """Claim each task of the file *roadmap* on a new branch at *base*; those that somebody has are skipped."""
    assert proof.name == "spawn"
    claims = claims_.read_claims(project.repo)
    number = first_number(project, claims, settled_worktrees(project.repo)) if tasks else 0
    jobs: list[Job] = []
    skipped: list[Skipped] = []
    try:
        for task in tasks:
            found = _claim(project, _Wanted(task, base, roadmap), number, claims.get(task))
            if isinstance(found, Job):
                jobs.append(found)
                number = number_of(found.claim.branch) + 1
            else:
                skipped.append(found)
    except BaseException:
        for job in jobs:
            give_back(project, job.claim, "interrupted")
            job.making.finish()
        raise
    return jobs, skipped


def first_number(project: Project, claims: Mapping[TaskId, Claim], worktrees: Iterable[Worktree]) -> int:
    """The first branch number that nothing here or on the remote has ever carried."""
    repo = project.repo
    known = list(list_refs(repo, "refs/heads/", "refs/remotes/"))
    known += [str(w.path) for w in worktrees]
    known += [grave.branch for grave in read_graves(repo)]
    known += [claim.branch for claim in claims.values()]
    known += [member.branch for landing in read_landings(repo) for member in landing.members]
    if (root := project.worktrees_root).is_dir():
        known += [entry.name for entry in root.iterdir()]
    copies = (copy_of(project, SEQ),) if project.remote else ()
    return next_number(known, max(last_number(project, ref) for ref in (SEQ, *copies)))


class _Wanted(NamedTuple):
    task: TaskId
    base: Sha
    roadmap: str


def _claim(project: Project, wanted: _Wanted, number: int, earlier: Claim | None) -> Job | Skipped:
    """*earlier* is replaced when it is free."""
    task = wanted.task
    for _ in range(TRIES):
        if earlier is not None and not earlier.is_free(wanted.roadmap):
            return Skipped(task, "claimed", f"{earlier.owner} has it on {earlier.branch}")
        making = take(project.repo.state_dir, branch_name(number))
        if making is not None:
            claim = _transact(project, wanted, number, earlier)
            if claim is not None:
                return Job(claim, making, Origin.FRESH, wanted.base)
            making.finish()
        # Somebody without our lock was faster: a person with the branch, another machine with the task.
        earlier = claims_.read_claims(project.repo).get(task)
        number += 1
    return Skipped(task, "claimed", "others took its branch numbers this very moment; try again")


def _transact(project: Project, wanted: _Wanted, number: int, earlier: Claim | None) -> Claim | None:
    repo, branch = project.repo, branch_name(number)
    fresh = Claim(
        wanted.task, branch, wanted.base, claims_.owner_here(project), 1, ClaimState.CLAIMED, None, None,
        int(time.time()), blob=earlier.blob if earlier else ABSENT, roadmap=wanted.roadmap,
    )  # fmt: skip
    claim, take_it = claims_.moved(repo, fresh)
    moves = [
        take_it,
        Move(SEQ, list_refs(repo, SEQ).get(SEQ, ABSENT), write_json(repo, {"last": number})),
        Move(f"refs/heads/{branch}", ABSENT, wanted.base),
    ]
    return claim if transact(repo, moves, reason=f"coffee spawn {wanted.task}") else None


def give_back(project: Project, claim: Claim, reason: str) -> bool:
    """Undo a claim whose branch still is where it was made: the branch goes, the claim is released.

    False when either has moved since; then nothing was changed.
    """
    _, release = claims_.moved(project.repo, claim, state=ClaimState.RELEASED, reason=reason)
    branch = Move(f"refs/heads/{claim.branch}", claim.base, ABSENT)
    return transact(project.repo, [release, branch], reason=f"coffee spawn: {reason}")
