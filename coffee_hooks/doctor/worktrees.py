"""Worktrees that git and the disk disagree about."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.project import Project
from coffee_hooks.base.worktrees import Worktree, list_worktrees, pointer_of
from coffee_hooks.doctor.values import Check, fine, several, wrong


@dataclass(frozen=True, slots=True)
class Disagreements:
    """*gone*: entries without a folder. *moved*: folders whose entry names another place.

    *orphans*: folders below our root that git has forgotten.
    """

    gone: tuple[Worktree, ...]
    moved: tuple[Path, ...]
    orphans: tuple[Path, ...]


def look_at_worktrees(project: Project) -> Disagreements:
    """Compare git's list with the folders below the root of our worktrees and with where we were called."""
    repo = project.repo
    listed = list_worktrees(repo)
    found = dict(_pointers(project.worktrees_root, repo))
    known = {os.path.realpath(path) for path in (repo.main, *(tree.path for tree in listed))}
    here = () if os.path.realpath(repo.top) in known else (repo.top,)
    strays = [folder for folder in found if os.path.realpath(folder) not in known]
    moved = dict.fromkeys((*here, *(folder for folder in strays if found[folder].is_dir())))
    orphans = tuple(folder for folder in strays if not found[folder].is_dir())
    return Disagreements(tuple(tree for tree in listed if tree.missing), tuple(moved), orphans)


def check_worktrees(seen: Disagreements) -> Check:
    """Every entry has its folder, and every folder its entry."""
    if seen.moved:
        quoted = " ".join(shlex.quote(str(path)) for path in seen.moved)
        return wrong(
            "worktrees", several([f"{p} was moved by hand" for p in seen.moved]), f"git worktree repair {quoted}"
        )
    if seen.gone:
        return wrong(
            "worktrees", several([f"the folder {tree.path} is gone" for tree in seen.gone]),
            "coffee doctor --fix   (or, for those that coffee did not make: git worktree prune)",
        )  # fmt: skip
    if seen.orphans:
        return wrong(
            "worktrees", several([f"git has forgotten the worktree {path}" for path in seen.orphans]),
            "look whether it holds work you want, then move it away",
        )  # fmt: skip
    return fine("worktrees", "git and the disk agree")


def removable(project: Project, seen: Disagreements) -> Iterator[Worktree]:
    """The entries of ours whose folder is gone and with which nothing would be lost.

    Not while their root is missing (a disk that is not there), a folder was moved, HEAD is on no branch, an operation
    waits, or something is staged.
    """
    root = project.worktrees_root
    if seen.moved or not root.is_dir():
        return
    for tree in seen.gone:
        ours = tree.path.is_relative_to(root) and tree.git_dir.parent == project.repo.common_dir / "worktrees"
        if ours and not tree.locked and tree.branch and not tree.in_progress and not _staged(tree):
            yield tree


def _staged(tree: Worktree) -> bool:
    said = in_worktree(
        tree.git_dir, f"--git-dir={tree.git_dir}", "diff-index", "--cached", "--quiet", "HEAD", "--", ok=(0, 1, 128)
    )
    return said.rc != 0


def _pointers(root: Path, repo: Repo) -> Iterator[tuple[Path, Path]]:
    """The worktrees of this repository below *root*, each with the entry that its ``.git`` file names."""
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if (pointer := pointer_of(folder)) is None:  # no worktree: a gate's clone, a file, a folder of somebody
            continue
        entry = Path(os.path.normpath(pointer))
        if os.path.realpath(entry.parent) == os.path.realpath(repo.common_dir / "worktrees"):
            yield folder, entry
