"""Refs: read in one process, move in one transaction, never anything but compare-and-swap."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.git import ABSENT, GitFailed, Repo
from coffee_hooks.base.model import Sha


@dataclass(frozen=True, slots=True)
class Move:
    """One ref of a transaction: from *old* to *new*; ``ABSENT`` on either side creates or deletes."""

    ref: str
    old: Sha
    new: Sha


def list_refs(repo: Repo, *prefixes: str) -> dict[str, Sha]:
    """Every ref below *prefixes* with the object it names, symbolic refs left out."""
    said = repo.objects("for-each-ref", "--format=%(refname)%00%(objectname)%00%(symref)%00", "--", *prefixes)
    fields = said.out.split(b"\0")
    rows = zip(fields[0::3], fields[1::3], fields[2::3], strict=False)
    return {os.fsdecode(name.lstrip(b"\n")): Sha(sha.decode()) for name, sha, symbolic in rows if not symbolic}


def read_ref(repo: Repo, ref: str) -> Sha | None:
    """The object that a full ref name points at, None when there is no such ref."""
    said = repo.objects("rev-parse", "--verify", "--quiet", "--end-of-options", ref, ok=(0, 1, 128))
    return Sha(said.text) if said.rc == 0 else None


def resolve_commit(repo: Repo, revision: str) -> Sha | None:
    """The commit that *revision* names, None when it names none."""
    said = repo.objects("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}", ok=(0, 1, 128))
    return Sha(said.text) if said.rc == 0 else None


def transact(repo: Repo, moves: Iterable[Move], *, reason: str = "coffee") -> bool:
    """Move all refs or none; False when one of them was not where it was expected.

    Raises GitFailed for anything that is not a lost race (a read-only or full disk, a bad name).
    """
    lines = [b"update " + os.fsencode(m.ref) + b"\0" + m.new.encode() + b"\0" + m.old.encode() + b"\0" for m in moves]
    if not lines:
        return True
    said = repo.objects(
        "update-ref",
        "-m",
        reason,
        "--stdin",
        "-z",
        stdin=b"start\0" + b"".join(lines) + b"prepare\0commit\0",
        ok=(0, 1, 128),
    )
    if said.rc == 0:
        return True
    if re.search(r"reference already exists|but expected|unable to resolve reference|reference is missing", said.err):
        return False
    if "File exists" in said.err:  # another transaction holds the same ref this very moment
        return False
    raise GitFailed(["git", "update-ref"], said)


def encode(name: str) -> str:
    """A ref component that keeps ``[A-Za-z0-9_.-]`` and percent-encodes the rest; long names end in their hash."""
    import hashlib

    text = "".join(chr(b) if re.match(rb"[A-Za-z0-9_.-]", bytes([b])) else f"%{b:02X}" for b in os.fsencode(name))
    text = re.sub(r"^\.|\.$|\.(?=\.)|\.(?=lock$)", "%2E", text)
    if len(text) > 200:
        text = text[:150] + "%" + hashlib.sha256(os.fsencode(name)).hexdigest()[:40]
    return text


def write_json(repo: Repo, value: Mapping[str, Any]) -> Sha:
    """Store *value* as a blob, keys sorted, and return its name."""
    data = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1).encode("utf-8", "surrogateescape") + b"\n"
    return Sha(repo.objects("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text)


def read_json(repo: Repo, names: Iterable[Sha]) -> dict[Sha, dict[str, Any]]:
    """The JSON objects in the named blobs, read in one process; what is not a JSON object is left out."""
    found: dict[Sha, dict[str, Any]] = {}
    for sha, data in read_blobs(repo, names).items():
        try:
            value = json.loads(data)
        except ValueError:
            continue
        if isinstance(value, dict):
            found[sha] = value
    return found


def read_blobs(repo: Repo, names: Iterable[str]) -> dict[Sha, bytes]:
    """The bytes of the named objects, read in one process; missing ones are left out.

    Keyed by what was asked, which may be any object expression without a newline.
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    said = repo.objects(
        "cat-file",
        "--batch",
        stdin="".join(f"{name}\n" for name in wanted).encode("utf-8", "surrogateescape"),
    )
    found, at = {}, 0
    for name in wanted:
        end = said.out.index(b"\n", at)
        header = said.out[at:end].rsplit(b" ", 2)
        at = end + 1
        if len(header) == 3 and header[2].isdigit():
            size = int(header[2])
            found[Sha(name)] = said.out[at : at + size]
            at += size + 1
    return found


__all__ = [
    "ABSENT", "Move", "encode", "list_refs", "read_blobs", "read_json", "read_ref", "resolve_commit", "transact", "write_json",
]  # fmt: skip
