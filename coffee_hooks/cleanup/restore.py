"""Bring back what cleanup parked: branch, worktree and uncommitted work. The graves stay; a restore copies."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, read_ref, transact
from coffee_hooks.base.text import printable
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.cleanup.integrated import read_commits
from coffee_hooks.cleanup.scene import HEADS, RESTORED
from coffee_hooks.guard.cfr_013 import PREFIX, branch_allowed
from coffee_hooks.state.graveyard import Grave, graves_of, read_graves

REASON = "coffee restore is at work"
"""The lock of a worktree that is being filled: a killed restore is known by it and finished by the next."""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What a restore would do: the branch at *sha*, in the worktree *path*; *there* where one already holds it."""

    project: Project
    grave: Grave
    sha: Sha
    exists: bool
    path: Path
    there: Worktree | None
    unfinished: bool
    """Whether the worktree still has to be made or filled."""

    @property
    def changes(self) -> tuple[str, ...]:
        """The exact changes as lines of text, in order."""
        lines = [] if self.exists else [f"create {HEADS}{self.grave.branch} ({self.sha[:10]})"]
        if self.there is None:
            lines.append(f"add the worktree {os.fspath(self.path)}")
        if self.unfinished and self.grave.dirty:
            lines.append(f"put back the uncommitted work of {self.grave.prefix}dirty")
        return tuple(map(printable, lines))


@dataclass(frozen=True, slots=True)
class Restored:
    """A branch that is back at *sha* in *worktree*; *backup* is the ref it was copied from."""

    branch: str
    sha: Sha
    worktree: Path
    backup: str
    detail: str


def list_parked(project: Project) -> tuple[Grave, ...]:
    """Everything that can be brought back, by branch, the latest burial last."""
    return read_graves(project.repo)


def plan_restore(project: Project, branch: str, number: int | None = None) -> RestorePlan:
    """What bringing back *branch* would do; *number* picks an earlier burial than the latest.

    Raises UsageError when nothing is parked, when the branch exists with other commits, or when its place is taken.
    """
    repo = project.repo
    branch = branch.removeprefix(HEADS)
    graves = [g for g in graves_of(read_graves(repo), branch) if number in (None, g.number)]
    if not graves or not branch_allowed(branch):
        raise UsageError(f"nothing is parked for {printable(branch)}", hint="coffee restore lists what is")
    grave = graves[-1]
    sha = next(iter(grave.kept.values()))
    current = read_ref(repo, HEADS + branch)
    if current not in (None, sha):
        raise UsageError(
            f"{branch} exists with other commits ({current and current[:10]} instead of {sha[:10]})",
            hint=f"look at the parked ones with: git log {next(iter(grave.kept))}",
        )
    path = project.worktrees_root / branch.removeprefix(PREFIX)
    worktrees = list_worktrees(repo)
    there = next((w for w in worktrees if w.branch == branch), None)
    if there is None and (any(w.path == path for w in worktrees) or _taken(path)):
        raise UsageError(f"{path} is in the way", hint="move it away (git worktree list), then run this again")
    unfinished = there is None or _lock_reason(there) == REASON
    return RestorePlan(project, grave, sha, current is not None, there.path if there else path, there, unfinished)


def apply_restore(plan: RestorePlan) -> Restored:
    """Bring it back. Raises UsageError when somebody else was faster, GitFailed when the disk refuses."""
    repo, grave = plan.project.repo, plan.grave
    if not plan.exists and not transact(repo, [Move(HEADS + grave.branch, ABSENT, plan.sha)], reason="coffee restore"):
        raise UsageError(f"{grave.branch} was created meanwhile", hint="run this again")
    if plan.there is None:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        add = ("worktree", "add", "--no-checkout", "--lock", "--reason", REASON, "--")
        in_worktree(repo.main, *add, os.fspath(plan.path), grave.branch)
    if plan.unfinished:
        _fill(plan)
    return Restored(grave.branch, plan.sha, plan.path, next(iter(grave.kept)), _detail(plan))


def restore(project: Project, branch: str, number: int | None = None) -> Restored:
    """Plan and apply in one go."""
    return apply_restore(plan_restore(project, branch, number))


def _fill(plan: RestorePlan) -> None:
    """Files and index of the parked work; then the worktree is marked as a person's and unlocked."""
    dirty = plan.grave.dirty
    in_worktree(plan.path, "read-tree", "--reset", "-u", dirty or plan.sha)
    if dirty:
        index = read_commits(plan.project.repo, [dirty])[dirty].parents[-1]
        in_worktree(plan.path, "read-tree", index)
        in_worktree(plan.path, "update-index", "-q", "--refresh", ok=(0, 1))
    git_dir = in_worktree(plan.path, "rev-parse", "--absolute-git-dir").text
    (Path(git_dir) / RESTORED).write_text("Only naming this branch removes it again.\n")
    in_worktree(plan.project.repo.main, "worktree", "unlock", "--", os.fspath(plan.path))


def _detail(plan: RestorePlan) -> str:
    grave = plan.grave
    said = ["brought back" if plan.unfinished else "it is there already"]
    if grave.dirty and plan.unfinished:
        said.append("uncommitted work included")
    elif grave.dirty:
        said.append(f"its uncommitted work is kept at {grave.prefix}dirty")
    said += [
        f"{what} kept at {grave.prefix}{kind}"
        for kind, what, sha in (
            ("head", "its detached HEAD is", grave.head),
            ("remote", "the remote branch is", grave.remote),
            ("strays", "commits of its reflogs are", grave.strays),
        )
        if sha and sha != plan.sha
    ]
    return ", ".join(said)


def _taken(path: Path) -> bool:
    return path.is_symlink() or path.is_file() or (path.is_dir() and any(path.iterdir()))


def _lock_reason(worktree: Worktree) -> str | None:
    try:
        return (worktree.git_dir / "locked").read_text(errors="replace").strip()
    except OSError:
        return None
