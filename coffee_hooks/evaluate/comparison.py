"""What was predicted for a task beside the files that its landing really changed. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from coffee_hooks.base.model import PathKind
from coffee_hooks.evaluate.backtest import FIRST, own_files
from coffee_hooks.evaluate.patterns import meet, segments_of

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

    *foreseen* of them are in one of its `FIRST` likeliest places. *named* places were likelier than not; *right* of
    those were touched.
    """

    task: str
    branch: str
    scope: str
    touched: tuple[str, ...]
    foreseen: tuple[str, ...]
    named: tuple[str, ...]
    right: tuple[str, ...]

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
        tuple(place.pattern for place in named if any(place.holds(path) for path in touched)),
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
