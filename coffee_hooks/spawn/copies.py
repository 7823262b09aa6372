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
from typing import BinaryIO

from coffee_hooks.base.git import in_worktree

INCLUDE_FILE = ".worktreeinclude"
RECORD = "coffee-copied.json"
"""In the worktree's own git folder: which files we copied, with the SHA-256 of what we wrote."""

CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Copies:
    """Files to copy, relative to the main checkout, and what was refused with its reason."""

    files: tuple[str, ...]
    refused: tuple[str, ...]


def choose_copies(main: Path, patterns: Sequence[str], avoid: Iterable[Path] = ()) -> Copies:
    """Which files of *main* are copied: named, really there, ignored by git, inside, and below none of *avoid*.

    A file that git would show as untracked is refused: an agent that adds everything would commit a secret. git
    itself looks for the files, so other repositories and worktrees inside this one are not entered.
    """
    outside = [p for p in patterns if _outside(p)]
    named = dict.fromkeys(_named(main, [p for p in patterns if p not in outside]))
    below = [path.relative_to(main).as_posix() + "/" for path in avoid if path != main and path.is_relative_to(main)]
    wanted = [n for n in named if not n.endswith("/") and not n.startswith(tuple(below))]
    ignored = _ignored(main, wanted)
    links = {n for n in ignored if (main / n).is_symlink() and not (main / n).is_file()}
    return Copies(
        tuple(n for n in wanted if n in ignored and n not in links),
        (
            *(f"{p}: not inside the repository" for p in outside),
            *(f"{n}: not ignored by git, add it to .gitignore" for n in wanted if n not in ignored),
            *(f"{n}: a link that leads to no file" for n in sorted(links)),
        ),
    )


def _outside(pattern: str) -> bool:
    return not pattern or PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts


def _named(main: Path, patterns: Sequence[str]) -> list[str]:
    """Untracked files that a pattern or ``.worktreeinclude`` names."""
    found: list[str] = []
    if patterns:
        words = [f":(top,glob){pattern.rstrip('/')}" for pattern in patterns]
        found += in_worktree(main, "ls-files", "--others", "-z", "--", *words).records
    if (main / INCLUDE_FILE).is_file():
        found += in_worktree(main, "ls-files", "--others", "--ignored", f"--exclude-from={INCLUDE_FILE}", "-z").records
    return found


def _ignored(main: Path, names: Sequence[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    return frozenset(in_worktree(main, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).records)


def copy_into(main: Path, worktree: Path, git_dir: Path, copies: Copies) -> None:
    """Copy, keeping modes, never over a file that is there, and record what was written.

    A link is followed: an agent that changed the copy would else change the original. A source that vanished
    meanwhile is skipped. Raises OSError (full disk, permissions).
    """
    written: dict[str, str] = {}
    for name in copies.files:
        source, to = main / name, worktree / name
        with contextlib.suppress(FileNotFoundError):
            if _stays_inside(to.parent, worktree) and (digest := _copy(source, to)):
                written[name] = digest
    if written:
        (git_dir / RECORD).write_text(json.dumps({"files": written}))


def _copy(source: Path, to: Path) -> str | None:
    """Copy one file and return its SHA-256; None when something else is there."""
    digest = hashlib.sha256()
    with source.open("rb") as reader:
        if os.path.lexists(to) and not _begun(reader, to):
            return None
        reader.seek(0)
        to.parent.mkdir(parents=True, exist_ok=True)
        # A secret must not be readable for others while it is written.
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as writer:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                writer.write(chunk)
    shutil.copystat(source, to)
    return digest.hexdigest()


def _begun(reader: BinaryIO, to: Path) -> bool:
    """Whether *to* is what a killed copy left: the beginning of the source."""
    if to.is_symlink() or not to.is_file():
        return False
    there = to.read_bytes()
    return reader.read(len(there)) == there


def _stays_inside(folder: Path, worktree: Path) -> bool:
    return folder.resolve().is_relative_to(worktree.resolve())
