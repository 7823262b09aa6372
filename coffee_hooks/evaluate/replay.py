"""The backtest of a repository: its own past, replayed. Nothing is written."""

from __future__ import annotations

import time

from coffee_hooks.base import output
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.evaluate.backtest import Backtest, Replay, backtest
from coffee_hooks.predict.index import File
from coffee_hooks.predict.model import fitted
from coffee_hooks.predict.past import read_past
from coffee_hooks.predict.predict import predict
from coffee_hooks.predict.read import replay_corpus
from coffee_hooks.predict.source import Source

FEWEST = 2
"""Tasks that make a pair."""
QUIET = 2.0
"""Seconds between two lines that say how far it is."""


def replay(project: Project, head: Sha, most: int) -> Backtest:
    """Predict each of the last *most* tasks that landed on *head* from its text and the tree it started from.

    Four git processes a task. Raises EnvironmentFailure when fewer than two tasks are to be found.
    """
    works = read_past(project.repo, head, most)
    if len(works) < FEWEST:
        raise EnvironmentFailure(
            "the history has no two merged branches or commits to replay",
            hint="fetch the whole history: git fetch --unshallow",
        )
    known: dict[File, Source] = {}
    replays, told = [], time.monotonic()
    for number, work in enumerate(works, 1):
        corpus = replay_corpus(project.repo, work.base, known)
        (predicted,) = predict(corpus, [work.text], fitted())
        replays.append(Replay(work, corpus.paths, predicted))
        if time.monotonic() - told > QUIET:
            output.say(f"replayed {number} of {len(works)} tasks")
            told = time.monotonic()
    return backtest(replays)
