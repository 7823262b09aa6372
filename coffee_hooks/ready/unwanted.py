"""What no branch should bring along unseen: files that hold secrets, and files that are too large for a host.

A secret is looked for in every commit, because a landing publishes them all; a file that is deleted again is there.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha

SHORT, LONG = 16, 1 << 20
"""Bytes of a file that is looked for under another name."""
SHA1_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Policy:
    """*secrets*: patterns of files that coffee copies into worktrees. *largest*: bytes of the largest file, None for
    any. *copied*: the blobs that the files themselves would be."""

    secrets: tuple[str, ...] = ()
    largest: int | None = None
    copied: tuple[Sha, ...] = ()


def read_policy(main: Path, secrets: tuple[str, ...], largest: int | None, like: Sha) -> Policy:
    """The policy of the checkout *main*, whose blobs have names like the commit *like*.

    Of patterns only plain names are read, and no short file: what says little is in many files.
    """
    algorithm = "sha1" if len(like) == SHA1_LENGTH else "sha256"
    blobs = []
    for name in secrets:
        with contextlib.suppress(OSError, ValueError):
            place = main / name
            if place.is_file() and SHORT <= place.stat().st_size <= LONG:
                data = place.read_bytes()
                blobs.append(Sha(hashlib.new(algorithm, b"blob %d\0" % len(data) + data).hexdigest()))
    return Policy(secrets, largest, tuple(blobs))


def find_secrets(repo: Repo, target: Sha, tips: Sequence[Sha], policy: Policy) -> dict[Sha, tuple[str, ...]]:
    """The files of ``Policy.secrets`` that commits of each tip add, for the tips that add any. One git process if
    there is none; what *target* has already is no secret."""
    patterns = [pattern for pattern in policy.secrets if pattern and ".." not in pattern.split("/")]
    if not patterns or not tips or not _added(repo, target, tips, patterns):
        return {}
    found = {tip: _added(repo, target, [tip], patterns) for tip in tips}
    return {tip: paths for tip, paths in found.items() if paths}


def _added(repo: Repo, target: Sha, tips: Sequence[Sha], patterns: Sequence[str]) -> tuple[str, ...]:
    # In any case, because on some disks .ENV is the same file; also what a merge itself adds, and what a side branch of
    # a branch added and took away again, which git leaves out by itself.
    asked = [f"^{target}", *tips, "--", *(f":(top,glob,icase){pattern.strip('/')}" for pattern in patterns)]
    said = repo.objects(
        "log", "--stdin", "-c", "--full-history", "--no-renames", "--diff-filter=A", "--name-only", "-z", "--format=",
        stdin="".join(f"{line}\n" for line in asked).encode("utf-8", "surrogateescape"),
    )  # fmt: skip
    return tuple(sorted({record.lstrip("\n") for record in said.records} - {""}))


def find_copies(
    repo: Repo, target: Sha, blobs: Mapping[Sha, Mapping[str, Sha]], policy: Policy
) -> dict[Sha, tuple[str, ...]]:
    """Of the new *blobs* by path of each tip the paths that are a secret under another name, for the tips that have
    any. What *target* holds under any name is none, as an example that nobody changed."""
    copied = set(policy.copied)
    if not any(copied & set(new.values()) for new in blobs.values()):
        return {}
    known = {record.split()[2] for record in repo.objects("ls-tree", "-r", "-z", target).records}
    secret = {blob for blob in copied if blob not in known}
    found = {tip: tuple(path for path, blob in new.items() if blob in secret) for tip, new in blobs.items()}
    return {tip: paths for tip, paths in found.items() if paths}


def find_large(repo: Repo, blobs: Mapping[Sha, Mapping[str, Sha]], policy: Policy) -> dict[Sha, tuple[str, ...]]:
    """Of the new *blobs* by path of each tip the paths of those that are too large, for the tips that have any."""
    if policy.largest is None:
        return {}
    asked = sorted({blob for found in blobs.values() for blob in found.values()})
    if not asked:
        return {}
    said = repo.objects(
        "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin="".join(f"{blob}\n" for blob in asked).encode()
    )
    sizes = (line.split() for line in said.text.splitlines())
    large = {Sha(blob) for blob, size in sizes if size.isdigit() and int(size) > policy.largest}
    found = {tip: tuple(path for path, blob in new.items() if blob in large) for tip, new in blobs.items()}
    return {tip: paths for tip, paths in found.items() if paths}
