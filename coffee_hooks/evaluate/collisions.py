"""Whether two tasks can be worked on at the same time, how sure we are, and which lines say so.

An overlap is one place or symbol that both tasks touch. ``OVERLAPS`` holds the functions that find them; one that
follows imports (the file of one task imports a file of the other) is one more function in that tuple.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from coffee_hooks.base.model import PathKind, SymbolKind, SymbolRole, TaskId
from coffee_hooks.evaluate.dependencies import Edge, Order, describe
from coffee_hooks.evaluate.footprint import Footprint, Place, Scope
from coffee_hooks.evaluate.patterns import Segments, literal_prefix, meet
from coffee_hooks.evaluate.symbols import Sighting, SymbolKey

UNKNOWN_RISK = 0.5
"""Risk of a pair of which nothing is known: no evidence either way."""
SHOWN = 5
"""How many overlaps are listed as evidence of one pair."""

_BOTH_WRITE = 0.9
_SAME_FUNCTION_NAME = 0.5
_ONE_CHANGES = 0.02
"""One task uses what the other changes: worth a word, not worth waiting."""


class Relation(Enum):
    """What two tasks are to each other. A dependency is not a collision: it has an order."""

    INDEPENDENT = "independent"
    COLLISION = "collision"
    DEPENDENCY = "dependency"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tasks, *a* before *b* in the roadmap. *risk*, in 0..1, is that of running them at the same time.

    *first* is the one that has to land first, None when neither has to or they need each other.
    """

    a: TaskId
    b: TaskId
    relation: Relation
    risk: float
    evidence: tuple[str, ...] = ()
    first: TaskId | None = None


class Region(NamedTuple):
    """A place that stands for more than one file."""

    segments: Segments
    prefix: str
    place: Place


@dataclass(frozen=True, slots=True)
class Subject:
    """A task as the pair relations read it; made once, read in every pair. *scope* None: it has landed."""

    task: TaskId
    scope: Scope | None
    files: Mapping[str, Place] = field(default_factory=dict)
    regions: tuple[Region, ...] = ()
    symbols: Mapping[SymbolKey, Sighting] = field(default_factory=dict)


class Overlap(NamedTuple):
    """One thing that both tasks touch."""

    risk: float
    evidence: str


def subject(task: TaskId, footprint: Footprint, symbols: Mapping[SymbolKey, Sighting]) -> Subject:
    """*task* with its places sorted for comparison; shared places are left out."""
    files = {place.pattern: place for place in footprint.places if place.kind is PathKind.FILE}
    regions = (place for place in footprint.places if place.kind is not PathKind.FILE)
    return Subject(task, footprint.scope, files, tuple(_region(place) for place in regions), symbols)


def relate_all(subjects: Sequence[Subject], order: Order, threshold: float) -> tuple[Pair, ...]:
    """Every pair, in the order of *subjects*. Above *threshold* a risk is a collision."""
    direct = {(edge.task, edge.on): edge for edge in order.edges}
    loose: dict[frozenset[TaskId], list[Overlap]] = {}
    for edge in order.undirected:
        loose.setdefault(frozenset((edge.task, edge.on)), []).append(Overlap(_BOTH_WRITE, edge.evidence))
    pairs = []
    for at, a in enumerate(subjects):
        for b in subjects[at + 1 :]:
            needs = tuple(_needs(a.task, b.task, order, direct)), tuple(_needs(b.task, a.task, order, direct))
            pairs.append(_relate(a, b, needs, loose.get(frozenset((a.task, b.task)), ()), threshold))
    return tuple(pairs)


def overlaps(a: Subject, b: Subject) -> tuple[Overlap, ...]:
    """Everything that both tasks touch, the riskiest first."""
    found = [overlap for signal in OVERLAPS for overlap in signal(a, b)]
    return tuple(sorted(found, key=lambda each: -each.risk))


def same_files(a: Subject, b: Subject) -> Iterator[Overlap]:
    """Files that both name."""
    if a.files.keys().isdisjoint(b.files.keys()):
        return
    for path, mine in a.files.items():
        if path in b.files:
            theirs = b.files[path]
            yield Overlap(mine.probability * theirs.probability, f"both write {path} ({_lines(mine, theirs)})")


