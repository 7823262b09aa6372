"""What was predicted of a task when it was claimed, kept until its landing shows what it really touched."""

from __future__ import annotations

import time
from collections.abc import Iterable

from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.predictions import Prediction, remember
from coffee_hooks.state.store import Store

MOST = 50
"""So many places of a task are remembered, the likeliest."""


def remember_predictions(store: Store, evaluation: Evaluation, claims: Iterable[Claim]) -> None:
    """Keep where the tasks of *claims*, made just now, are expected to work."""
    for claim in claims:
        verdict = evaluation.verdict(claim.task)
        if verdict is not None:
            foot = verdict.footprint
            ordered = sorted(foot.places, key=lambda place: (-place.probability, place.pattern))[:MOST]
            places = tuple((place.pattern, place.kind.value, place.probability) for place in ordered)
            remember(store, Prediction(claim.task, claim.branch, time.time(), foot.scope.value, places))
