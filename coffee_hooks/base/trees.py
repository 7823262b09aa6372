"""Trees edited in the object database: one blob replaced, everything else as it was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.objects import name_of_object
from coffee_hooks.base.refs import read_blobs


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree: octal mode as text, ``blob``, ``tree`` or ``commit``, object name, file name as bytes."""

    mode: str
    kind: str
    sha: Sha
    name: bytes


def list_tree(repo: Repo, tree: str) -> list[Entry]:
    """The entries of one tree level."""
    said = repo.objects("ls-tree", "-z", "--full-tree", "--end-of-options", tree)
    entries = []
    for record in filter(None, said.out.split(b"\0")):
        meta, name = record.split(b"\t", 1)
        mode, kind, sha = meta.decode().split(" ")
        entries.append(Entry(mode, kind, Sha(sha), name))
    return entries


def find_blob(repo: Repo, tree: Sha, path: str) -> Entry | None:
    """The entry at *path*, None when there is none. Follows no symbolic links."""
    current: Entry | None = None
    level = tree
    for part in path.split("/"):
        if current is not None and current.kind != "tree":
            return None
        current = next((e for e in list_tree(repo, level) if e.name == os.fsencode(part)), None)
        if current is None:
            return None
        level = current.sha
    return current


def replace_blob(repo: Repo, tree: Sha, path: str, data: bytes) -> Sha:
    """*tree* with the regular file at *path* holding *data*; modes and every other entry stay. Three git processes.

    Raises KeyError when *path* is no regular file of it.
    """
    parts = [os.fsencode(part) for part in path.split("/")]
    folders = [os.fsdecode(b"/".join(parts[:depth])) for depth in range(len(parts))]
    raw = read_blobs(repo, [f"{tree}:{folder}" for folder in folders])
    levels: list[tuple[list[Entry], int]] = []
    for part, folder in zip(parts, folders, strict=True):
        entries = _parse(raw.get(Sha(f"{tree}:{folder}"), b""), len(tree) // 2)
        at = next((i for i, entry in enumerate(entries) if entry.name == part), None)
        wanted = ("100644", "100755") if len(levels) == len(parts) - 1 else ("40000",)
        if at is None or entries[at].mode not in wanted:
            raise KeyError(path)
        levels.append((entries, at))
    new = Sha(repo.objects("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text)
    lines: list[bytes] = []
    for entries, at in reversed(levels):
        entries[at] = replace(entries[at], sha=new)
        lines.append(b"".join(f"{e.mode} {e.kind} {e.sha}\t".encode() + e.name + b"\0" for e in entries))
        new = _name_of(entries, len(tree))
    made = repo.objects("mktree", "-z", "--missing", "--batch", stdin=b"\0".join(lines)).text.split("\n")
    assert made[-1:] == [new], "git names the tree as we do"
    return new


def _parse(raw: bytes, width: int) -> list[Entry]:
    """The entries of a tree object: ``mode SP name NUL`` and *width* bytes of object name each."""
    entries, at = [], 0
    while at < len(raw):
        space, end = raw.index(b" ", at), raw.index(b"\0", at)
        mode, sha = raw[at:space].decode(), Sha(raw[end + 1 : end + 1 + width].hex())
        kind = {"40000": "tree", "160000": "commit"}.get(mode, "blob")
        entries.append(Entry(mode, kind, sha, raw[space + 1 : end]))
        at = end + 1 + width
    return entries


def _name_of(entries: Sequence[Entry], digits: int) -> Sha:
    """The object name that git gives to a tree of *entries*."""
    body = b"".join(f"{e.mode} ".encode() + e.name + b"\0" + bytes.fromhex(e.sha) for e in entries)
    return name_of_object("tree", body, digits)
