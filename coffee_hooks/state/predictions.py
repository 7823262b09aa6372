"""Where a task was expected to work when it was claimed: what its landing is compared with later."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Prediction:
    """The footprint of *task* at its claim at *made* (UNIX seconds): pattern, kind and probability, likeliest first.

    *scope* is how it was known, a word of the contract. What all tasks may change is not in *places*.
    """

    task: str
    branch: str
    made: float
    scope: str
    places: tuple[tuple[str, str, float], ...]


def remember(store: Store, prediction: Prediction) -> None:
    """Keep *prediction* where that is possible: nothing but a comparison depends on it."""
    with contextlib.suppress(CoffeeError):
        store.write(
            "INSERT OR REPLACE INTO predictions (branch, task, made, scope, places) VALUES (?, ?, ?, ?, ?)",
            (prediction.branch, prediction.task, prediction.made, prediction.scope, json.dumps(prediction.places)),
        )


def predictions(store: Store) -> dict[str, Prediction]:
    """What is remembered, by branch."""
    found = store.rows("SELECT branch, task, made, scope, places FROM predictions ORDER BY branch")
    return {branch: Prediction(task, branch, made, scope, _places(text)) for branch, task, made, scope, text in found}


def _places(text: str) -> tuple[tuple[str, str, float], ...]:
    return tuple((str(pattern), str(kind), float(probability)) for pattern, kind, probability in json.loads(text))
