"""Objects written one after the other by one git process, or named without writing them."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from coffee_hooks.base.git import GitFailed, Repo, Result, converse
from coffee_hooks.base.model import Sha


def name_of_object(kind: str, body: bytes, digits: int) -> Sha:
    """The name that git gives to an object of *kind* (``commit``, ``tree``, ``blob``); *digits* 40 or 64."""
    digest = hashlib.sha256 if digits == 64 else hashlib.sha1
    return Sha(digest(f"{kind} {len(body)}\0".encode() + body).hexdigest())


@contextmanager
def object_writer(repo: Repo, kind: str) -> Iterator[Callable[[bytes], Sha]]:
    """Yields a function that writes one object of *kind* and returns its name: all in one git process, at first use.

    git checks the form of each. Only one caller at a time. Raises GitFailed.
    """
    folder = repo.state_dir / "writing"  # always the same, so that what a kill leaves goes with the next call
    path = folder / "object"
    line = _quoted(path) + b"\n"
    argv, env = repo.pinned("hash-object", "-w", "-t", kind, "--no-filters", "--stdin-paths")
    started: list[Any] = []

    def write(body: bytes) -> Sha:
        if not started:
            folder.mkdir(parents=True, exist_ok=True)
            started.append(converse(argv, env))
        path.write_bytes(body)
        with suppress(BrokenPipeError):
            started[0].stdin.write(line)
            started[0].stdin.flush()
        name = Sha(started[0].stdout.readline().decode().strip())
        if not name:
            raise GitFailed(argv, Result(started[0].proc.wait(), b"", started[0].stderr.read().decode()))
        return name

    try:
        yield write
    finally:
        for process in started:
            process.stdin.close()
            process.proc.wait()
            shutil.rmtree(folder, ignore_errors=True)


def sizes_of(repo: Repo, objects: Sequence[Sha]) -> dict[Sha, int]:
    """How many bytes each of *objects* has, in one process; missing ones are left out. Raises GitFailed."""
    if not objects:
        return {}
    asked = "".join(f"{name}\n" for name in objects).encode()
    said = repo.objects("cat-file", "--batch-check=%(objectsize)", stdin=asked).out.split(b"\n")
    return {name: int(size) for name, size in zip(objects, said, strict=False) if size.isdigit()}


def beginning_of(repo: Repo, blob: Sha, most: int) -> bytes:
    """The first *most* bytes of *blob*, however large it is: git streams it, and is stopped where they end."""
    process = converse(*repo.pinned("-c", "core.bigFileThreshold=1m", "cat-file", "blob", blob))
    try:
        return bytes(process.stdout.read(most))
    finally:
        process.proc.kill()
        process.proc.communicate()


def commit_body(tree: Sha, parents: Sequence[Sha], message: str, identity: Mapping[str, str]) -> bytes:
    """A commit object without its header, as ``git commit-tree`` writes it, of now."""
    when = f"{int(time.time())} {time.strftime('%z')}"
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [
        f"{role} {identity[f'GIT_{role.upper()}_NAME']} <{identity[f'GIT_{role.upper()}_EMAIL']}> {when}"
        for role in ("author", "committer")
    ]
    return ("\n".join(lines) + "\n\n" + message).encode("utf-8", "surrogateescape").replace(b"\0", b"")


def _quoted(path: Path) -> bytes:
    """*path* in C quotes, which ``--stdin-paths`` takes off again, because a folder's name may hold a newline."""
    plain = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in os.fsencode(path))
    return f'"{"".join(plain)}"'.encode()
