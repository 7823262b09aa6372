"""What a checkout holds beside its commit: as paths, and as a commit that exists for one look only.

Nothing of the worktree, of its index or of any ref is changed: the work happens in a copy of the index, and the objects
go to a folder of ours, which is thrown away at the end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from coffee_hooks.base.git import GitFailed, Repo, in_worktree
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.worktrees import Worktree

MOST_BYTES = 64 << 20
"""What is read of one checkout in a look; of files beyond it only the names are known."""
WAIT_SECONDS = 5.0

_COPY = ("-c", "core.splitIndex=false", "-c", "core.safecrlf=false", "-c", "core.fsync=none")
_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "coffee"), ("EMAIL", "coffee@localhost"), ("DATE", "1700000000 +0000"))
}


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """The *paths* of a checkout that are changed, deleted, or untracked and not ignored."""

    checkout: Worktree
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What a branch stands for in a merge. *unseen* are paths that it changes and that *commit* does not show."""

    commit: Sha
    unseen: frozenset[str] = frozenset()


def uncommitted(path: Path) -> tuple[str, ...]:
    """Paths of a checkout that are changed or untracked and not ignored."""
    said = in_worktree(
        path, "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    columns = {"1": 8, "u": 10, "?": 1}
    return tuple(record.split(" ", columns[record[0]])[-1] for record in said.records if record[:1] in columns)


@contextlib.contextmanager
def set_apart(repo: Repo) -> Iterator[Repo]:
    """*repo* with a folder for new objects that goes with the context. Raises LockedError when another look is slow."""
    with hold(repo, "radar", wait=WAIT_SECONDS):
        folder = repo.state_dir / "radar"
        shutil.rmtree(folder, ignore_errors=True)  # of a look that was killed
        (folder / "objects").mkdir(parents=True)
        try:
            yield replace(repo, aside=folder / "objects")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def as_commit(apart: Repo, tip: Sha, work: Uncommitted) -> Work:
    """*tip* with the uncommitted *work* on top, where `set_apart` puts it. Three git processes.

    Where git cannot write it down (a file nobody may read, a rebase in progress), all of it is unseen.
    """
    assert apart.aside is not None
    checkout, everything = work.checkout, frozenset(work.paths)
    if checkout.head != tip:  # half way through a rebase, or behind the remote: a merge would say nothing about it
        return Work(tip, everything)
    unseen = frozenset(_too_much(work))
    known = [path for path in work.paths if path not in unseen]
    copy = apart.aside.with_name(f"{checkout.git_dir.name}.index")
    env = {**apart.object_folders, "GIT_INDEX_FILE": str(copy)}
    try:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(checkout.git_dir / "index", copy)  # a younger index would hide edits of the same moment
        in_worktree(
            checkout.path, *_COPY, "update-index", "--add", "--remove", "--replace", "-z", "--stdin", env=env,
            stdin=b"".join(os.fsencode(path) + b"\0" for path in known),
        )  # fmt: skip
        tree = in_worktree(checkout.path, *_COPY, "write-tree", "--missing-ok", env=env).text
        parents = [word for parent in (tip, *_merged_in(checkout)) for word in ("-p", parent)]
        commit = apart.objects("commit-tree", tree, *parents, "-m", "Uncommitted work", env=_NOBODY).text
    except (GitFailed, OSError):
        return Work(tip, everything)
    return Work(Sha(commit), unseen)


def _too_much(work: Uncommitted) -> Iterator[str]:
    """Files beyond what is read in one look, and repositories in the repository, which are no files of this one."""
    left = MOST_BYTES
    for path in work.paths:
        size = _size(work.checkout.path / path)
        if path.endswith("/") or size > left:
            yield path
        else:
            left -= size


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:  # deleted
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _merged_in(checkout: Worktree) -> list[str]:
    """The other parents of a merge that waits to be committed."""
    try:
        return (checkout.git_dir / "MERGE_HEAD").read_text().split()
    except OSError:
        return []
