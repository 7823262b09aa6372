"""Whether two tasks can be worked on at the same time, how sure we are, and which lines say so.

An overlap is one place or symbol that both tasks touch. ``OVERLAPS`` holds the functions that find them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from coffee_hooks.base.model import SymbolKind, SymbolRole, TaskId
from coffee_hooks.evaluate.footprint import Place, Scope, Source
from coffee_hooks.evaluate.order import Edge, Order, describe
from coffee_hooks.evaluate.sightings import Sighting
from coffee_hooks.evaluate.subjects import Region, Subject

UNKNOWN_RISK = 0.5
"""Risk of a pair of which nothing is known: no evidence either way."""
SHOWN = 5
"""How many overlaps are listed as evidence of one pair."""

_BOTH_WRITE = 0.9
_SAME_FUNCTION_NAME = 0.5


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


class Overlap(NamedTuple):
    """One thing that both tasks touch. *claimed* is the risk if both specs are to be trusted in what they declare."""

    risk: float
    evidence: str
    claimed: float = 0.0


def relate_all(subjects: Sequence[Subject], order: Order, threshold: float) -> tuple[Pair, ...]:
    """Every pair, in the order of *subjects*. Above *threshold* a risk is a collision."""
    direct: dict[TaskId, dict[TaskId, Edge]] = {}
    for edge in order.edges:
        direct.setdefault(edge.task, {})[edge.on] = edge
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
    """Files that both name or probably touch; in words only those that can be shown."""
    both = [
        (mine.probability * theirs.probability, path, mine.claimed * theirs.claimed)
        for path, mine in a.files.items()
        if (theirs := b.files.get(path))
    ]
    for shown, (risk, path, claimed) in enumerate(sorted(both, key=lambda each: -each[0])):
        yield Overlap(risk, _both(a, b, path) if shown < SHOWN else path, claimed)


def same_regions(a: Subject, b: Subject) -> Iterator[Overlap]:
    """A folder or wildcard of one and what the other names inside it, whether or not it exists yet."""
    for mine in a.regions.values():
        yield from _inside(mine, b.files)
        if not mine.meets.isdisjoint(b.regions):
            yield from (
                _overlap(mine.place, theirs.place) for other, theirs in b.regions.items() if other in mine.meets
            )
    for theirs in b.regions.values():
        yield from _inside(theirs, a.files)


def same_symbols(a: Subject, b: Subject) -> Iterator[Overlap]:
    """Classes, functions, tables and routes that both make or change."""
    if a.symbols.keys().isdisjoint(b.symbols):
        return
    for key, mine in a.symbols.items():
        if theirs := b.symbols.get(key):
            what = f"{describe(mine)} ({mine.where} {mine.role.value} it, {theirs.where} {theirs.role.value} it)"
            yield Overlap(_symbol_risk(mine, theirs), f"both shape {what}")


OVERLAPS: tuple[Callable[[Subject, Subject], Iterable[Overlap]], ...] = (same_files, same_regions, same_symbols)


def _symbol_risk(mine: Sighting, theirs: Sighting) -> float:
    both_new = mine.role is theirs.role is SymbolRole.INTRODUCES
    return _SAME_FUNCTION_NAME if both_new and mine.kind is SymbolKind.FUNCTION else _BOTH_WRITE


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
    risk, said = _combined(each.risk for each in found), _evidence(found)
    unknown = [each.task for each in (a, b) if each.scope is Scope.UNKNOWN]
    at_least = max(risk, UNKNOWN_RISK) if unknown else risk
    if any(needs):
        first = None if all(needs) else b.task if needs[0] else a.task
        return Pair(a.task, b.task, Relation.DEPENDENCY, at_least, (*needs[0], *needs[1], *said), first)
    # What both specs declare is a collision, however little one of them is worth for the length of its list.
    if max(risk, _combined(each.claimed for each in found)) > threshold:
        return Pair(a.task, b.task, Relation.COLLISION, risk, said)
    doubt = (f"nobody knows where {' and '.join(unknown)} will work",) if unknown else ()
    return Pair(a.task, b.task, Relation.UNKNOWN if unknown else Relation.INDEPENDENT, at_least, (*doubt, *said))


def _needs(task: TaskId, on: TaskId, order: Order, direct: Mapping[TaskId, Mapping[TaskId, Edge]]) -> Iterator[str]:
    """Why *on* has to land before *task*, nothing when it has not to."""
    if on not in order.above.get(task, frozenset()):
        return
    if edge := direct[task].get(on):
        yield f"{task} needs {on} ({edge.evidence})"
    else:
        between = next(each for each in direct[task] if on in order.above.get(each, frozenset()))
        yield f"{task} needs {on} through {between}"


def _inside(region: Region, files: Mapping[str, Place]) -> Iterator[Overlap]:
    if not region.covered.isdisjoint(files):
        yield from (_overlap(region.place, place) for path, place in files.items() if path in region.covered)


def _overlap(one: Place, other: Place) -> Overlap:
    where = one.pattern if one.pattern == other.pattern else f"{one.pattern} and {other.pattern}"
    said = f"both write in {where} ({_lines(one, other)})"
    return Overlap(one.probability * other.probability, said, one.claimed * other.claimed)


def _both(a: Subject, b: Subject, path: str) -> str:
    mine, theirs = a.files[path], b.files[path]
    if Source.PREDICTED not in (mine.source, theirs.source):
        return f"both write {path} ({_lines(mine, theirs)})"
    return f"both may touch {path} ({_why(a, mine)}; {_why(b, theirs)})"


def _why(subject: Subject, place: Place) -> str:
    return f"{subject.task} {place.probability:.0%}: {place.evidence[0].removeprefix('predicted: ')}"


def _lines(one: Place, other: Place) -> str:
    return ", ".join(place.evidence[0].removeprefix("declared: ") for place in (one, other))


def _combined(risks: Iterable[float]) -> float:
    """The risk that at least one overlap becomes a conflict, taken as independent of each other."""
    none = 1.0
    for risk in risks:
        none *= 1 - risk
    return round(1 - none, 4)


def _evidence(found: Sequence[Overlap]) -> tuple[str, ...]:
    said = tuple(dict.fromkeys(overlap.evidence for overlap in found[:SHOWN]))
    return said if len(found) <= SHOWN else (*said, f"and {len(found) - SHOWN} more places")
