"""What the radar shows as things to tell, and which of them are news."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.base.text import printable
from coffee_hooks.ready.radar import Radar
from coffee_hooks.ready.report import escaped_groups, escaped_line, outside_line, overlap_line

SUBJECT = "radar "
"""How the dedupe keys of all findings begin."""


class Kind(Enum):
    """What was found."""

    OVERLAP = "overlap"
    CONFLICT = "conflict"
    OUTSIDE = "outside"
    ESCAPED = "escaped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell: *paths* that *branches* have to do with (none: nobody knows whose), as a *line* and in full.

    It was told before if all its paths lie in folders that were told of then.
    """

    kind: Kind
    branches: tuple[str, ...]
    paths: tuple[str, ...]
    line: str
    title: str
    then: str

    @property
    def subject(self) -> str:
        """What it has in common with an earlier one about the same."""
        return SUBJECT + " ".join((self.kind.value, *self.branches))


def findings(radar: Radar, working: AbstractSet[str]) -> Iterator[Finding]:
    """Everything to tell while somebody works on the branches *working*. Pure."""
    for overlap in radar.overlaps:
        if not working.isdisjoint((overlap.a, overlap.b)):
            a, b = printable(overlap.a), printable(overlap.b)
            kind = Kind.CONFLICT if overlap.conflict else Kind.OVERLAP
            title = f"{'Conflict ahead' if overlap.conflict else 'Overlap'}: {a} and {b}"
            then = f"let one of them land first (coffee merge {a}); the other one then goes on from there"
            yield Finding(kind, (overlap.a, overlap.b), overlap.paths, overlap_line(overlap), title, then)
    for outside in radar.outside:
        title = f"Outside its footprint: {printable(outside.branch)}"
        then = "if that is right, say so in its spec: tasks that start later are then kept away from there"
        yield Finding(Kind.OUTSIDE, (outside.branch,), outside.paths, outside_line(outside), title, then)
    for group in escaped_groups(radar.escaped):
        branch, paths = group[0].branch, tuple(each.path for each in group)
        title = f"Edits in the main checkout: {printable(branch) if branch else 'several tasks'}"
        then = "git diff in the main checkout; what is not yours belongs into the worktree of the task"
        yield Finding(Kind.ESCAPED, (branch,) if branch else (), paths, escaped_line(group), title, then)


def news(found: Iterable[Finding], keys: Iterable[str]) -> list[tuple[Finding, Draft]]:
    """What was not told yet, with its notification; *keys* are those of the notifications that were. Pure."""
    told = _told(keys)
    fresh = []
    for finding in found:
        known = told.get(finding.subject, set())
        if finding.kind is Kind.OVERLAP:  # a conflict that was told is an overlap as well
            known = known | told.get(finding.subject.replace("overlap", "conflict", 1), set())
        if places := {place_of(path) for path in finding.paths if not _inside(path, known)}:
            fresh.append((finding, _draft(finding, places)))
    return fresh


def place_of(path: str) -> str:
    """The folder of *path*, or the path itself at the top."""
    return posixpath.dirname(path) or path


def _inside(path: str, places: AbstractSet[str]) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)


def _told(keys: Iterable[str]) -> Mapping[str, set[str]]:
    told: dict[str, set[str]] = {}
    for key in keys:
        subject, _, places = key.partition(" [")
        try:
            told.setdefault(subject, set()).update(map(str, json.loads("[" + places)))
        except (ValueError, TypeError):  # not written by us
            continue
    return told


def _draft(finding: Finding, places: Iterable[str]) -> Draft:
    return Draft(
        sender="orchestrator",
        title=finding.title,
        message=f"{finding.line}.\n\nNext: {finding.then}",
        level=Level.HIGH if finding.kind is Kind.CONFLICT else Level.NORMAL,
        recipient="user_listener" if finding.kind is Kind.ESCAPED else "architect",
        dedupe_key=f"{finding.subject} {json.dumps(sorted(places))}",
    )
