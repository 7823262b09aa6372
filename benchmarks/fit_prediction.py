"""Fit the weights of the prediction on work that landed in other people's repositories.

``python benchmarks/fit_prediction.py [--truth [NAME=]CLONE FILE.json] [--tasks N] [--rows FOLDER] [--jobs N]
[NAME=]CLONE...`` writes coffee_hooks/predict/weights.json. It needs the dependency group ``fit``. The last N tasks of
each clone are replayed; one logistic model over all of their files, every file counted once. ``--truth`` takes the
tasks of a clone from a file (see `evaluate_history`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from measure import ROOT
from past_rows import Past, arguments, clone_of, load, make_rows, place_for_rows, say, stacked
from sklearn.linear_model import LogisticRegression

from coffee_hooks.predict.model import Layer

WEIGHTS = ROOT / "coffee_hooks" / "predict" / "weights.json"
STRENGTH = 1.0
"""The inverse of the penalty on large weights, as scikit-learn counts it: with so many rows it hardly matters."""
ROUNDS = 50
DIGITS = 3


def fit(pasts: Sequence[Past], without: Sequence[str] = ()) -> Layer:
    """The model that fits *pasts* best, without the signals that match one of the patterns *without*."""
    signals = sorted({name for past in pasts for name in past.signals if not is_left_out(name, without)})
    rows, touched = stacked(pasts, signals)
    model = LogisticRegression(C=STRENGTH, solver="newton-cholesky", max_iter=ROUNDS).fit(rows, touched)
    weights = zip(signals, model.coef_[0].tolist(), strict=True)
    return Layer(round(float(model.intercept_[0]), DIGITS), {name: round(weight, DIGITS) for name, weight in weights})


def is_left_out(name: str, patterns: Sequence[str]) -> bool:
    """Whether the signal of the column *name* matches one of *patterns*; ``content: rank`` is one of content."""
    return any(fnmatchcase(name.partition(":")[0], pattern) for pattern in patterns)


def write(layer: Layer, place: Path) -> None:
    """The weights as the package reads them."""
    said = {"bias": layer.bias, "weights": dict(sorted(layer.weights.items()))}
    place.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    """Fit, write, and say how much there was to learn from."""
    options = arguments("Fit the weights of the prediction.").parse_args()
    clones = [*options.clones, *(clone_of(*told) for told in options.truth)]
    with place_for_rows(options.rows) as folder:
        places = make_rows(clones, options.tasks, options.jobs, folder)
        pasts = [load(place, clone) for place, clone in zip(places, clones, strict=True)]
    layer = fit(pasts)
    write(layer, WEIGHTS)
    tasks = [task for past in pasts for task in past.tasks]
    files = sum(len(task.files) for task in tasks)
    say(f"{len(pasts)} repositories, {len(tasks)} tasks, {files:,} rows, {len(layer.weights)} weights")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
