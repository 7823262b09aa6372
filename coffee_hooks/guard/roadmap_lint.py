"""Problems of the staged roadmap: the ones that HEAD does not have are refused, the others are warnings."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.model import Notice
from coffee_hooks.guard.cfr_013 import visible
from coffee_hooks.guard.plumbing import git, line_of
from coffee_hooks.sources.roadmap import parse_roadmap

PLACES = ("docs/roadmap/ROADMAP.md", "docs/ROADMAP.md", "ROADMAP.md")
"""Where a roadmap is looked for, from the top of the repository; the first that is staged is the one."""

LISTS = "specs/*/tasks.md"
"""Where lists of tasks are, which are looked at where there is no roadmap."""

NO_PROBLEM = frozenset({"alias"})
"""Codes of notices that tell something and ask for nothing: a heading may name its item twice."""

_LINES = re.compile(r"\blines? \d+(?:(?:-|, | and )\d+)*")


class Findings(NamedTuple):
    """What the staged text brings in (refused), and what is only worth a look."""

    new: tuple[Notice, ...]
    known: tuple[Notice, ...]


class RoadmapProblemError(RuleError):
    """The staged roadmap has a problem that HEAD does not have."""


def compare(staged: Iterable[Notice], head: Iterable[Notice]) -> Findings:
    """Split the staged notices: one is known where HEAD has as many of its code and message, wherever they stand."""
    remaining = Counter(_identity(notice) for notice in head)
    new, known = [], []
    for notice in staged:
        identity = _identity(notice)
        if notice.code not in NO_PROBLEM and not remaining[identity]:
            new.append(notice)
        else:
            remaining[identity] -= 1
            known.append(notice)
    return Findings(tuple(new), tuple(known))


def lint_staged(paths: Sequence[str]) -> Findings:
    """Compare each staged roadmap (relative to the current folder; none: those in the usual places) with HEAD's.

    Raises ``UsageError`` where there is no repository or nothing of that name is staged.
    """
    found = [_compare_staged(*names) for names in _named(paths)]
    return Findings(
        tuple(notice for each in found for notice in each.new),
        tuple(notice for each in found for notice in each.known),
    )


def check(findings: Findings) -> None:
    """Let known problems pass, or raise ``RoadmapProblemError`` for the new ones."""
    count = len(findings.new)
    if count:
        raise RoadmapProblemError(
            f"roadmap-lint: {count} problem{'s' * (count > 1)} that HEAD does not have",
            hint="correct the lines above and stage the file again",
        )


def _named(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of the staged object and the committed one, as git names them."""
    line_of(git("rev-parse", "--git-dir"))
    if paths:
        below = [os.path.relpath(path) for path in paths]
        return [(f":./{path}", f"HEAD:./{path}") for path in below]
    found = [place for place in PLACES if _blob(f":{place}") is not None][:1] or _lists()
    if not found:
        raise UsageError(
            f"no roadmap is staged: none of {', '.join((*PLACES, LISTS))}",
            hint="coffee-hook roadmap-lint PATH, or: git add PATH",
        )
    return [(f":{place}", f"HEAD:{place}") for place in found]


def _lists() -> list[str]:
    names = git("ls-files", "-z", "--full-name", "--", f":(top,glob){LISTS}").stdout.split(b"\0")
    return [os.fsdecode(name) for name in names if name]


def _compare_staged(staged: str, committed: str) -> Findings:
    path = staged.removeprefix(":").removeprefix("./")
    data = _blob(staged)
    if data is None:
        raise UsageError(f"{visible(path)} is not staged", hint="git add it, or name the roadmap's path")
    return compare(parse_roadmap(data, path).notices, parse_roadmap(_blob(committed) or b"", path).notices)


def _blob(name: str) -> bytes | None:
    answer = git("cat-file", "blob", name)
    return None if answer.returncode else answer.stdout


def _identity(notice: Notice) -> tuple[str, str]:
    return notice.code, _LINES.sub("lines", notice.message)
