"""Refs: read in one process, move in one transaction, never anything but compare-and-swap."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT, OID, GitFailed, Repo
from coffee_hooks.base.model import Sha

CLAIMS = "refs/coffee/tasks/"
REVIEWS = "refs/coffee/reviews/"


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
    """The object that a full ref name points at, None when there is no such ref. Never another ref of a like name."""
    return list_refs(repo, ref).get(ref)


def resolve_commit(repo: Repo, revision: str) -> Sha | None:
    """The commit that *revision* names, None when it names none."""
    said = repo.objects("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}", ok=(0, 1, 128))
    return Sha(said.text) if said.rc == 0 else None


def is_branch_name(name: str) -> bool:
    """Whether git would take *name* for a branch: the rules of git-check-ref-format(1) with ``--branch``."""
    return name not in ("HEAD", "@") and not _ILLEGAL.search(name) and _bytes_of(name) is not None


# Controls, blanks and git's own signs; empty components; dots and ``.lock`` where they mean something.
_ILLEGAL = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|(\.lock|^)(/|\Z)|[./]\Z|^-")


def _bytes_of(text: str) -> bytes | None:
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON and YAML can spell and no name can hold
        return None


def transact(repo: Repo, moves: Iterable[Move], *, reason: str = "coffee") -> bool:
    """Move all refs or none; False when one of them was not where it was expected.

    Raises GitFailed for anything that is not a lost race (a full disk, a lock nobody frees, a name in the way) and
    UsageError for a name that no ref can have.
    """
    wanted = tuple(moves)
    if not wanted:
        return True
    said = repo.objects(
        "update-ref", "-m", reason, "--stdin", "-z", ok=(0, 1, 128),
        stdin=b"start\0" + b"".join(map(_update, wanted)) + b"prepare\0commit\0",
    )  # fmt: skip
    if said.rc == 0:
        return True
    # What the refs say now counts; git's words only where a ref has come back to where it was expected.
    refs = list_refs(repo, *(move.ref for move in wanted))
    if any(refs.get(move.ref, ABSENT) != move.old for move in wanted) or _LOST.search(said.err):
        return False
    raise GitFailed(["git", "update-ref"], said)


_LOST = re.compile(
    r"reference already exists|but expected|reference is missing|unable to resolve reference (?!.*broken)"
)


def _update(move: Move) -> bytes:
    name = _bytes_of(move.ref)
    if not name or b"\0" in name:
        raise UsageError(f"{move.ref!r} is no name for a ref", hint="use letters, digits, dots and dashes")
    # Not always `update`: how many zeros stand for no object depends on the repository.
    if move.old == move.new == ABSENT:
        return b"verify %b\0\0" % name
    if move.old == ABSENT:
        return b"create %b\0%b\0" % (name, move.new.encode())
    if move.new == ABSENT:
        return b"delete %b\0%b\0" % (name, move.old.encode())
    return b"update %b\0%b\0%b\0" % (name, move.new.encode(), move.old.encode())


def encode(name: str) -> str:
    """A ref component that keeps ``[A-Za-z0-9_.-]`` and percent-encodes the rest; long names end in their hash."""
    import hashlib

    text = "".join(chr(b) if re.match(rb"[A-Za-z0-9_.-]", bytes([b])) else f"%{b:02X}" for b in os.fsencode(name))
    text = re.sub(r"^\.|\.$|\.(?=\.)|\.(?=lock$)", "%2E", text)
    if len(text) > 200:
        text = text[:150] + "%_" + hashlib.sha256(os.fsencode(name)).hexdigest()[:40]
    return text or "%_"  # no escape starts like this, so neither can be the encoding of another name


def write_json(repo: Repo, value: Mapping[str, Any]) -> Sha:
    """Store *value* as a blob, keys sorted, and return its name. Names that are not UTF-8 survive as escapes."""
    data = json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"
    return Sha(repo.objects("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a ref names: a *blob*, and the JSON object in it."""

    blob: Sha
    value: dict[str, Any]


def read_stored(repo: Repo, *prefixes: str) -> dict[str, Stored]:
    """Every ref below *prefixes* whose blob holds a JSON object, read in one process. Two where a blob is missing."""
    said = repo.objects("for-each-ref", f"--format={_WHOLE}", "--", *prefixes, ok=(0, 128))
    if said.rc:
        refs = list_refs(repo, *prefixes)
        values = read_json(repo, refs.values())
        return {ref: Stored(blob, values[blob]) for ref, blob in refs.items() if blob in values}
    found, at = {}, 0
    while at < len(said.out):
        head = []
        for _ in range(4):
            end = said.out.index(b"\0", at)
            head.append(said.out[at:end])
            at = end + 1
        name, sha, symbolic, size = head
        value = None if symbolic else _object(said.out[at : at + int(size)])
        if value is not None:
            found[os.fsdecode(name)] = Stored(Sha(sha.decode()), value)
        at += int(size) + 1
    return found


_WHOLE = "%(refname)%00%(objectname)%00%(symref)%00%(raw:size)%00%(raw)"


def read_json(repo: Repo, names: Iterable[Sha]) -> dict[Sha, dict[str, Any]]:
    """The JSON objects in the named blobs, read in one process; what is not a JSON object is left out."""
    found = ((sha, _object(data)) for sha, data in read_blobs(repo, names).items())
    return {sha: value for sha, value in found if value is not None}


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def to_sha(value: object) -> Sha:
    """*value* if it is a full object name. Raises ValueError: the JSON in a ref may hold anything."""
    if isinstance(value, str) and OID.fullmatch(value):
        return Sha(value)
    raise ValueError(f"{value!r} is no object name")


def to_text(value: object) -> str:
    """*value* if it is text that can be an argument of a program or a file's name. Raises ValueError otherwise."""
    raw = _bytes_of(value) if isinstance(value, str) else None
    if not isinstance(value, str) or raw is None or b"\0" in raw:
        raise ValueError(f"{value!r} is not text")
    return value


def read_blobs(repo: Repo, names: Iterable[str]) -> dict[Sha, bytes]:
    """The bytes of the named objects, read in one process; missing ones are left out.

    Keyed by what was asked, which may be any object expression (``<commit>:<path>``).
    """
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return {}
    asked = [os.fsencode(name) for name in wanted]
    out = repo.objects("cat-file", "--batch", "-z", stdin=b"".join(name + b"\0" for name in asked)).out
    found, at = {}, 0
    for name, raw in zip(wanted, asked, strict=True):
        if missing := next((end for end in _NOTHING if out.startswith(raw + end, at)), None):
            at += len(raw) + len(missing)
            continue
        end = out.index(b"\n", at)
        size = int(out[at:end].rsplit(b" ", 1)[-1])
        found[Sha(name)] = out[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return found


# What cat-file says behind the name as it was asked.
_NOTHING = (b" missing\n", b" ambiguous\n", b" submodule\n")


__all__ = [
    "ABSENT", "Move", "Stored", "encode", "is_branch_name", "list_refs", "read_blobs", "read_json", "read_ref",
    "read_stored", "resolve_commit", "to_sha", "to_text", "transact", "write_json",
]  # fmt: skip
