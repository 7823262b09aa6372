"""Objects that are named before git has written them, so that many can be written by one process."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha


def name_of_object(kind: str, body: bytes, digits: int) -> Sha:
    """The name that git gives to an object of *kind* (``commit``, ``tree``, ``blob``); *digits* 40 or 64."""
    digest = hashlib.sha256 if digits == 64 else hashlib.sha1
    return Sha(digest(f"{kind} {len(body)}\0".encode() + body).hexdigest())


def write_objects(repo: Repo, kind: str, bodies: Sequence[bytes]) -> list[Sha]:
    """Write the objects in one git process, which checks their form. Only one caller at a time. Raises GitFailed."""
    if not bodies:
        return []
    folder = repo.state_dir / "writing"  # always the same, so that what a kill leaves goes with the next call
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        paths = [folder / str(number) for number in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body)
        listed = b"".join(_quoted(path) + b"\n" for path in paths)
        said = repo.objects("hash-object", "-w", "-t", kind, "--no-filters", "--stdin-paths", stdin=listed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [Sha(name) for name in said.text.split("\n")]


def _quoted(path: Path) -> bytes:
    """*path* in C quotes, which ``--stdin-paths`` takes off again, because a folder's name may hold a newline."""
    plain = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in os.fsencode(path))
    return f'"{"".join(plain)}"'.encode()
