"""Trees edited in the object database: one blob replaced, everything else as it was."""

from __future__ import annotations

import os
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha


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
    """*tree* with the regular file at *path* holding *data*; modes and every other entry stay.

    Raises KeyError when *path* is no regular file of it.
    """
    blob = Sha(repo.objects("hash-object", "-w", "--no-filters", "--stdin", stdin=data).text)
    return _replace(repo, tree, [os.fsencode(part) for part in path.split("/")], blob)


def _replace(repo: Repo, tree: Sha, parts: list[bytes], blob: Sha) -> Sha:
    entries = list_tree(repo, tree)
    at = next((i for i, e in enumerate(entries) if e.name == parts[0]), None)
    if at is None:
        raise KeyError(os.fsdecode(parts[0]))
    old = entries[at]
    if len(parts) > 1:
        if old.kind != "tree":
            raise KeyError(os.fsdecode(parts[0]))
        entries[at] = Entry(old.mode, old.kind, _replace(repo, old.sha, parts[1:], blob), old.name)
    elif old.mode in ("100644", "100755"):
        entries[at] = Entry(old.mode, old.kind, blob, old.name)
    else:
        raise KeyError(os.fsdecode(parts[0]))
    lines = b"".join(f"{e.mode} {e.kind} {e.sha}\t".encode() + e.name + b"\0" for e in entries)
    return Sha(repo.objects("mktree", "-z", "--missing", stdin=lines).text)
