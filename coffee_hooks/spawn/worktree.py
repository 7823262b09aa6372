"""Make one worktree for a claim: added, proved to be right, given its ignored files, set up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.config import Command
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import CoffeeError, RuleError
from coffee_hooks.base.git import GitFailed, in_worktree
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.process import End, run
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import Occasion, Point, run_hook
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.guard.cfr_013 import check_branch
from coffee_hooks.spawn.copies import Copies, copy_into
from coffee_hooks.spawn.kit import Kit
from coffee_hooks.spawn.trees import add_worktree, remove_worktree, settled_worktrees
from coffee_hooks.state.claims import Claim

SETUP_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Made:
    """A worktree that is ready for an agent; UNIX times of its making without the user's own setup."""

    started: float
    ended: float


class WorktreeFailed(CoffeeError):
    """The worktree could not be made; what this call made of it is gone again."""

    exit_code = 4


def make_worktree(project: Project, kit: Kit, copies: Copies) -> Made:
    """Make the worktree of *kit*. Raises WorktreeFailed with everything of this call undone."""
    path = kit.worktree
    with _explained(kit.claim.task):
        try:
            path.mkdir()  # from here on the folder is ours: whatever else has this name is refused
        except FileExistsError:
            raise _already_there(path, kit.claim.branch) from None
        try:
            started = time.time()
            add_worktree(project.repo, path, kit.claim.branch)
            return equip(project, kit, copies, started)
        except BaseException:
            undo_worktree(project, kit.claim.branch, path)
            if path.exists():
                output.say(f"{printable(str(path))} could not be removed and stays")
            raise


def _already_there(path: Path, branch: str) -> WorktreeFailed:
    where = printable(str(path))
    on = in_worktree(path, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128)) if path.is_dir() else None
    if on is not None and on.text and (path / ".git").is_file():  # an agent that changed branches
        strayed = f"{where} is on {printable(on.text)}, not on {branch}"
        return WorktreeFailed(strayed, hint=f"git -C {where} switch {branch}")
    return WorktreeFailed(f"{where} is already there", hint="move it away, or choose another worktrees.root")


def continue_worktree(project: Project, kit: Kit, copies: Copies) -> Made:
    """Finish a worktree that is there already. Raises WorktreeFailed; nothing of it is taken away."""
    with _explained(kit.claim.task):
        return equip(project, kit, copies, time.time())


def equip(project: Project, kit: Kit, copies: Copies, started: float) -> Made:
    """Prove that the checkout is the right one, then give it its files and the user's setup."""
    git_dir = prove(project, kit.claim, kit.worktree)
    copy_into(project.repo.main, kit.worktree, git_dir, copies)
    made = Made(started, time.time())
    run_step(kit, "worktrees.setup", project.config.worktrees.setup)
    obey_hook(project, kit, Point.AFTER_CREATE)
    return made


def restore_worktree(claim: Claim, gone: Worktree) -> None:
    """Bring back a worktree whose folder is gone from its own index, so that what was staged there is not lost.

    Raises RuleError when it is locked (its disk may only be away), WorktreeFailed.
    """
    if gone.locked:
        raise RuleError(
            f"the worktree {printable(str(gone.path))} is locked and not there",
            hint=f"mount its disk, or: git worktree unlock {printable(str(gone.path))}",
        )
    with _explained(claim.task):
        gone.path.mkdir(parents=True)
        (gone.path / ".git").write_bytes(b"gitdir: " + bytes(gone.git_dir) + b"\n")
        if (gone.git_dir / "index").exists():
            in_worktree(gone.path, "checkout-index", "--all", "--quiet")
        else:
            in_worktree(gone.path, "read-tree", "-m", "-u", "HEAD")
        in_worktree(gone.path, "update-index", "-q", "--refresh", ok=(0, 1))


def undo_worktree(project: Project, branch: str, path: Path) -> bool:
    """Remove what :func:`make_worktree` made at *path*; nobody has worked in it yet. False when git still knows it."""
    remove_worktree(project.repo, path, branch)
    with contextlib.suppress(OSError):
        path.rmdir()  # only when it is empty: anything else in it is not ours
    return all(w.branch != branch for w in settled_worktrees(project.repo))


def prove(project: Project, claim: Claim, path: Path) -> Path:
    """CFR-013, and that this is the checkout we think it is. Returns its git folder. Raises WorktreeFailed."""
    said = in_worktree(
        path, "rev-parse", "--path-format=absolute", "--git-common-dir", "--git-dir", "--symbolic-full-name", "HEAD"
    )
    common, git_dir, head = said.text.split("\n", 2)
    branch = head.removeprefix("refs/heads/")
    check_branch(branch, project.config.target)
    if Path(common) != project.repo.common_dir or branch != claim.branch:
        raise WorktreeFailed(f"{printable(str(path))} is not the worktree of {claim.branch}", hint="coffee doctor")
    return Path(git_dir)


def run_step(kit: Kit, key: str, command: Command) -> None:
    """Run a command of the user's in the worktree; nothing for an empty one. Raises WorktreeFailed."""
    if not command:
        return
    argv = kit.fill(command)
    ended = run(argv, cwd=kit.worktree, env=for_children(kit.environment), log=kit.log, seconds=SETUP_SECONDS)
    if ended.end is End.NOT_FOUND:
        raise WorktreeFailed(f"{key}: the command {argv[0]!r} was not found", hint=f"install it, or change {key}")
    if ended.end is not End.EXITED or ended.rc != 0:
        how = f"exit code {ended.rc}" if ended.end is End.EXITED else ended.end.value
        raise WorktreeFailed(f"{key} failed ({argv[0]}: {how})", hint=f"read {kit.log}")


def obey_hook(project: Project, kit: Kit, point: Point) -> None:
    """Run a hook that comes before the agent. Raises WorktreeFailed when it fails."""
    if not point.command(project.config.hooks):
        return
    claim = kit.claim
    head = in_worktree(kit.worktree, "rev-parse", "--verify", "HEAD").text
    more = {"attempt": claim.attempt, "spec": kit.values["spec"] or None}
    occasion = Occasion(
        project.repo.main, claim.task, claim.branch, head, claim.base, kit.worktree, kit.log, kit.worktree, more,
        kit.environment, kit.values,
    )  # fmt: skip
    failure = run_hook(project.config.hooks, point, occasion)
    if failure is not None:
        raise WorktreeFailed(failure.what, hint=failure.hint)


@contextlib.contextmanager
def _explained(task: TaskId) -> Iterator[None]:
    what = f"the worktree for {task} could not be made"
    try:
        yield
    except GitFailed as failed:
        raise WorktreeFailed(what, hint="coffee doctor", detail=failed.detail or failed.what) from failed
    except OSError as failed:
        raise WorktreeFailed(
            f"{what}: {failed.strerror}",
            hint="free space or rights in worktrees.root, then run this again",
            detail=str(failed),
        ) from failed
