"""What a spawn that was killed left behind: given back where nothing was begun, brought to its end where it was.

Only under the spawn lock. What a living process is at is left alone; it holds the lock of its `making` file, its
supervisor that of its order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.spawn.claim import Job, Origin, give_back
from coffee_hooks.spawn.living import at_work
from coffee_hooks.spawn.making import being_made, forget_dead, take
from coffee_hooks.spawn.place import worktree_path
from coffee_hooks.spawn.signs import fingerprint
from coffee_hooks.spawn.trees import settled_worktrees
from coffee_hooks.spawn.worktree import undo_worktree
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import AgentRun, EndReason, active_runs, end_run, runs_of
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.store import Store

QUIET_SECONDS = 1.0
"""How long a half-made worktree must stand still: a git whose coffee was killed may still be writing it."""
QUIET_LOOKS = 60


class Tree(Enum):
    """How far the worktree of a claim came."""

    NONE = "none"
    HALF = "half"
    """It was never filled with files to the end: git writes the index last."""
    THERE = "there"
    GONE = "gone"
    """git knows it, its folder is not there."""
    STRAYED = "strayed"
    """What is in its folder is on another branch: somebody has worked there."""


class Fate(Enum):
    """What to do with a claim that has no agent."""

    LEAVE = "leave"
    RELEASE = "release"
    """Nothing is left of it but the claim."""
    GIVE_BACK = "give-back"
    """Claim and branch go, as after a failure."""
    CONTINUE = "continue"
    FAIL = "fail"
    """An agent has been there, and was not started again."""


@dataclass(frozen=True, slots=True)
class Stranded:
    """What is known of one claim. *started* says that this attempt has, or had, an agent."""

    claim: Claim
    ours: bool
    busy: bool
    started: bool
    tip: Sha | None
    tree: Tree


def fate(found: Stranded) -> Fate:
    """What becomes of a claim. Pure. Nothing that anybody may have worked in is ever taken away."""
    if found.claim.state is not ClaimState.CLAIMED or not found.ours or found.busy or found.started:
        return Fate.LEAVE
    if found.tree is Tree.STRAYED:
        return Fate.LEAVE if found.claim.reason else Fate.FAIL
    if found.tip is None:
        return Fate.RELEASE if found.tree is Tree.NONE else Fate.LEAVE
    if found.tree is Tree.HALF:
        return Fate.GIVE_BACK if found.tip == found.claim.base else Fate.LEAVE
    if found.tree is Tree.NONE and found.tip == found.claim.base:
        return Fate.GIVE_BACK
    return Fate.CONTINUE


def recover(project: Project, store: Store, most: int, proof: LockProof) -> tuple[Job, ...]:
    """Give back what was only begun; returns at most *most* claims that want their worktree finished and an agent."""
    assert proof.name == "spawn"
    state_dir = project.repo.state_dir
    claims = [c for c in claims_.read_claims(project.repo).values() if c.state is ClaimState.CLAIMED]
    jobs: list[Job] = []
    for found in _look(project, store, claims):
        claim = found.claim
        what = fate(found)
        if what is Fate.RELEASE and claims_.update(
            project.repo, claim, state=ClaimState.RELEASED, reason="branch gone"
        ):
            output.say(f"{claim.task} is free again: its branch {claim.branch} is gone")
        if what is Fate.GIVE_BACK:
            _undo(project, claim, found.tree)
        if what is Fate.FAIL:
            claims_.update(project.repo, claim, reason=f"its worktree is not on {claim.branch} any more")
        if what is Fate.CONTINUE and len(jobs) < most and (making := take(state_dir, claim.branch)):
            _close_runs(store, claim)
            output.say(f"{claim.task} was claimed and never got its agent: it goes on in {claim.branch}")
            jobs.append(Job(claim, making, Origin.FOUND, claim.base))
    forget_dead(state_dir)
    return tuple(jobs)


def stranded(project: Project, store: Store, claim: Claim) -> bool:
    """Whether a call that was killed left *claim* here, with its branch, before it had an agent."""
    return any(fate(found) is Fate.CONTINUE for found in _look(project, store, [claim]))


def _look(project: Project, store: Store, claims: Iterable[Claim]) -> list[Stranded]:
    claims = list(claims)
    if not claims:
        return []
    state_dir = project.repo.state_dir
    living = at_work(state_dir, store)
    worktrees = settled_worktrees(project.repo)
    trees = {w.branch: w for w in worktrees}
    others = {w.path.resolve() for w in worktrees if (w.git_dir / "index").exists()}  # filled: git writes that last
    tips = list_refs(project.repo, *(f"refs/heads/{claim.branch}" for claim in claims))
    owner = claims_.owner_here(project)
    return [
        Stranded(
            claim,
            ours=claim.owner == owner,
            busy=claim.branch in living or being_made(state_dir, claim.branch),
            started=claim.reason == EndReason.CANCELLED.value
            or any(_was_started(run, claim) for run in runs_of(store, claim.task)),
            tip=tips.get(f"refs/heads/{claim.branch}"),
            tree=_tree(trees.get(claim.branch), worktree_path(project, claim.branch).resolve() in others),
        )
        for claim in claims
    ]


def _was_started(run: AgentRun, claim: Claim) -> bool:
    return run.branch == claim.branch and run.attempt >= claim.attempt and run.pid is not None


def _tree(worktree: Worktree | None, taken: bool) -> Tree:
    """How far *worktree* came; where there is none, its place may be *taken* by one of another branch."""
    if worktree is None:
        return Tree.STRAYED if taken else Tree.NONE
    begun = (worktree.git_dir / "index").exists() and _lock_reason(worktree) != "initializing"
    return Tree.HALF if not begun else Tree.GONE if worktree.missing else Tree.THERE


def _lock_reason(worktree: Worktree) -> str:
    try:
        return (worktree.git_dir / "locked").read_text(errors="replace").strip()
    except OSError:
        return ""


def _undo(project: Project, claim: Claim, tree: Tree) -> None:
    path = worktree_path(project, claim.branch)
    if tree is Tree.HALF:
        _wait_until_quiet(path)
    if undo_worktree(project, claim.branch, path) and give_back(project, claim, "spawn was interrupted"):
        output.say(f"{claim.task} was claimed and never begun: it is free again")


def _wait_until_quiet(path: Path) -> None:
    before = None
    for _ in range(QUIET_LOOKS):
        now = fingerprint(path)
        if now == before:
            return
        before = now
        time.sleep(QUIET_SECONDS)


def _close_runs(store: Store, claim: Claim) -> None:
    """Runs of this claim that never got a process are over."""
    for run in active_runs(store):
        if run.branch == claim.branch:
            end_run(store, run.id, time.time(), None, EndReason.LOST)
