"""Tasks prepared for comparison: whatever can be worked out once for a place is, so that a pair only looks it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NewType

from coffee_hooks.base.model import PathKind, SymbolRole, TaskId
from coffee_hooks.evaluate.footprint import Footprint, Place, Scope
from coffee_hooks.evaluate.patterns import literal_prefix, meet
from coffee_hooks.evaluate.sightings import Sighting, SymbolKey
from coffee_hooks.evaluate.tree import TreeIndex, index_tree

RegionKey = NewType("RegionKey", str)
"""What makes two regions the same one; text, because its hash is worked out only once."""


@dataclass(frozen=True, slots=True)
class Region:
    """A place that stands for more than one file.

    *covered* are the files inside it that any of the compared tasks names, whether or not they exist yet; *meets*
    the regions of the compared tasks that some path is in as well.
    """

    place: Place
    covered: frozenset[str]
    meets: frozenset[RegionKey]


@dataclass(frozen=True, slots=True)
class Subject:
    """A task as the pair relations read it. *scope* None: it has landed. *symbols* are those it makes or changes."""

    task: TaskId
    scope: Scope | None
    files: Mapping[str, Place] = field(default_factory=dict)
    regions: Mapping[RegionKey, Region] = field(default_factory=dict)
    symbols: Mapping[SymbolKey, Sighting] = field(default_factory=dict)


def subjects(known: Sequence[tuple[TaskId, Footprint | None, Mapping[SymbolKey, Sighting]]]) -> tuple[Subject, ...]:
    """The tasks of *known*, shared places left out; a footprint of None is that of a task that has landed."""
    places = [place for _, foot, _ in known if foot for place in foot.places]
    every = index_tree(place.pattern for place in places if _is_file(place))
    meets = _meetings({_key(place): place for place in places if not _is_file(place)})
    return tuple(_subject(task, foot, symbols, every, meets) for task, foot, symbols in known)


def _subject(
    task: TaskId,
    foot: Footprint | None,
    symbols: Mapping[SymbolKey, Sighting],
    every: TreeIndex,
    meets: Mapping[RegionKey, frozenset[RegionKey]],
) -> Subject:
    if foot is None:
        return Subject(task, None)
    files = {place.pattern: place for place in foot.places if _is_file(place)}
    regions = {
        _key(place): Region(place, frozenset(every.matching(place.segments)), meets[_key(place)])
        for place in foot.places
        if not _is_file(place)
    }
    touched = {key: seen for key, seen in symbols.items() if seen.role is not SymbolRole.USES}
    return Subject(task, foot.scope, files, regions, touched)


def _meetings(places: Mapping[RegionKey, Place]) -> dict[RegionKey, frozenset[RegionKey]]:
    """For each region those that it meets, itself included; only regions below each other's folder are compared."""
    found: dict[RegionKey, set[RegionKey]] = {key: {key} for key in places}
    segments = {key: place.segments for key, place in places.items()}
    by_folder: dict[str, list[RegionKey]] = {}
    for key, parts in segments.items():
        by_folder.setdefault(literal_prefix(parts), []).append(key)
    for folder, keys in by_folder.items():
        above = [key for each in _and_above(folder) for key in by_folder.get(each, ())]
        if folder:  # a new file of no known folder is not taken to be in every folder
            above = [key for key in above if places[key].kind is not PathKind.BARE]
        for key in keys:
            for other in above:
                if meet(segments[key], segments[other]):
                    found[key].add(other)
                    found[other].add(key)
    return {key: frozenset(met) for key, met in found.items()}


def _and_above(folder: str) -> Iterator[str]:
    yield folder
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _is_file(place: Place) -> bool:
    return place.kind is PathKind.FILE


def _key(place: Place) -> RegionKey:
    return RegionKey(f"{place.kind.value} {place.pattern}")
