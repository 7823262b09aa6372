"""A checked-out target is moved by fast-forward only, and only where no local edit is in the way."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, read_blobs, read_ref, transact
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.worktrees import list_worktrees

LOCK_SECONDS = 3.0
"""How long somebody else's index.lock is waited for."""

# Without these a fast-forward overwrites ignored files, stashes local edits, or fails on a signature setting.
_GUARDED = ("--quiet", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--no-verify-signatures")


@dataclass(frozen=True, slots=True)
class InTheWay:
    """The checkout of the target could not follow, and was left as it was."""

    worktree: Path
    detail: str


def holder(repo: Repo, target_ref: str) -> tuple[Path, str | None] | None:
    """The worktree that has the target checked out, and what keeps it from moving; None when nobody holds it."""
    name = target_ref.removeprefix("refs/heads/")
    for worktree in list_worktrees(repo):
        if worktree.missing:
            continue
        if worktree.busy_branch == name:
            return worktree.path, f"{name} is being rebased in {worktree.path}"
        if worktree.branch == name:
            return worktree.path, None
    return None


def advance(repo: Repo, target_ref: str, before: Sha, after: Sha) -> InTheWay | bool:
    """Move the target from *before* to *after*; True when it did, False when it was not at *before* any more."""
    found = holder(repo, target_ref)
    if found is None:
        return transact(repo, [Move(target_ref, before, after)], reason="coffee: land")
    worktree, busy = found
    if busy:
        return InTheWay(worktree, busy)
    if read_ref(repo, target_ref) != before:
        return False
    deleted = _deleted_in_the_way(worktree, before, after)
    if deleted:
        return InTheWay(worktree, f"{deleted[0]} is deleted there but not committed")
    said = _fast_forward(worktree, after)
    if read_ref(repo, target_ref) == after:
        return True
    return InTheWay(worktree, _first_line(said))


def _fast_forward(worktree: Path, after: Sha) -> str:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        said = in_worktree(worktree, "merge", *_GUARDED, after, ok=(0, 1, 2, 128))
        if said.rc == 0 or ".lock" not in said.err or time.monotonic() > deadline:
            return said.err
        time.sleep(0.05)


def _deleted_in_the_way(worktree: Path, before: Sha, after: Sha) -> list[str]:
    """Files that the user deleted and the landing would bring back."""
    changed = set(in_worktree(worktree, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after).records)
    gone = in_worktree(worktree, "ls-files", "--deleted", "-z", env={"GIT_OPTIONAL_LOCKS": "0"}).records
    return sorted(changed.intersection(gone))


def _first_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    paths = [
        line for line in lines if not line.endswith((":", ".")) and not line.startswith(("error", "hint", "fatal"))
    ]
    if paths:
        return f"local edits are in the way: {', '.join(paths[:3])}"
    return lines[0] if lines else "git refused the fast-forward"


def heal(repo: Repo, worktree: Path, before: Sha, after: Sha, since: int) -> None:
    """Finish a fast-forward that was killed half-way: files may be new while the branch is still at *before*.

    Every path that differs must hold old content, new content, or the beginning of it; anything else is somebody's
    work and nothing is touched. Raises EnvironmentFailure then.
    """
    _drop_stale_lock(worktree, since)
    changed = in_worktree(worktree, "diff-tree", "-r", "-z", "--name-only", "--no-renames", before, after).records
    dirty = set(in_worktree(worktree, "diff", "-z", "--name-only", "--no-renames", before, "--").records)
    dirty |= {path for path in changed if _is_untracked(worktree, before, path)}
    partial = sorted(dirty.intersection(changed))
    if not partial:
        return
    new = read_blobs(repo, [f"{after}:{path}" for path in partial if "\n" not in path])
    foreign = [path for path in partial if not _half_written(worktree / path, new.get(Sha(f"{after}:{path}")))]
    if foreign:
        raise EnvironmentFailure(
            f"an interrupted landing left {worktree} half updated, and {foreign[0]} was edited since",
            hint=f"commit or move that file, then: git -C {worktree} merge --ff-only {after[:12]}",
        )
    in_worktree(
        worktree, "restore", f"--source={after}", "--staged", "--worktree", "--pathspec-from-file=-",
        "--pathspec-file-nul", stdin=b"".join(os.fsencode(f":(literal,top){path}") + b"\0" for path in partial),
    )  # fmt: skip


def _is_untracked(worktree: Path, before: Sha, path: str) -> bool:
    if not os.path.lexists(worktree / path):
        return False
    return in_worktree(worktree, "cat-file", "-e", f"{before}:{path}", ok=(0, 1, 128)).rc != 0


def _half_written(path: Path, new: bytes | None) -> bool:
    try:
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return True
    return new is not None and new.startswith(content)


def _drop_stale_lock(worktree: Path, since: int) -> None:
    """Remove an index.lock that the killed landing left: as old as the intent, and still there after a wait."""
    lock = Path(in_worktree(worktree, "rev-parse", "--path-format=absolute", "--git-path", "index.lock").text)
    deadline = time.monotonic() + LOCK_SECONDS
    with suppress(FileNotFoundError):
        while 0 <= lock.stat().st_mtime - since + 1 < 600:
            if time.monotonic() > deadline:
                lock.unlink()
            time.sleep(0.05)


def contains(repo: Repo, newer: Sha | None, older: Sha) -> bool:
    """Whether *newer* exists and contains *older*."""
    return newer is not None and is_ancestor(repo, older, newer)
