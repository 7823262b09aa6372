"""Trees edited in the object database: one blob replaced, everything else as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
    (new,) = replace_blobs(repo, [(tree, path, data)])
    if new is None:
        raise KeyError(path)
    return new


def replace_blobs(repo: Repo, wanted: Sequence[tuple[Sha, str, bytes]]) -> list[Sha | None]:
    """As :func:`replace_blob` for many (tree, path, data), None for a *path* that is no regular file of the tree.

    Three git processes for all, one where there is no such file.
    """
    raw = read_blobs(repo, [f"{tree}:{folder}" for tree, path, _ in wanted for folder in _folders(path)])
    places = [_levels(raw, tree, path) for tree, path, _ in wanted]
    blobs = iter(_write_blobs(repo, [data for (_, _, data), levels in zip(wanted, places, strict=True) if levels]))
    lines: list[bytes] = []
    made: list[Sha | None] = []
    for (tree, _, _), levels in zip(wanted, places, strict=True):
        if not levels:
            made.append(None)
            continue
        new = next(blobs)
        for entries, at in reversed(levels):
            entries[at] = replace(entries[at], sha=new)
            lines.append(b"".join(f"{e.mode} {e.kind} {e.sha}\t".encode() + e.name + b"\0" for e in entries))
            new = _name_of(entries, len(tree))
        made.append(new)
    if lines:
        said = repo.objects("mktree", "-z", "--missing", "--batch", stdin=b"\0".join(lines)).text.split("\n")
        assert {*filter(None, made)} <= {*said}, "git names the trees as we do"
    return made


def _folders(path: str) -> list[str]:
    """The folders that lead to *path*, the top as an empty text first."""
    parts = [os.fsencode(part) for part in path.split("/")]
    return [os.fsdecode(b"/".join(parts[:depth])) for depth in range(len(parts))]


def _levels(raw: Mapping[Sha, bytes], tree: Sha, path: str) -> list[tuple[list[Entry], int]]:
    """The entries of each folder on the way to *path* and which of them leads there; empty without such a file."""
    levels: list[tuple[list[Entry], int]] = []
    folders = _folders(path)
    for part, folder in zip(map(os.fsencode, path.split("/")), folders, strict=True):
        entries = _parse(raw.get(Sha(f"{tree}:{folder}"), b""), len(tree) // 2)
        at = next((i for i, entry in enumerate(entries) if entry.name == part), None)
        modes = ("100644", "100755") if len(levels) == len(folders) - 1 else ("40000",)
        if at is None or entries[at].mode not in modes:
            return []
        levels.append((entries, at))
    return levels


def _write_blobs(repo: Repo, contents: Sequence[bytes]) -> list[Sha]:
    """Store each of *contents* as a blob; one git process, none for nothing."""
    if len(contents) < 2:
        args = ("hash-object", "-w", "--no-filters", "--stdin")
        return [Sha(repo.objects(*args, stdin=data).text) for data in contents]
    with tempfile.TemporaryDirectory() as name:  # the only way to hand several to one process
        files = [Path(name).resolve() / str(number) for number in range(len(contents))]
        for file, data in zip(files, contents, strict=True):
            file.write_bytes(data)
        paths = b"".join(os.fsencode(file) + b"\n" for file in files)
        said = repo.objects("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=paths)
    return [Sha(line) for line in said.text.split("\n")]


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
