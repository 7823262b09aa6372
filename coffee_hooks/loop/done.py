"""``coffee done``: an agent or a person says that this HEAD is finished."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line
from coffee_hooks.guard.cfr_013 import check_branch
from coffee_hooks.ready.branches import count_ahead
from coffee_hooks.ready.judge import listed
from coffee_hooks.ready.observe import uncommitted
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import ClaimState


@dataclass(frozen=True, slots=True)
class Finished:
    """What was declared. *task* is None for a branch that nobody claimed."""

    task: TaskId | None
    branch: str
    sha: Sha


def declare_done(start: Path, message: str | None) -> Finished:
    """Record that HEAD of this worktree is finished. Raises RuleError while it is dirty or without commits."""
    project = open_project(start)
    repo = project.repo
    said = in_worktree(repo.top, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128))
    if said.rc:
        raise UsageError("HEAD is detached here", hint="switch to the branch of the task first")
    branch = said.text
    check_branch(branch, project.config.target)
    if branch == project.config.target:
        raise UsageError(f"this is {branch} itself, not the branch of a task", hint="run it inside the task's worktree")
    tip = resolve_commit(repo, f"refs/heads/{branch}")
    target = read_target(project).sha
    dirty = uncommitted(repo.top)
    if dirty:
        raise RuleError(f"not committed yet: {listed(dirty)}", hint="commit, ignore or remove them, then: coffee done")
    if tip is None or not count_ahead(repo, target, [tip])[tip]:
        raise RuleError(f"{branch} has no commits of its own", hint="commit the work first, then: coffee done")
    claim = next((c for c in claims_.read_claims(repo).values() if c.branch == branch), None)
    if claim is None:
        return Finished(None, branch, tip)
    if claim.state in (ClaimState.CLAIMED, ClaimState.DONE, ClaimState.BLOCKED):
        note = one_line(message) if message else None
        if claims_.update(repo, claim, state=ClaimState.DONE, sha=tip, reason=note) is None:
            return declare_done(start, message)  # its supervisor wrote at the same moment: look again
    return Finished(claim.task, branch, tip)
