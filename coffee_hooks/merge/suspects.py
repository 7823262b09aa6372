"""Which of the branches that landed just before may not go together with one that is red now: no run is needed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.text import printable
from coffee_hooks.merge.candidate import Work

SHOWN = 3
"""How many names a sentence lists."""

_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]{3,}")
# Words of every language say nothing.
_COMMON = frozenset(
    b"assert await async break case catch class const continue else enum except export false finally from function"
    b" import interface none null pass print public private raise return self static string struct switch test this"
    b" throw true type void while with yield".split()
)


@dataclass(frozen=True, slots=True)
class Touched:
    """What *branch* changed: paths, and the names in the lines it added or removed."""

    branch: str
    paths: frozenset[str]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Clash:
    """A landed *branch* that shares paths or names with the red one, told in a *sentence*."""

    branch: str
    sentence: str


def touched(repo: Repo, base: Sha, work: Work) -> Touched:
    """What *work* changed since it left the history of *base*, which does not hold it yet. Raises GitFailed."""
    fork = repo.objects("merge-base", base, work.tip, ok=(0, 1)).text
    said = repo.objects("diff-tree", "-r", "-p", "--unified=0", "--no-renames", "--no-color", fork or base, work.tip)
    paths, names = set[str](), set[str]()
    for line in said.out.split(b"\n"):
        if line.startswith((b"+++ ", b"--- ")):
            path = line[4:].strip()
            if path != b"/dev/null":
                paths.add(os.fsdecode(path[2:]))
        elif line.startswith((b"+", b"-")):
            names.update(word.decode() for word in _WORD.findall(line) if word.lower() not in _COMMON)
    return Touched(work.branch, frozenset(paths), frozenset(names))


def clashes(red: Touched, landed: Sequence[Touched]) -> list[Clash]:
    """The *landed* branches that share something with *red*, those with a common path first. Pure."""
    found = []
    for other in landed:
        paths, names = sorted(red.paths & other.paths), sorted(red.names & other.names, key=lambda n: (-len(n), n))
        if paths or names:
            shared = [f"both {verb} {_list(what)}" for verb, what in (("change", paths), ("name", names)) if what]
            sentence = f"it may not go together with {printable(other.branch)}: {', '.join(shared)}"
            found.append((not paths, -len(names), Clash(other.branch, sentence)))
    return [clash for *_, clash in sorted(found, key=lambda each: each[:2])][:SHOWN]


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(printable, names[:SHOWN])) + more
