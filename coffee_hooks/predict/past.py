"""Work that landed earlier, as if it were still to be done: its text, the tree before it, the files it touched."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha

WIDEST = 40
"""Work that touched more files than this is a sweep through the repository, not a task."""
ENOUGH = 3
"""Merges are what landed when there is one among so many commits of the first-parent history."""

# The blank before the parents is there even where a first commit has none.
_COMMIT = re.compile(r"\n?\x01([0-9a-f]{40,64})((?: [0-9a-f]{40,64})*) ?\n")
_FORMAT = "--format=%x01%H %P%n%B"


@dataclass(frozen=True, slots=True)
class Work:
    """One task of the past. *base* is the commit it started from, *files* the sorted paths it touched.

    *text* is what its merge and its commits say. *started* and *ended* count the landings of the first-parent
    history, the oldest read as 0: it was under way while those between them landed.
    """

    commit: Sha
    base: Sha
    text: str
    files: tuple[str, ...]
    started: int
    ended: int


@dataclass(frozen=True, slots=True)
class _Commit:
    sha: Sha
    parents: tuple[Sha, ...]
    message: str
    files: tuple[str, ...] = ()


def read_past(repo: Repo, head: Sha, most: int) -> list[Work]:
    """The last *most* tasks that landed on *head*, the newest first: merged branches, or where the history has few
    of them, single commits. Two git processes."""
    args = ("log", "-z", "--first-parent", "--diff-merges=first-parent", "--no-renames", "--name-only", _FORMAT)
    landed = _commits(repo.objects(*args, f"--max-count={most * (ENOUGH + 1)}", head).out)
    if not landed:
        return []
    bounds = [f"^{parent}" for parent in landed[-1].parents[:1]]
    every = {each.sha: each for each in _commits(repo.objects("log", "-z", _FORMAT, head, *bounds).out)}
    merges = [each for each in landed if len(each.parents) == 2]
    chosen = merges if len(merges) * ENOUGH >= min(most, len(landed)) else [e for e in landed if len(e.parents) == 1]
    wanted = {each.sha for each in chosen if 0 < len(each.files) <= WIDEST}
    return [work for work in _works(landed, every) if work.commit in wanted][:most]


def _works(landed: Sequence[_Commit], every: Mapping[Sha, _Commit]) -> Iterator[Work]:
    """What each landing brought in, the newest first."""
    trunk = {each.sha: number for number, each in enumerate(reversed(landed))}
    seen: set[Sha] = set()
    found: list[Work] = []
    for number, each in enumerate(reversed(landed)):
        new, started = _brought(each, every, seen, trunk)
        seen.update((each.sha, *(commit.sha for commit in new)))
        text = "\n".join(commit.message for commit in (each, *new) if len(commit.parents) < 2 or commit is each)
        if each.parents:
            base = each.parents[0] if started is None else landed[len(landed) - 1 - started].sha
            begun = number - 1 if started is None else started
            found.append(Work(each.sha, base, text, tuple(sorted(each.files)), begun, number))
    return reversed(found)


def _brought(
    landing: _Commit, every: Mapping[Sha, _Commit], seen: set[Sha], trunk: Mapping[Sha, int]
) -> tuple[list[_Commit], int | None]:
    """The commits that came with a landing, beside itself, and the newest landing that they build on."""
    new: dict[Sha, _Commit] = {}
    started: int | None = None
    waiting = list(landing.parents[1:])
    while waiting:
        sha = waiting.pop()
        if sha in trunk or sha in seen or sha not in every:
            if sha in trunk and (started is None or trunk[sha] > started):
                started = trunk[sha]
        elif sha not in new:
            new[sha] = every[sha]
            waiting.extend(every[sha].parents)
    return list(new.values()), started


def _commits(raw: bytes) -> list[_Commit]:
    found: list[tuple[Sha, tuple[Sha, ...], str, list[str]]] = []
    for field in os.fsdecode(raw).split("\0"):
        if head := _COMMIT.match(field):
            parents = tuple(Sha(parent) for parent in head[2].split())
            found.append((Sha(head[1]), parents, field[head.end() :], []))
        elif found and (path := field.lstrip("\n")):
            found[-1][3].append(path)
    return [_Commit(sha, parents, message, tuple(files)) for sha, parents, message, files in found]
