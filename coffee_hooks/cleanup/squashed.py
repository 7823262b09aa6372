"""Squash merges: is the whole change of a branch one commit of the target?

The idea of git-patch-id(1), but whitespace counts and a binary change never matches: for code either may be the work.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha

_HEADER = re.compile(rb"^([0-9a-f]{40,64})(?: ([0-9a-f]{40,64}))?\n", re.M)
_HUNK = re.compile(rb"^@@ -[0-9,]+ \+[0-9,]+ @@.*$", re.M)
_INDEX = re.compile(rb"^index [0-9a-f]+\.\.[0-9a-f]+.*\n", re.M)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit object says: its tree, its parents, and when it was committed (UNIX time)."""

    tree: Sha
    parents: tuple[Sha, ...]
    when: int


def squashed(
    repo: Repo, target: Sha, bases: Mapping[Sha, Iterable[Sha]], commits: Mapping[Sha, Commit]
) -> frozenset[Sha]:
    """The tips whose difference to their base is the difference of one first-parent commit of *target* since then.

    *bases* are, for each tip, the commits of the target that it grew from; *commits* knows all of both. Two git
    processes. A base off the first-parent line is not looked for: unsure means no.
    """
    known = [commits[base].when for found in bases.values() for base in found if base in commits]
    if not known:
        return frozenset()
    line = _first_parents(repo, target, min(known))
    position = {sha: at for at, (sha, _) in enumerate(line)}
    starts: dict[Sha, int] = {}
    for tip, found in bases.items():
        places = [position[base] for base in found if base in position]
        if places and tip in commits:
            starts[tip] = min(places)
    single = [sha for sha, parents in line[: max(starts.values(), default=0)] if parents == 1]
    if not single:
        return frozenset()
    wanted = {tip: f"{commits[line[at][0]].tree} {commits[tip].tree}" for tip, at in starts.items()}
    prints = _fingerprints(repo, [*single, *wanted.values()])
    return frozenset(
        tip
        for tip, pair in wanted.items()
        if (mine := prints.get(pair)) and any(prints.get(sha) == mine for sha in single if position[sha] < starts[tip])
    )


def _first_parents(repo: Repo, target: Sha, since: int) -> list[tuple[Sha, int]]:
    """The first-parent line, newest first, down to UNIX time *since*: each commit with its number of parents."""
    said = repo.objects("rev-list", "--first-parent", "--parents", f"--max-age={since}", target, "--")
    return [(Sha(sha), len(parents)) for sha, *parents in map(str.split, said.text.splitlines())]


def _fingerprints(repo: Repo, lines: Iterable[str]) -> dict[str, bytes]:
    """The fingerprint of each change, a commit or a pair of trees; changes of binary files have none."""
    said = repo.objects(
        "diff-tree", "--stdin", "-r", "-p", "--root", "--no-renames", "--no-ext-diff", "--no-textconv", "--full-index",
        stdin="".join(f"{line}\n" for line in lines).encode(),
    ).out  # fmt: skip
    headers = list(_HEADER.finditer(said))
    ends = [match.start() for match in headers[1:]] + [len(said)]
    found = {}
    for match, end in zip(headers, ends, strict=True):
        diff = said[match.end() : end]
        if diff.strip() and not re.search(rb"^Binary files ", diff, re.M):
            name = match[0].decode().strip()
            found[name] = hashlib.sha256(_HUNK.sub(b"@@", _INDEX.sub(b"", diff))).digest()
    return found
