"""The worktrees of a repository as git lists them."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.model import Sha

HALF_WRITTEN_SECONDS = 1.0
LONGEST_POINTER = 1 << 16

_IN_PROGRESS = {
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or am",
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_START": "a bisect",
    "sequencer": "a cherry-pick or revert of several commits",
}


@dataclass(frozen=True, slots=True)
class Worktree:
    """One checkout. *branch* is the short name, None when HEAD is detached; *missing* when its folder is gone."""

    path: Path
    head: Sha | None
    branch: str | None
    locked: bool
    missing: bool
    git_dir: Path
    """Its own administrative folder."""

    @property
    def points_back(self) -> bool:
        """Whether its folder is still the worktree that git thinks is there."""
        git_dir = pointer_of(self.path)
        return git_dir is not None and not self.path.is_symlink() and git_dir.resolve() == self.git_dir.resolve()

    @property
    def in_progress(self) -> str | None:
        """The operation that waits to be finished here, in words."""
        return operation_in(self.git_dir)

    @property
    def busy_branch(self) -> str | None:
        """The branch that a rebase in this worktree will move when it ends."""
        for folder in ("rebase-merge", "rebase-apply"):
            try:
                name = (self.git_dir / folder / "head-name").read_text(errors="surrogateescape").strip()
            except OSError:
                continue
            return name.removeprefix("refs/heads/")
        return None


def operation_in(git_dir: Path) -> str | None:
    """The operation that waits to be finished in the checkout of *git_dir*, in words."""
    return next((words for name, words in _IN_PROGRESS.items() if (git_dir / name).exists()), None)


def list_worktrees(repo: Repo) -> tuple[Worktree, ...]:
    """Every worktree, the main one first. One git process.

    Raises GitFailed when git cannot read them, which it is given time for: while another process makes a worktree,
    git for a moment finds a half-written entry and dies.
    """
    deadline = time.monotonic() + HALF_WRITTEN_SECONDS
    while True:
        try:
            said = repo.objects("worktree", "list", "--porcelain", "-z", env={"GIT_WORK_TREE": str(repo.main)})
            break
        except GitFailed as failed:
            if "commondir" not in failed.result.err or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    admin = _admin_folders(repo)
    return tuple(_parse(block, repo, admin) for block in said.out.split(b"\0\0") if block.strip(b"\0"))


def _parse(block: bytes, repo: Repo, admin: dict[str, Path]) -> Worktree:
    fields = dict(line.partition(b" ")[::2] for line in block.strip(b"\0").split(b"\0"))
    path = os.fsdecode(fields[b"worktree"])
    head = fields.get(b"HEAD", b"").decode()
    branch = fields.get(b"branch")
    return Worktree(
        path=Path(path),
        head=Sha(head) if head.strip("0") else None,
        branch=os.fsdecode(branch).removeprefix("refs/heads/") if branch else None,
        locked=b"locked" in fields,
        missing=not Path(path).is_dir(),
        git_dir=admin.get(path, repo.common_dir),
    )


def _admin_folders(repo: Repo) -> dict[str, Path]:
    found = {}
    root = repo.common_dir / "worktrees"
    for entry in sorted(root.iterdir()) if root.is_dir() else ():
        try:
            gitfile = os.fsdecode((entry / "gitdir").read_bytes()).removesuffix("\n")
        except OSError:
            continue
        found[str((entry / gitfile).parent if not gitfile.startswith("/") else Path(gitfile).parent)] = entry
    return found


def pointer_of(folder: Path) -> Path | None:
    """The git folder that the ``.git`` file of *folder* names; None when there is no such file.

    Agents can put anything in its place: a pipe, which nobody ever writes to, must not stop us.
    """
    try:
        descriptor = os.open(folder / ".git", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        text = os.read(descriptor, LONGEST_POINTER)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    named = os.fsdecode(text.removesuffix(b"\n").removeprefix(b"gitdir: "))
    return None if "\0" in named else folder / named
