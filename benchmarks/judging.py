"""How well a model foretells which past tasks met in a file: its predictions through the product's own code for pairs.

Once with all files as the truth, and once without the shared bookkeeping, which is the merge's business.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from past_rows import Past, Task, columns

from coffee_hooks.base.model import Spec, TaskId
from coffee_hooks.evaluate.assess import DEFAULT_RISK
from coffee_hooks.evaluate.backtest import FIRST, Replay, backtest, own_files
from coffee_hooks.evaluate.collisions import Relation, relate_all
from coffee_hooks.evaluate.footprint import Footprint, footprint
from coffee_hooks.evaluate.order import put_in_order
from coffee_hooks.evaluate.scores import Bin, Judged, area_under_curve, average_precision, calibration
from coffee_hooks.evaluate.sightings import sightings
from coffee_hooks.evaluate.subjects import subjects
from coffee_hooks.evaluate.tree import index_tree
from coffee_hooks.predict.model import Layer
from coffee_hooks.predict.new_files import new_files
from coffee_hooks.predict.predict import LEAST, MOST, Prediction
from coffee_hooks.sources.specs import parse_spec

_TOKEN = re.compile(r"[\w@+./\\-]*\w")
Kept = Callable[[Iterable[str]], AbstractSet[str]]
"""The paths that count."""


@dataclass(frozen=True)
class Figures:
    """One repository, one truth. *literal* and *names*: average precision of tasks that name a common path, or the
    same last name of a file. *precision* and the rest are ours, as ``coffee_hooks.evaluate.backtest`` has them."""

    pairs: int
    met: int
    literal: float
    names: float
    precision: float
    area: float
    recall: float
    bins: Sequence[Bin]

    @property
    def prevalence(self) -> float:
        """The share of the pairs that met."""
        return self.met / self.pairs

    @property
    def error(self) -> float:
        """The expected calibration error."""
        return pooled_error([self.bins])


@dataclass(frozen=True)
class Declared:
    """What comes out when specs list the very files that were touched: pairs that met, those of them that are told
    as collisions, and those that are told and did not meet."""

    met: int
    told: int
    wrong: int


def replays(past: Past, layer: Layer) -> list[Replay]:
    """The tasks with what *layer* predicts for them, as ``predict`` would."""
    signals = sorted(layer.weights)
    weights = np.array([layer.weights[name] for name in signals])
    return [Replay(task.work, task.tree, _predicted(past, task, layer.bias, signals, weights)) for task in past.tasks]


def _predicted(
    past: Past, task: Task, bias: float, signals: Sequence[str], weights: np.ndarray
) -> tuple[Prediction, ...]:
    sure = 1 / (1 + np.exp(-(columns(past, task, signals) @ weights + bias)))
    chances = [(path, chance) for path, chance in zip(task.files, sure.tolist(), strict=True) if chance >= LEAST]
    likely = sorted(chances, key=lambda each: (-each[1], each[0]))[:MOST]
    added = new_files(task.corpus, {task.corpus.place[path]: chance for path, chance in likely})
    likely += ((new.path, new.probability) for new in added if new.probability >= LEAST)
    found = (Prediction(path, round(chance, 4), ()) for path, chance in likely)
    return tuple(sorted(found, key=lambda each: (-each.probability, each.path)))


def judge_own_files(done: Sequence[Replay]) -> Figures:
    """The figures without shared bookkeeping: those of ``evaluate --backtest``."""
    found = backtest(done)
    met = _met(done, own_files)
    return Figures(
        found.pairs, found.met, _named(done, met, own_files, _paths), _named(done, met, own_files, _last_names),
        found.precision or 0.0, found.area or 0.0, found.recall or 0.0, found.bins,
    )  # fmt: skip


def judge_all_files(done: Sequence[Replay]) -> Figures:
    """The figures when a change log in common is a meeting like any other."""
    feet = [_whole(footprint(_spec(each), index_tree(each.tree), predicted=each.predicted)) for each in done]
    seen = sightings([_spec(each) for each in done])
    known = [(TaskId(each.work.commit), foot, named) for each, foot, named in zip(done, feet, seen, strict=True)]
    met = _met(done, frozenset)
    pairs = relate_all(subjects(known), put_in_order([]), 1.0)
    judged = [Judged(pair.risk, together) for pair, together in zip(pairs, met, strict=True)]
    recalls = [_recall(each, foot) for each, foot in zip(done, feet, strict=True) if _there_before(each)]
    return Figures(
        len(judged), sum(met), _named(done, met, frozenset, _paths), _named(done, met, frozenset, _last_names),
        average_precision(judged) or 0.0, area_under_curve(judged) or 0.0,
        math.fsum(recalls) / max(1, len(recalls)), calibration(judged),
    )  # fmt: skip


def judge_declared(past: Past) -> Declared:
    """Specs that list the files that were touched, judged at the default threshold."""
    specs = [
        parse_spec(f"# Task\n\n## Files to modify\n\n{_listed(task)}\n".encode("utf-8", "surrogateescape"), f"{at}.md")
        for at, task in enumerate(past.tasks)
    ]
    feet = [footprint(spec, index_tree(task.tree)) for spec, task in zip(specs, past.tasks, strict=True)]
    known = [
        (TaskId(str(at)), foot, symbols) for at, (foot, symbols) in enumerate(zip(feet, sightings(specs), strict=True))
    ]
    pairs = relate_all(subjects(known), put_in_order([]), DEFAULT_RISK)
    met = [bool(one & other) for one, other in combinations([own_files(task.work.files) for task in past.tasks], 2)]
    told = [pair.relation is Relation.COLLISION for pair in pairs]
    both = sum(a and b for a, b in zip(met, told, strict=True))
    return Declared(sum(met), both, sum(told) - both)


def pooled_error(all_bins: Iterable[Sequence[Bin]]) -> float:
    """The expected calibration error over the pairs of several repositories together."""
    by_low: dict[float, list[Bin]] = {}
    for each in (each for bins in all_bins for each in bins):
        by_low.setdefault(each.low, []).append(each)
    pairs = sum(each.pairs for bins in by_low.values() for each in bins)
    gaps = (abs(math.fsum((each.risk - each.met) * each.pairs for each in bins)) for bins in by_low.values())
    return math.fsum(gaps) / max(1, pairs)


def _whole(foot: Footprint) -> Footprint:
    """*foot* with what is shared as places like any other."""
    return replace(foot, places=(*foot.places, *foot.shared), shared=())


def _spec(done: Replay) -> Spec:
    return parse_spec(done.work.text.encode("utf-8", "surrogateescape"), f"{done.work.commit[:7]}.md")


def _met(done: Sequence[Replay], kept: Kept) -> list[bool]:
    return [bool(one & other) for one, other in combinations([kept(each.work.files) for each in done], 2)]


def _there_before(done: Replay) -> set[str]:
    return set(done.work.files).intersection(done.tree)


def _recall(done: Replay, foot: Footprint) -> float:
    wanted = _there_before(done)
    ordered = sorted(foot.places, key=lambda place: -place.probability)[:FIRST]
    return len(wanted.intersection(place.pattern for place in ordered)) / len(wanted)


def _named(
    done: Sequence[Replay], met: Sequence[bool], kept: Kept, names: Callable[[Replay, Kept], AbstractSet[str]]
) -> float:
    """The average precision of the plainest guess: two tasks meet when their texts have a name in common."""
    said = [names(each, kept) for each in done]
    both = (bool(one & other) for one, other in combinations(said, 2))
    return average_precision([Judged(float(each), together) for each, together in zip(both, met, strict=True)]) or 0.0


def _paths(done: Replay, kept: Kept) -> AbstractSet[str]:
    """The files whose path the text has, or the end of it with a folder."""
    tokens = _tokens(done)
    ends = {token.rpartition("/")[2] for token in tokens if "/" in token}
    meant = (path for path in done.tree if path in tokens or (path.rpartition("/")[2] in ends and _ends(path, tokens)))
    return kept(meant)


def _ends(path: str, tokens: AbstractSet[str]) -> bool:
    """Whether one of *tokens* is the end of *path* from one of its folders on."""
    parts = path.split("/")
    return any("/".join(parts[start:]) in tokens for start in range(1, len(parts) - 1))


def _last_names(done: Replay, kept: Kept) -> AbstractSet[str]:
    """The last names of files that the text has."""
    known = {path.rpartition("/")[2] for path in kept(done.tree)}
    return known.intersection(token.rpartition("/")[2] for token in _tokens(done) if "." in token)


def _tokens(done: Replay) -> set[str]:
    return {token.removeprefix("./") for token in _TOKEN.findall(done.work.text)}


def _listed(task: Task) -> str:
    return "\n".join(f"- `{path}`" for path in task.work.files)
