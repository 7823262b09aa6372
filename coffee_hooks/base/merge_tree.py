"""Merges in the object database: a verdict is an exit code of 0 or 1 *and* a tree on stdout, never a guess."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import OID, GitFailed, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.parts import in_parts


@dataclass(frozen=True, slots=True)
class Merged:
    """The tree of a merge; when it is not *clean* the tree holds markers in *conflicts*.

    git may say that a merge is not clean without naming a path: an empty list is no proof of clean.
    """

    tree: Sha
    clean: bool
    conflicts: tuple[str, ...]


def merge_tree(repo: Repo, ours: Sha, theirs: Sha) -> Merged:
    """Merge two commits. Raises GitFailed when git could not say (missing objects, unrelated histories)."""
    args = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    said = repo.objects(*args, ok=(0, 1, 128))
    records = said.records
    if said.rc not in (0, 1) or not records or not OID.fullmatch(records[0]):
        raise GitFailed(["git", *args], said)
    return Merged(Sha(records[0]), said.rc == 0, tuple(dict.fromkeys(filter(None, records[1:]))))


def merge_trees(repo: Repo, pairs: Sequence[tuple[Sha, Sha]]) -> list[Merged | None]:
    """Merge many pairs of commits in a few processes; None where git could not say."""
    return in_parts(lambda part: merge_in_one_process(repo, part), pairs)


def conflict_entries(repo: Repo, pairs: Sequence[tuple[Sha, Sha]]) -> list[tuple[str, ...] | None]:
    """What each merge would leave in the index: ``mode blob stage TAB path``, stage 1 base, 2 ours, 3 theirs.

    One process where git can merge all; None where it could not say.
    """
    return [merged.conflicts if merged else None for merged in merge_in_one_process(repo, pairs, names=())]


def merge_in_one_process(
    repo: Repo, pairs: Sequence[tuple[Sha, Sha]], names: Sequence[str] = ("--name-only",)
) -> list[Merged | None]:
    """Merge many pairs of commits one after the other; None where git could not say.

    A line that git cannot read ends its output; the rest is then asked for again.
    """
    results: list[Merged | None] = []
    while len(results) < len(pairs):
        rest = pairs[len(results) :]
        said = repo.objects(
            "merge-tree", "--write-tree", "--stdin", *names, "--no-messages",
            stdin="".join(f"{a} {b}\n" for a, b in rest).encode(), ok=(0, 1, 128),
        )  # fmt: skip
        found = parse_merge_records(said.out)
        results += found[: len(rest)]
        if len(found) < len(rest):
            if said.rc == 0:
                raise EnvironmentFailure("git merge-tree ended early", hint="run this again", detail=said.err.strip())
            results.append(None)
    return results


def parse_merge_records(data: bytes) -> list[Merged]:
    """The records of ``merge-tree --stdin --name-only --no-messages``; an unfinished last one is left out.

    Each is ``0|1 NUL tree NUL {path NUL}* NUL``, 1 meaning clean: the opposite of the exit code.
    """
    found: list[Merged] = []
    at = 0
    fields = data.split(b"\0")
    while at + 2 < len(fields):
        try:
            end = fields.index(b"", at + 2)
        except ValueError:
            break
        if end == len(fields) - 1:  # the empty field after the last NUL closes nothing
            break
        paths = tuple(dict.fromkeys(map(os.fsdecode, fields[at + 2 : end])))
        found.append(Merged(Sha(fields[at + 1].decode()), fields[at] == b"1", paths))
        at = end + 1
    return found