def same_regions(a: Subject, b: Subject) -> Iterator[Overlap]:
    """A folder or wildcard of one and what the other names inside it, whether or not it exists yet."""
    for mine in a.regions:
        yield from _inside(mine, b.files.values())
        for theirs in b.regions:
            near = mine.prefix.startswith(theirs.prefix) or theirs.prefix.startswith(mine.prefix)
            if near and meet(mine.segments, theirs.segments):
                yield _overlap(mine.place, theirs.place)
    for theirs in b.regions:
        yield from _inside(theirs, a.files.values())


def same_symbols(a: Subject, b: Subject) -> Iterator[Overlap]:
    """Classes, functions, tables and routes that both make or change."""
    if a.symbols.keys().isdisjoint(b.symbols.keys()):
        return
    for key, mine in a.symbols.items():
        theirs = b.symbols.get(key)
        if theirs is not None and (risk := _symbol_risk(mine, theirs)):
            what = f"{describe(mine)} ({mine.where} {mine.role.value} it, {theirs.where} {theirs.role.value} it)"
            yield Overlap(risk, what)


OVERLAPS: tuple[Callable[[Subject, Subject], Iterable[Overlap]], ...] = (same_files, same_regions, same_symbols)


def _symbol_risk(mine: Sighting, theirs: Sighting) -> float:
    roles = {mine.role, theirs.role}
    if SymbolRole.USES in roles:
        return _ONE_CHANGES if SymbolRole.CHANGES in roles else 0.0
    if mine.kind is SymbolKind.FUNCTION and roles == {SymbolRole.INTRODUCES}:
        return _SAME_FUNCTION_NAME
    return _BOTH_WRITE


def _relate(
    a: Subject,
    b: Subject,
    needs: tuple[tuple[str, ...], tuple[str, ...]],
    loose: Sequence[Overlap],
    threshold: float,
) -> Pair:
    """*needs* says why *a* needs *b* and why *b* needs *a*."""
    if a.scope is None or b.scope is None:
        return Pair(a.task, b.task, Relation.INDEPENDENT, 0.0)
    found = (*loose, *overlaps(a, b))
    risk, said = _combined(found), _evidence(found)
    unknown = [each.task for each in (a, b) if each.scope is Scope.UNKNOWN]
    at_least = max(risk, UNKNOWN_RISK) if unknown else risk
    if any(needs):
        first = None if all(needs) else b.task if needs[0] else a.task
        return Pair(a.task, b.task, Relation.DEPENDENCY, at_least, (*needs[0], *needs[1], *said), first)
    if risk > threshold:
        return Pair(a.task, b.task, Relation.COLLISION, risk, said)
    doubt = (f"nobody knows where {' and '.join(unknown)} will work",) if unknown else ()
    return Pair(a.task, b.task, Relation.UNKNOWN if unknown else Relation.INDEPENDENT, at_least, (*doubt, *said))


def _needs(task: TaskId, on: TaskId, order: Order, direct: Mapping[tuple[TaskId, TaskId], Edge]) -> Iterator[str]:
    """Why *on* has to land before *task*, nothing when it has not to."""
    if edge := direct.get((task, on)):
        yield f"{task} needs {on} ({edge.evidence})"
    elif on in order.above.get(task, frozenset()):
        between = next(e.on for e in order.edges if e.task == task and on in order.above.get(e.on, frozenset()))
        yield f"{task} needs {on} through {between}"


def _inside(region: Region, files: Iterable[Place]) -> Iterator[Overlap]:
    for place in files:
        if place.pattern.startswith(region.prefix) and meet(region.segments, place.segments):
            yield _overlap(region.place, place)


def _overlap(one: Place, other: Place) -> Overlap:
    where = one.pattern if one.pattern == other.pattern else f"{one.pattern} and {other.pattern}"
    return Overlap(one.probability * other.probability, f"both write in {where} ({_lines(one, other)})")


def _region(place: Place) -> Region:
    segments = place.segments
    return Region(segments, literal_prefix(segments), place)


def _lines(one: Place, other: Place) -> str:
    return ", ".join(place.evidence[0].removeprefix("declared: ") for place in (one, other))


def _combined(found: Iterable[Overlap]) -> float:
    """The risk that at least one overlap becomes a conflict, taken as independent of each other."""
    none = 1.0
    for overlap in found:
        none *= 1 - overlap.risk
    return round(1 - none, 4)


def _evidence(found: Sequence[Overlap]) -> tuple[str, ...]:
    said = tuple(dict.fromkeys(overlap.evidence for overlap in found[:SHOWN]))
    return said if len(found) <= SHOWN else (*said, f"and {len(found) - SHOWN} more places")
