"""The changes that were made to a repository, as ``git log`` tells them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

DEPTH = 1500
"""How many changes are looked at."""
LOG = ("log", "-z", "--no-merges", "--no-renames", "--name-only", f"--max-count={DEPTH}", "--format=%x01%H%n%B")
"""The arguments whose output `read_changes` reads; a revision is to follow."""

_HEAD = re.compile(r"\n?\x01([0-9a-f]{40,64})\n")


@dataclass(frozen=True, slots=True)
class Change:
    """One commit: what it says and the paths that it touched."""

    sha: str
    message: str
    files: tuple[str, ...]


def read_changes(raw: bytes) -> tuple[Change, ...]:
    """The commits of the output of ``git`` *LOG*, the newest first."""
    found: list[tuple[str, str, list[str]]] = []
    for field in os.fsdecode(raw).split("\0"):
        if head := _HEAD.match(field):
            found.append((head[1], field[head.end() :], []))
        elif found and (path := field.lstrip("\n")):
            found[-1][2].append(path)
    return tuple(Change(sha, message, tuple(files)) for sha, message, files in found)
