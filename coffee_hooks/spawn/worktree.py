"""Make one worktree for a claim: added, populated, given its ignored files, set up and proved to be right."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import GitFailed, in_worktree
from coffee_hooks.base.process import End, run
from coffee_hooks.base.project import Project
from coffee_hooks.guard.cfr_013 import check_branch
from coffee_hooks.spawn.copies import Copies, copy_into
from coffee_hooks.spawn.numbers import folder_name
from coffee_hooks.state.claims import Claim

SETUP_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Made:
    """A worktree that is ready for an agent; *seconds* it took without the user's setup."""

    path: Path
    git_dir: Path
    seconds: float


class WorktreeFailed(CoffeeError):
    """The worktree could not be made; what this call made of it is gone again."""

    exit_code = 4


def worktree_path(project: Project, branch: str) -> Path:
    """Where the worktree of *branch* belongs."""
    return project.worktrees_root / folder_name(branch)


def make_worktree(project: Project, claim: Claim, copies: Copies, log: Path, env: dict[str, str]) -> Made:
    """Make the worktree of *claim*. Raises WorktreeFailed with everything of this call undone."""
    path = worktree_path(project, claim.branch)
    started = time.monotonic()
    if path.exists() or path.is_symlink():
        raise WorktreeFailed(f"{path} is already there", hint="move it away, or choose another worktrees.root")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        in_worktree(project.repo.main, "worktree", "add", "--", str(path), claim.branch)
        git_dir = _prove(project, claim, path)
        copy_into(project.repo.main, path, git_dir, copies)
        seconds = time.monotonic() - started
        _set_up(project, path, log, env)
    except GitFailed as failed:
        undo_worktree(project, path)
        raise WorktreeFailed(
            f"the worktree for {claim.task} could not be made",
            hint="coffee doctor",
            detail=failed.detail or failed.what,
        ) from failed
    except OSError as failed:
        undo_worktree(project, path)
        raise WorktreeFailed(
            f"the worktree for {claim.task} could not be made: {failed.strerror}",
            hint="free space or rights in worktrees.root, then run this again", detail=str(failed),
        ) from failed  # fmt: skip
    except BaseException:
        undo_worktree(project, path)
        raise
    return Made(path, git_dir, seconds)


def undo_worktree(project: Project, path: Path) -> None:
    """Remove what :func:`make_worktree` made at *path*; nobody has worked in it yet."""
    removed = in_worktree(project.repo.main, "worktree", "remove", "--force", "--", str(path), ok=(0, 128))
    if removed.rc and (path / ".git").is_file():  # ours, half made: git no longer knows it
        shutil.rmtree(path, ignore_errors=True)
        in_worktree(project.repo.main, "worktree", "prune", ok=(0, 128))


def _prove(project: Project, claim: Claim, path: Path) -> Path:
    """CFR-013, and that this is the checkout we think it is. Returns its git folder."""
    said = in_worktree(
        path, "rev-parse", "--path-format=absolute", "--git-common-dir", "--git-dir", "--symbolic-full-name", "HEAD"
    )
    common, git_dir, head = said.text.split("\n", 2)
    branch = head.removeprefix("refs/heads/")
    check_branch(branch, project.config.target)
    if Path(common) != project.repo.common_dir or branch != claim.branch:
        raise WorktreeFailed(f"{path} is not the worktree of {claim.branch}", hint="coffee doctor")
    return Path(git_dir)


def _set_up(project: Project, path: Path, log: Path, env: dict[str, str]) -> None:
    setup = project.config.worktrees.setup
    if not setup:
        return
    ended = run(setup, cwd=path, env=for_children(env), log=log, seconds=SETUP_SECONDS)
    if ended.end is not End.EXITED or ended.rc != 0:
        raise WorktreeFailed(f"worktrees.setup failed ({setup[0]})", hint=f"read {log}")
