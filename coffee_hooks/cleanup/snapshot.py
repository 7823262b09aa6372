"""Save what is not committed: the index and the files of a worktree as commits, in the shape of git-stash(1).

Nothing of the worktree is touched: the work happens in a copy of its index. The same files always give the same
commit, so that two snapshots can be compared by name.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.cleanup.values import Home, Tree

_DATE = "1700000000 +0000"


def save_work(repo: Repo, home: Home, tree: Tree, identity: Mapping[str, str]) -> Sha:
    """A commit with the files of *home*, untracked and precious ignored ones included; parents HEAD and the index.

    Raises GitFailed when a file cannot be read, OSError when the disk is full; then nothing may be removed.
    """
    env = {**identity, "GIT_AUTHOR_DATE": _DATE, "GIT_COMMITTER_DATE": _DATE}
    with tempfile.TemporaryDirectory(dir=repo.state_dir) as folder:
        copy = Path(folder) / "index"
        if (home.git_dir / "index").is_file():
            shutil.copy2(home.git_dir / "index", copy)  # a younger index would hide edits of the same moment
        index, files = _only_index(repo, copy) if home.missing else _write_trees(home.path, copy, tree)
    parents = (home.head,) if home.head else ()
    staged = _commit(repo, index or files, parents, "Index", env)
    return _commit(repo, files, (*parents, staged), "Uncommitted work", env)


def _only_index(repo: Repo, copy: Path) -> tuple[Sha | None, Sha]:
    """The same tree twice, for a worktree whose folder is gone."""
    tree = Sha(repo.objects("write-tree", env={"GIT_INDEX_FILE": str(copy)}).text)
    return tree, tree


def _write_trees(top: Path, copy: Path, tree: Tree) -> tuple[Sha | None, Sha]:
    """The tree of the index, None while it has conflicts, and the tree of the files."""
    env = {"GIT_INDEX_FILE": str(copy)}
    staged = in_worktree(top, "write-tree", env=env, ok=(0, 128))
    if tree.hidden:
        for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
            in_worktree(top, "update-index", flag, "-z", "--stdin", stdin=_nul(tree.hidden), env=env)
    add = ("-c", "core.safecrlf=false", "--literal-pathspecs", "add", "--sparse")
    in_worktree(top, *add, "--all", env=env)
    if tree.precious:
        named = ("--force", "--pathspec-from-file=-", "--pathspec-file-nul")
        in_worktree(top, *add, *named, stdin=_nul(tree.precious), env=env)
    return (Sha(staged.text) if staged.rc == 0 else None), Sha(in_worktree(top, "write-tree", env=env).text)


def _nul(names: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(name) + b"\0" for name in names)


def _commit(repo: Repo, tree: Sha, parents: Iterable[Sha], message: str, env: Mapping[str, str]) -> Sha:
    args = [word for parent in parents for word in ("-p", parent)]
    return Sha(repo.objects("commit-tree", tree, *args, "-m", message, env=env).text)
