"""What a task will touch: places of the tree, each with a probability and the lines that say so.

What the spec declares comes first and wins: what ``predict`` concludes beyond that counts less where it does.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from coffee_hooks.base.model import Intent, NamedPath, PathKind, Spec
from coffee_hooks.evaluate.patterns import Segments, meet, segments_of
from coffee_hooks.evaluate.tree import TreeIndex
from coffee_hooks.predict.predict import Prediction
from coffee_hooks.sources.bookkeeping import is_bookkeeping

DECLARED = 0.97
"""A spec that says it writes a file: specs are wrong now and then."""
REGION = 0.9
"""A declared folder or wildcard: somewhere in there."""
RESOLVED = 0.9
"""A name without its folder, shared out over the files that have it."""
ELSEWHERE = 0.6
"""A path that does not exist as written but is the end of one that does: it may be a new file as well."""
NEW_NAME = 0.8
"""A name without its folder that no file has yet."""
FEW = 5
"""A spec that says it writes more files than this is a wish list: each counts less, the more there are."""
WISHED = 0.5
"""What is left of a declared place in the longest list: two of them are still a collision."""
BESIDE = 0.25
"""What is left of a prediction beside a spec that declares a few places: that wins. Beside a wish list all is left."""
KNOWN = 0.25
"""A spec with no declared place likelier than this declares nothing."""
LIKELY = 0.1
"""Where nothing is declared and no place is as likely as this, nobody knows where the task will work."""

_SPEC_NAME = re.compile(r"SPEC-(?:\d+(?:[-.]\d+)*(?![\w])|[A-Z]+(?![a-z]))")


class Scope(Enum):
    """How we know where a task will work."""

    DECLARED = "declared"
    PREDICTED = "predicted"
    UNKNOWN = "unknown"


class Source(Enum):
    """Whether the spec says it or we conclude it."""

    DECLARED = "declared"
    PREDICTED = "predicted"


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or a pattern that also stands for files that do not exist yet. *probability* is in 0..1."""

    pattern: str
    kind: PathKind
    probability: float
    evidence: tuple[str, ...]
    source: Source = Source.DECLARED
    matches: tuple[str, ...] = ()
    """The files of the tree that a pattern matches, sorted."""
    claimed: float = 0.0
    """The probability if the spec is to be trusted, however long its list is; 0 where it does not say it."""

    @property
    def segments(self) -> Segments:
        """The place as ``patterns`` reads it."""
        return segments_of(self.pattern, self.kind)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Where a task will work. *shared* places (roadmap, lock files, change logs) are the merge's business."""

    scope: Scope
    places: tuple[Place, ...] = ()
    shared: tuple[Place, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether *path* was to be expected, shared places included."""
        wanted = tuple(path.split("/"))
        return any(meet(place.segments, wanted) for place in (*self.places, *self.shared))


Signal = Callable[[Spec, TreeIndex], Iterable[Place]]


def footprint(
    spec: Spec | None, tree: TreeIndex, *, roadmap: str = "", predicted: Sequence[Prediction] = ()
) -> Footprint:
    """Where the task of *spec* will work. No spec, or one that says nothing, leaves the scope unknown.

    *predicted* is what its text points to beyond what it declares; *roadmap* the path of the roadmap file, which
    every task may change.
    """
    says = spec is not None and spec.readable and bool(spec.text.strip())
    declared = _merged(place for signal in SIGNALS for place in signal(spec, tree)) if spec and says else ()
    worth, beside = _worth(declared)
    kept = (replace(p, probability=round(p.probability * worth, 4), claimed=p.probability) for p in declared)
    found = _merged((*kept, *(_concluded(each, beside) for each in predicted)))
    shared = tuple(place for place in found if place.pattern == roadmap or is_bookkeeping(place.pattern))
    places = tuple(place for place in found if place not in shared)
    return Footprint(_scope(found) if says else Scope.UNKNOWN, places, shared)


def _concluded(prediction: Prediction, beside: float) -> Place:
    evidence = tuple(f"predicted: {reason}" for reason in prediction.evidence) or ("predicted",)
    probability = round(prediction.probability * beside, 4)
    return Place(prediction.path, PathKind.FILE, probability, evidence, Source.PREDICTED)


def _worth(declared: Sequence[Place]) -> tuple[float, float]:
    """How much the places that a spec declares count, and how much what is predicted beside them."""
    if not _is_known(declared):
        return 1.0, 1.0
    worth = max(WISHED, min(1.0, FEW / len(declared)))
    return worth, max(BESIDE, (1 - worth) / (1 - WISHED))


def _is_known(places: Iterable[Place]) -> bool:
    return any(place.probability > KNOWN for place in places)


def spec_label(path: str) -> str:
    """How evidence names a spec: ``SPEC-104``, or the name of its file."""
    folder, name = posixpath.split(path)
    if name.lower() == "readme.md":
        name = posixpath.basename(folder) or name
    found = _SPEC_NAME.match(name)
    return found[0] if found else posixpath.splitext(name)[0]


def cite(spec: Spec, line: int) -> str:
    """``SPEC-104 line 41``; a line of 0 is one of another file of the same spec."""
    return f"{spec_label(spec.path)} line {line}" if line else spec_label(spec.path)


def declared_paths(spec: Spec, tree: TreeIndex) -> Iterator[Place]:
    """Files, folders and wildcards that the spec says it writes; what it only mentions does not count."""
    for named in spec.paths:
        if named.intent is Intent.WRITE and named.kind is not PathKind.BARE:
            yield from _places_of(named, tree, _said(spec, named))


def declared_names(spec: Spec, tree: TreeIndex) -> Iterator[Place]:
    """Names without a folder: every file of the tree with that name, the less likely the more there are, but for the
    one that is just so at the top."""
    for named in spec.paths:
        if named.intent is not Intent.WRITE or named.kind is not PathKind.BARE:
            continue
        said = f"{_said(spec, named)} ({named.pattern})"
        found = tree.files_ending(named.pattern)
        for path in found:
            likely = RESOLVED if path == named.pattern else round(RESOLVED / len(found), 4)
            yield Place(path, PathKind.FILE, likely, (said,))
        if not found:
            yield Place(named.pattern, PathKind.BARE, NEW_NAME, (said,))


SIGNALS: tuple[Signal, ...] = (declared_paths, declared_names)


def _places_of(named: NamedPath, tree: TreeIndex, said: str) -> Iterator[Place]:
    pattern, kind = named.pattern.removeprefix("./").rstrip("/"), _real_kind(named, tree)
    if kind is PathKind.FILE:
        yield Place(pattern, kind, DECLARED, (said,))
    else:
        yield _region(pattern, kind, REGION, said, tree)
    if kind is PathKind.GLOB or pattern in tree.files or pattern in tree.folders:
        return
    ending = tree.files_ending(pattern) if kind is PathKind.FILE else tree.folders_ending(pattern)
    for path in ending:
        probability = round(ELSEWHERE / len(ending), 4)
        if kind is PathKind.FILE:
            yield Place(path, kind, probability, (f"{said} ({pattern})",))
        else:
            yield _region(path, kind, probability, f"{said} ({pattern}/)", tree)


def _real_kind(named: NamedPath, tree: TreeIndex) -> PathKind:
    """The tree knows better than the spelling whether a name is a file or a folder."""
    path = named.pattern.removeprefix("./").rstrip("/")
    if named.kind is PathKind.FILE and path in tree.folders:
        return PathKind.DIRECTORY
    if named.kind is PathKind.DIRECTORY and path in tree.files:
        return PathKind.FILE
    return named.kind


def _region(pattern: str, kind: PathKind, probability: float, said: str, tree: TreeIndex) -> Place:
    shown = pattern + "/" if kind is PathKind.DIRECTORY else pattern
    matches = tree.matching(segments_of(pattern, kind))
    return Place(shown, kind, probability, (said,), matches=matches)


def _said(spec: Spec, named: NamedPath) -> str:
    return f"declared: {cite(spec, named.line)}"


def _merged(places: Iterable[Place]) -> tuple[Place, ...]:
    """One place per pattern, with the highest probability and all the evidence, in the order of first mention."""
    found: dict[tuple[str, PathKind], Place] = {}
    for place in places:
        known = found.setdefault((place.pattern, place.kind), place)
        if known is not place:
            best = max(known, place, key=lambda each: each.probability)
            evidence = tuple(dict.fromkeys((*known.evidence, *place.evidence)))
            source = Source.DECLARED if Source.DECLARED in (known.source, place.source) else Source.PREDICTED
            claimed = max(known.claimed, place.claimed)
            found[place.pattern, place.kind] = replace(best, evidence=evidence, source=source, claimed=claimed)
    return tuple(found.values())


def _scope(places: Iterable[Place]) -> Scope:
    found = list(places)
    if _is_known(place for place in found if place.source is Source.DECLARED):
        return Scope.DECLARED
    return Scope.PREDICTED if any(place.probability >= LIKELY for place in found) else Scope.UNKNOWN
