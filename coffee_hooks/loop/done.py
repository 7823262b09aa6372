"""``coffee done``: an agent or a person says that this HEAD is finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure, RuleError, UsageError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.guard.cfr_013 import check_branch
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.ready.branches import count_ahead
from coffee_hooks.ready.judge import listed
from coffee_hooks.ready.uncommitted import uncommitted
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import ClaimState

TRIES = 5


@dataclass(frozen=True, slots=True)
class Finished:
    """What was declared. *task* is None for a branch that nobody claimed."""

    task: TaskId | None
    branch: str
    sha: Sha


def declare_done(start: Path, message: str | None) -> Finished:
    """Record that HEAD of this worktree is finished. Raises RuleError while it is dirty or without commits.

    Raises UsageError on a detached HEAD and on the target, CFR013ViolationError on a branch that is not ours.
    """
    project = open_project(start)
    branch = _branch_here(project)
    tip = _finished_tip(project, branch)
    for _ in range(TRIES):
        claim = next((c for c in claims_.read_claims(project.repo).values() if c.branch == branch), None)
        if claim is None:
            return Finished(None, branch, tip)
        if claim.state is ClaimState.RELEASED:
            raise RuleError(f"{claim.task} was given back", hint=f"coffee spawn {claim.task}")
        note = one_line(message) if message else None
        # Commits after a landing are new work on the same branch, so a landed claim is finished again.
        if claims_.update(project.repo, claim, state=ClaimState.DONE, sha=tip, reason=note) is not None:
            tell_others(project)
            return Finished(claim.task, branch, tip)
    raise EnvironmentFailure(f"the claim on {branch} changes all the time", hint="coffee status")


def _branch_here(project: Project) -> str:
    said = in_worktree(project.repo.top, "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128))
    if said.rc:
        raise UsageError("HEAD is detached here", hint="switch to the branch of the task first")
    branch = said.text.removeprefix("refs/heads/")
    check_branch(branch, project.config.target)
    if branch == project.config.target:
        raise UsageError(f"this is {branch} itself, not the branch of a task", hint="run it inside the task's worktree")
    return branch


def _finished_tip(project: Project, branch: str) -> Sha:
    repo = project.repo
    here = next((w for w in list_worktrees(repo) if w.branch == branch), None)
    if here is not None and here.in_progress:
        raise RuleError(f"{here.in_progress} is not finished here", hint="finish or abort it, then: coffee done")
    if dirty := uncommitted(repo.top):
        raise RuleError(
            f"not committed yet: {printable(listed(dirty))}", hint="commit, ignore or remove them, then: coffee done"
        )
    tip = resolve_commit(repo, f"refs/heads/{branch}")
    if tip is None or not count_ahead(repo, read_target(project).sha, [tip])[tip]:
        raise RuleError(f"{branch} has no commits of its own", hint="commit the work first, then: coffee done")
    return tip
