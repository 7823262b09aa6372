"""Ignored files that a worktree needs: what ``.worktreeinclude`` and ``worktrees.copy`` name."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from coffee_hooks.base.git import in_worktree

INCLUDE_FILE = ".worktreeinclude"
RECORD = "coffee-copied.json"
"""In the worktree's own git folder: which files we copied, with the SHA-256 of what we wrote."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Files to copy, relative to the main checkout, and what was refused with its reason."""

    files: tuple[str, ...]
    refused: tuple[str, ...]


def choose_copies(main: Path, patterns: Sequence[str], avoid: Iterable[Path] = ()) -> Copies:
    """Which files of *main* are copied: named, really there, ignored by git, inside, and not in a nested worktree.

    A file that git would show as untracked is refused: an agent that adds everything would commit a secret.
    """
    refused = [f"{p}: not inside the repository" for p in patterns if _outside(p)]
    named: dict[str, None] = {}
    for pattern in (p for p in patterns if not _outside(p)):
        for found in sorted(main.glob(pattern)) if any(c in pattern for c in "*?[") else [main / pattern]:
            named.update(dict.fromkeys(_files(main, found)))
    if (main / INCLUDE_FILE).is_file():
        said = in_worktree(main, "ls-files", "--others", "--ignored", f"--exclude-from={INCLUDE_FILE}", "-z")
        named.update(dict.fromkeys(said.records))
    nested = [path for path in avoid if path != main and path.is_relative_to(main)]
    wanted = [n for n in named if not any((main / n).is_relative_to(path) for path in nested)]
    if not wanted:
        return Copies((), tuple(refused))
    said = in_worktree(
        main, "check-ignore", "-z", "--stdin", stdin=b"".join(os.fsencode(n) + b"\0" for n in wanted), ok=(0, 1)
    )
    ignored = set(said.records)
    refused += [f"{name}: not ignored by git, add it to .gitignore" for name in wanted if name not in ignored]
    return Copies(tuple(n for n in wanted if n in ignored), tuple(refused))


def _outside(pattern: str) -> bool:
    return not pattern or PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts


def _files(main: Path, found: Path) -> list[str]:
    if found.is_dir() and not found.is_symlink():
        return [n for entry in sorted(found.iterdir()) if entry.name != ".git" for n in _files(main, entry)]
    return [found.relative_to(main).as_posix()] if found.is_file() or found.is_symlink() else []


def copy_into(main: Path, worktree: Path, git_dir: Path, copies: Copies) -> None:
    """Copy, keeping modes, never over a file that is there, and record what was written.

    A source that vanished meanwhile is skipped. Raises OSError (full disk, permissions).
    """
    written: dict[str, str] = {}
    for name in copies.files:
        source, to = main / name, worktree / name
        if os.path.lexists(to) or not _stays_inside(to.parent, worktree):
            continue
        to.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if source.is_symlink():
                to.symlink_to(source.readlink())
                continue
            shutil.copy2(source, to)
            written[name] = hashlib.sha256(to.read_bytes()).hexdigest()
    if written:
        (git_dir / RECORD).write_text(json.dumps({"files": written}))


def _stays_inside(folder: Path, worktree: Path) -> bool:
    return folder.resolve().is_relative_to(worktree.resolve())
