"""Look into one worktree: what would be lost if the folder went? Reads, never writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from coffee_hooks.base.git import GitFailed, Repo, Result, in_worktree
from coffee_hooks.base.leftovers import is_cache
from coffee_hooks.base.model import Sha
from coffee_hooks.base.text import printable
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.cleanup.nested import with_work
from coffee_hooks.cleanup.submodules import unpublished
from coffee_hooks.cleanup.values import Tree

COPIED = "coffee-copied.json"
"""In a worktree's git folder: ``{"files": {path: sha256}}``, what spawn copied there."""

_STATUS = (
    "status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=none", "--no-renames",
)  # fmt: skip


def examine(repo: Repo, worktree: Worktree, others: Iterable[Path], precious: Sequence[str]) -> Tree:
    """What *worktree* holds. *others* are the folders of all worktrees, *precious* globs of ignored files that count.

    Three git processes, two more for each submodule in use and three for each repository in an ignored folder. A tree
    that git cannot read is unsavable.
    """
    try:
        return _missing(repo, worktree) if worktree.missing else _present(worktree, others, precious)
    except GitFailed as failed:
        return Tree(unsavable=(f"git cannot read it ({printable(failed.detail or failed.what)})",))


def _missing(repo: Repo, worktree: Worktree) -> Tree:
    """A worktree whose folder is gone: only its index can still hold work."""
    index = worktree.git_dir / "index"
    if not index.is_file() or worktree.head is None:
        return Tree(in_progress=worktree.in_progress)
    staged = repo.objects(
        "diff-index", "--cached", "--name-only", "-z", worktree.head, "--", env={"GIT_INDEX_FILE": str(index)}
    )
    return Tree(dirty=tuple(staged.records), in_progress=worktree.in_progress)


def _present(worktree: Worktree, others: Iterable[Path], precious: Sequence[str]) -> Tree:
    top = worktree.path
    copied = _copied(worktree.git_dir)
    entries = _read(top, *_STATUS).records
    dirty = tuple(name for name in map(_path, entries) if name not in copied or _hash(top / name) != copied[name])
    ignored = _read(top, "ls-files", "--others", "--ignored", "--exclude-standard", "-z").records
    index = _read(top, "ls-files", "--stage", "-v", "-z").records
    kept = tuple(name for name in ignored if _counts(top, name, copied, precious))
    nested = [path for path in others if path != top and path.is_relative_to(top)]
    repositories = [name for name in ignored if name.endswith("/") and name not in kept]
    submodules = [line.partition("\t")[2] for line in index if line[2:].startswith("160000 ")]
    busy = worktree.in_progress or (
        "a git command (index.lock)" if (worktree.git_dir / "index.lock").exists() else None
    )
    return Tree(
        dirty=dirty,
        in_progress=busy,
        precious=kept,
        hidden=tuple(_hidden(top, index)),
        unsavable=(
            *(f"{printable(name)} is another repository" for name in (*dirty, *kept) if name.endswith("/")),
            *(f"the submodule {printable(_path(e))} has uncommitted work" for e in entries if _inner(e)),
            *(f"another worktree lies inside it: {printable(str(path))}" for path in nested),
            *unpublished(top, worktree.git_dir, submodules),
            *with_work(top, repositories, lambda name: _counts(top, name, {}, precious)),
        ),
    )


def _read(top: Path, *args: str) -> Result:
    """Raises GitFailed also for a folder that may not be read: git only warns, and what is in it stays unseen."""
    said = in_worktree(top, *args, env={"GIT_OPTIONAL_LOCKS": "0"})
    if "could not open directory" in said.err:
        raise GitFailed(["git", *args], said)
    return said


def _path(entry: str) -> str:
    """The path of a record of ``status --porcelain=v2`` without renames."""
    fields = {"1": 8, "u": 10, "?": 1, "!": 1}.get(entry[:1], 1)
    return entry.split(" ", fields)[-1]


def _inner(entry: str) -> bool:
    """Whether the record is a submodule with changes of its own inside."""
    words = entry.split(" ", 3)
    return entry[:1] in "1u" and words[2][:1] == "S" and ("M" in words[2][2:] or "U" in words[2][2:])


def _counts(top: Path, name: str, copied: Mapping[str, str], precious: Sequence[str]) -> bool:
    """Whether an ignored file must not go: a copy that was changed, or a precious file that is no copy."""
    if name in copied:
        return _hash(top / name) != copied[name]
    return not is_cache(name) and any(_matches(name, pattern) for pattern in precious)


def _matches(name: str, pattern: str) -> bool:
    """As in .gitignore: with a slash the whole path counts, without one any part of it."""
    parts = [name] if "/" in pattern.rstrip("/") else name.split("/")
    return any(fnmatchcase(part, pattern.strip("/")) for part in parts if part)


def _copied(git_dir: Path) -> Mapping[str, str]:
    try:
        files = json.loads((git_dir / COPIED).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):  # nothing copied, or nothing that we wrote
        return {}
    return files if isinstance(files, dict) else {}


def _hash(path: Path) -> str | None:
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _hidden(top: Path, index: Iterable[str]) -> list[str]:
    """Paths marked assume-unchanged or skip-worktree that are there and differ from the index."""
    marked = [line for line in index if not re.match(r"[HMRCK] ", line)]
    entries = [(line.partition("\t")[2], line[2:].split(" ", 2)[1]) for line in marked]
    there = [(name, oid) for name, oid in entries if os.path.lexists(top / name)]
    return [name for name, oid in there if _blob(top, name) != oid]


def _blob(top: Path, name: str) -> Sha | None:
    path = top / name
    if path.is_symlink():
        return Sha(in_worktree(top, "hash-object", "--stdin", stdin=os.fsencode(path.readlink())).text)
    if not path.is_file():
        return None
    said = in_worktree(top, "hash-object", "--path", name, "--stdin", stdin=path.read_bytes())
    return Sha(said.text)
