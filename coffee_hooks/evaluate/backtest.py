"""What would have been predicted for work that has landed, beside what that work really touched.

Any two of the replayed tasks are taken as a pair, as if they had been planned at the same time: repositories where
little happens side by side would otherwise say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from coffee_hooks.base.model import Spec, TaskId
from coffee_hooks.evaluate.collisions import relate_all
from coffee_hooks.evaluate.footprint import Footprint, footprint
from coffee_hooks.evaluate.order import put_in_order
from coffee_hooks.evaluate.scores import (
    Bin,
    Cut,
    Judged,
    area_under_curve,
    average_precision,
    best_threshold,
    calibration,
    calibration_error,
    cuts,
)
from coffee_hooks.evaluate.sightings import sightings
from coffee_hooks.evaluate.subjects import subjects
from coffee_hooks.evaluate.tree import index_tree
from coffee_hooks.predict.past import Work
from coffee_hooks.predict.predict import Prediction
from coffee_hooks.sources.bookkeeping import is_bookkeeping
from coffee_hooks.sources.specs import parse_spec

FIRST = 10
"""Files of a footprint, the likeliest, that recall looks at."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A task of the past, the paths of the tree before it, and what is predicted for it there."""

    work: Work
    tree: Sequence[str]
    predicted: Sequence[Prediction]


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result. *met* pairs of *pairs* touched a common file, shared bookkeeping left out.

    *recall* is the share of the files of a task, those that were there before, among the first `FIRST` predicted ones;
    None where no task changed such a file. The other figures are those of ``scores``.
    """

    tasks: int
    pairs: int
    met: int
    precision: float | None
    area: float | None
    recall: float | None
    error: float
    bins: Sequence[Bin]
    cuts: Sequence[Cut]
    threshold: float | None


def backtest(replays: Sequence[Replay]) -> Backtest:
    """Judge all pairs of *replays* as ``evaluate`` would, with what they say as their specs."""
    feet = [_footprint(replay) for replay in replays]
    judged = _judged(replays, feet)
    recalls = [
        found for replay, foot in zip(replays, feet, strict=True) if (found := _recall(replay, foot)) is not None
    ]
    return Backtest(
        tasks=len(replays),
        pairs=len(judged),
        met=sum(each.met for each in judged),
        precision=average_precision(judged),
        area=area_under_curve(judged),
        recall=math.fsum(recalls) / len(recalls) if recalls else None,
        error=calibration_error(judged),
        bins=calibration(judged),
        cuts=cuts(judged),
        threshold=best_threshold(judged),
    )


def own_files(paths: Iterable[str]) -> frozenset[str]:
    """The paths that are one task's business: shared bookkeeping is the merge's."""
    return frozenset(path for path in paths if not is_bookkeeping(path))


def _footprint(replay: Replay) -> Footprint:
    return footprint(_spec(replay.work), index_tree(replay.tree), predicted=replay.predicted)


def _spec(work: Work) -> Spec:
    return parse_spec(work.text.encode("utf-8", "surrogateescape"), f"{work.commit[:7]}.md")


def _judged(replays: Sequence[Replay], feet: Sequence[Footprint]) -> list[Judged]:
    seen = sightings([_spec(replay.work) for replay in replays])
    known = [(TaskId(replay.work.commit), foot, named) for replay, foot, named in zip(replays, feet, seen, strict=True)]
    pairs = relate_all(subjects(known), put_in_order([]), 1.0)
    touched = [own_files(replay.work.files) for replay in replays]
    met = [bool(one & other) for one, other in combinations(touched, 2)]
    return [Judged(pair.risk, together) for pair, together in zip(pairs, met, strict=True)]


def _recall(replay: Replay, foot: Footprint) -> float | None:
    wanted = own_files(replay.work.files).intersection(replay.tree)
    ordered = sorted(foot.places, key=lambda place: -place.probability)
    first = [place.pattern for place in ordered if not is_bookkeeping(place.pattern)][:FIRST]
    return len(wanted.intersection(first)) / len(wanted) if wanted else None
