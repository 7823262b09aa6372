"""A checked-out target is moved by fast-forward only, and only where no local edit is in the way."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, read_ref, transact
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.text import printable
from coffee_hooks.base.worktrees import list_worktrees

LOCK_SECONDS = 3.0
"""How long somebody else's index.lock is waited for."""

# Without these a fast-forward overwrites ignored files, stashes local edits, or fails on a signature setting.
_GUARDED = ("--quiet", "--ff-only", "--no-overwrite-ignore", "--no-autostash", "--no-verify-signatures")


class Step(Enum):
    """DONE: the target moved. LOST: it was not where it was expected, and nothing was done."""

    DONE = "done"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class InTheWay:
    """The checkout of the target could not follow, and was left as it was."""

    worktree: Path
    detail: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The worktree that has the target checked out; *busy* says what keeps it from moving."""

    path: Path
    git_dir: Path
    head: Sha | None
    busy: str | None


def holder(repo: Repo, target_ref: str) -> Holder | None:
    """Who has the target checked out, None when nobody has."""
    name = target_ref.removeprefix("refs/heads/")
    found: list[Holder] = []
    for tree in list_worktrees(repo):
        where = printable(str(tree.path))
        if tree.busy_branch == name and not tree.missing:
            found.append(Holder(tree.path, tree.git_dir, tree.head, f"{name} is being rebased in {where}"))
        elif tree.branch == name and (tree.locked or not tree.missing):
            busy = f"{name} is checked out in {where}, which is locked and not there" if tree.missing else None
            found.append(Holder(tree.path, tree.git_dir, tree.head, busy))
    if len(found) > 1:
        twice = f"{name} is checked out in {printable(str(found[0].path))} and in {printable(str(found[1].path))}"
        return replace(found[0], busy=twice)
    return found[0] if found else None


def advance(repo: Repo, target_ref: str, before: Sha, after: Sha) -> InTheWay | Step:
    """Move the target forward from *before* to *after*, with the checkout that holds it."""
    held = holder(repo, target_ref)
    if held is None:
        moved = is_ancestor(repo, before, after) and transact(
            repo, [Move(target_ref, before, after)], reason="coffee: land"
        )
        return Step.DONE if moved else Step.LOST
    return fast_forward(repo, held, target_ref, before, after)


def fast_forward(repo: Repo, held: Holder, target_ref: str, before: Sha, after: Sha) -> InTheWay | Step:
    """Move the target and the checkout that holds it, or leave both as they are."""
    if held.busy:
        return InTheWay(held.path, held.busy)
    if held.head != before:
        return Step.LOST
    back = _deleted_in_the_way(held.path, before, after)
    if back:
        return InTheWay(held.path, f"{printable(back[0])} is deleted there but not committed")
    said = _merge(held.path, after)
    if read_ref(repo, target_ref) == after:
        return Step.DONE
    return InTheWay(held.path, _explained(said))


def _merge(worktree: Path, after: Sha) -> str:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        said = in_worktree(worktree, "merge", *_GUARDED, after, ok=(0, 1, 2, 128))
        if said.rc == 0 or ".lock" not in said.err or time.monotonic() > deadline:
            return said.err
        time.sleep(0.05)


def _deleted_in_the_way(worktree: Path, before: Sha, after: Sha) -> list[str]:
    """Files that the user deleted and the landing would bring back."""
    args = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=d", before, after)
    changed = set(in_worktree(worktree, *args).records)
    gone = in_worktree(worktree, "ls-files", "--deleted", "-z", env={"GIT_OPTIONAL_LOCKS": "0"}).records
    return sorted(changed.intersection(gone))


def _explained(said: str) -> str:
    """The paths that git lists behind a tab, else the line in which it says why not."""
    paths = [printable(line.strip()) for line in said.splitlines() if line.startswith("\t")]
    if paths:
        return f"local edits are in the way: {', '.join(paths[:3])}"
    lines = [line for line in said.splitlines() if line.startswith(("error: ", "fatal: "))]
    return printable(lines[0].partition(": ")[2]) if lines else "git refused the fast-forward"
