"""The weights of the signals: a logistic model, fitted on the history of public repositories.

The numbers are in ``weights.json``; ``benchmarks/fit_prediction.py`` makes them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Row = dict[str, float]
"""What is known of one file for one task: the strength of each signal that points to it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One logistic model."""

    bias: float
    weights: Mapping[str, float]
    version: str = ""
    """Tells apart what different weights concluded."""

    def logit(self, row: Row) -> float:
        """The log odds of a file with these signals; those without a weight count nothing."""
        weights, total = self.weights, self.bias
        for name, value in row.items():
            if name in weights:
                total += weights[name] * value
        return total

    def probability(self, row: Row) -> float:
        """The probability, in 0..1, that the task touches the file."""
        return logistic(self.logit(row))

    def reasons(self, row: Row) -> list[str]:
        """The signals that speak for the file, the weightiest first."""
        said = {name: self.weights.get(name, 0.0) * value for name, value in row.items()}
        return [name for name in sorted(said, key=lambda name: (-said[name], name)) if said[name] > 0]


@cache
def fitted() -> Layer:
    """The weights that are part of the package."""
    data = Path(__file__).with_name("weights.json").read_bytes()
    found = json.loads(data)
    return Layer(found["bias"], found["weights"], hashlib.sha256(data).hexdigest()[:12])


def logistic(logit: float) -> float:
    """The probability of log odds."""
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
