"""Finish a fast-forward that was killed half-way: files may be new while the branch is still old."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import works_in
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.text import printable
from coffee_hooks.merge.checkout import LOCK_SECONDS, Holder


def heal(repo: Repo, held: Holder, before: Sha, after: Sha) -> bool:
    """Whether the fast-forward from *before* to *after* had begun; if so, every file it touched is now complete.

    Each path that differs from *before* must hold the new content or the beginning of it. Raises EnvironmentFailure
    when one holds something else although others are new: that is somebody's work, and nothing is touched.
    """
    new = _changed(repo, before, after)
    dirty = set(in_worktree(held.path, "diff", "-z", "--name-only", "--no-renames", before, "--").records)
    old = set(in_worktree(held.path, "ls-files", "-z", f"--with-tree={before}").records)
    dirty |= {path for path in new if path not in old and os.path.lexists(held.path / path)}
    touched = sorted(dirty.intersection(new))
    blobs = read_blobs(repo, [sha for path in touched if (sha := new[path])])
    content = {path: blobs.get(Sha(new[path] or "")) for path in touched}
    complete = [path for path in touched if _holds(held.path, path, after, content[path], whole=True)]
    if not complete:
        return False
    foreign = [path for path in touched if not _holds(held.path, path, after, content[path], whole=False)]
    if foreign:
        where = printable(str(held.path))
        raise EnvironmentFailure(
            f"an interrupted landing left {where} half updated, and {printable(foreign[0])} was edited since",
            hint=f"move that file away, then run this again; to see what is new: "
            f"git -C {shlex.quote(where)} diff {before[:12]}",
        )
    in_worktree(
        held.path, "restore", f"--source={after}", "--staged", "--worktree", "--pathspec-from-file=-",
        "--pathspec-file-nul",
        stdin=b"".join(os.fsencode(f":(literal,top){path}") + b"\0" for path in touched if new[path]),
    )  # fmt: skip
    return True


def _changed(repo: Repo, before: Sha, after: Sha) -> dict[str, str | None]:
    """The blob that each changed path has in *after*, None where it is gone."""
    said = repo.objects("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", before, after).records
    return {
        path: blob if blob.strip("0") else None
        for blob, path in zip((meta.split(" ")[3] for meta in said[0::2]), said[1::2], strict=True)
    }


def _holds(worktree: Path, path: str, after: Sha, new: bytes | None, *, whole: bool) -> bool:
    """Whether the file holds the *whole* of *new*, or else the beginning of it or nothing at all."""
    file = worktree / path
    try:
        content = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return not whole
    if new is None:
        return False
    if content == new or (not whole and new.startswith(content)):
        return True
    # A filter or line endings may stand between the blob and the file.
    said = in_worktree(worktree, "cat-file", "--filters", f"{after}:{path}", ok=(0, 1, 128))
    return said.rc == 0 and (content == said.out or (not whole and said.out.startswith(content)))


def drop_stale_locks(repo: Repo, held: Holder | None, refs: Iterable[str], since: int) -> None:
    """Remove lock files that the killed landing left: not older than it, and no git is at work here any more.

    Raises EnvironmentFailure when a git still is.
    """
    locks = [repo.common_dir / f"{ref}.lock" for ref in refs]
    folders = [repo.common_dir, repo.scratch]
    if held is not None:
        locks += [held.git_dir / "index.lock", held.git_dir / "HEAD.lock"]
        folders.append(held.path)
    deadline = time.monotonic() + LOCK_SECONDS
    while (left := [lock for lock in locks if _as_young_as(lock, since)]) and any(works_in("git", f) for f in folders):
        if time.monotonic() > deadline:
            raise EnvironmentFailure(
                f"git is at work and holds {printable(str(left[0]))}", hint="wait for it, then run this again"
            )
        time.sleep(0.05)
    for lock in left:
        lock.unlink(missing_ok=True)


def _as_young_as(lock: Path, since: int) -> bool:
    with suppress(OSError):
        return lock.stat().st_mtime >= since - 1
    return False
