"""What was predicted for a task beside the files that its landing really changed. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coffee_hooks.base.model import PathKind, TaskId
from coffee_hooks.evaluate.backtest import FIRST, own_files
from coffee_hooks.evaluate.collisions import relate_all
from coffee_hooks.evaluate.footprint import Footprint, Place, Scope
from coffee_hooks.evaluate.order import put_in_order
from coffee_hooks.evaluate.patterns import meet, segments_of
from coffee_hooks.evaluate.subjects import subjects

LIKELY = 0.5
"""A place that is more likely than not counts as named."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A place that a task was to touch: a file, a folder or a pattern, and the probability that was given to it."""

    pattern: str
    kind: PathKind
    probability: float

    def holds(self, path: str) -> bool:
        """Whether *path* is that place or in it."""
        return meet(segments_of(self.pattern, self.kind), tuple(path.split("/")))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One landed task. *touched* are its own files, shared bookkeeping left out, sorted.

    *foreseen* of them are in one of its `FIRST` likeliest *places*. *named* places were likelier than not; *right* of
    those were touched.
    """

    task: str
    branch: str
    scope: str
    touched: tuple[str, ...]
    foreseen: tuple[str, ...]
    named: tuple[str, ...]
    right: tuple[str, ...]
    places: tuple[Expected, ...] = ()

    @property
    def surprises(self) -> tuple[str, ...]:
        """What it touched and nobody had foreseen."""
        return tuple(path for path in self.touched if path not in self.foreseen)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """All comparisons together: *precision* over all named places, *recall* the mean of the tasks; None for none."""

    tasks: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Meetings:
    """Pairs of tasks that were under way at the same time: how many were *expected* to touch a common file, by the
    sum of their risks, and how many *met* in one.
    """

    pairs: int
    expected: float
    met: int


def compare(
    task: str, branch: str, scope: str, expected: Sequence[Expected], changed: Collection[str], shared: Collection[str]
) -> Comparison:
    """Compare *expected* with the paths that the landing *changed*; those that are *shared* are everybody's."""
    touched = tuple(sorted(own_files(path for path in changed if path not in shared)))
    ordered = sorted(expected, key=lambda place: (-place.probability, place.pattern))
    first, named = ordered[:FIRST], [place for place in ordered if place.probability >= LIKELY]
    return Comparison(
        task, branch, scope, touched,
        tuple(path for path in touched if any(place.holds(path) for place in first)),
        tuple(place.pattern for place in named),
        tuple(place.pattern for place in named if any(place.holds(path) for path in touched)), tuple(ordered),
    )  # fmt: skip


def accuracy(found: Sequence[Comparison]) -> Accuracy:
    """How good the predictions were, over all of *found*; tasks that touched no file of their own have no recall."""
    named = sum(len(each.named) for each in found)
    recalls = [len(each.foreseen) / len(each.touched) for each in found if each.touched]
    return Accuracy(
        len(found),
        sum(len(each.right) for each in found) / named if named else None,
        math.fsum(recalls) / len(recalls) if recalls else None,
    )


def meetings(found: Sequence[Comparison], beside: Collection[frozenset[str]]) -> Meetings:
    """What was foreseen of the pairs of branches that were *beside* each other, and what came of it."""
    known = {each.branch: each for each in found}
    prepared = subjects([(TaskId(branch), _footprint(each.places), {}) for branch, each in known.items()])
    by_branch = {str(each.task): each for each in prepared}
    pairs = sorted(tuple(sorted(pair)) for pair in beside if pair <= known.keys())
    order = put_in_order([])
    risks = [relate_all((by_branch[one], by_branch[other]), order, 1.0)[0].risk for one, other in pairs]
    met = sum(not set(known[one].touched).isdisjoint(known[other].touched) for one, other in pairs)
    return Meetings(len(pairs), math.fsum(risks), met)


def _footprint(expected: Sequence[Expected]) -> Footprint:
    places = tuple(Place(each.pattern, each.kind, each.probability, ("as it was kept",)) for each in expected)
    return Footprint(Scope.PREDICTED, places)
