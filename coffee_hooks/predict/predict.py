"""From the text of a task to a probability for each file, with the reasons."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.model import Layer, Row
from coffee_hooks.predict.new_files import new_files
from coffee_hooks.predict.question import Question, ask
from coffee_hooks.predict.signals.churn import churn
from coffee_hooks.predict.signals.cochange import cochange
from coffee_hooks.predict.signals.content import content
from coffee_hooks.predict.signals.imports import imports
from coffee_hooks.predict.signals.layout import path_words
from coffee_hooks.predict.signals.messages import messages
from coffee_hooks.predict.signals.names import named_file, named_folder, named_path, named_stem
from coffee_hooks.predict.signals.neighbours import neighbours
from coffee_hooks.predict.signals.signal import Signal
from coffee_hooks.predict.signals.spread import Lead, Spread
from coffee_hooks.predict.signals.symbols import symbols
from coffee_hooks.predict.signals.twins import twins

LEAST = 0.02
"""Files less likely than this are not told of."""
MOST = 100
"""Files of one task that are told of, the likeliest."""
REASONS = 3
"""Reasons that are given for a file."""

FIRST_LOOK = Layer(
    -5.0,
    {
        "named path": 4.0, "named file": 3.0, "named stem": 1.5, "symbols": 1.5, "content": 1.0, "content: rank": 2.0,
        "path words": 1.0, "path words: rank": 1.5, "messages": 1.0, "messages: rank": 2.0, "churn": 0.5, "data": -1.0,
    },
)  # fmt: skip
"""What decides which files are followed to those that go with them. Set by hand: it need not be right, only sane."""

_BUSY = 60
"""Files, the most changed, that are looked at whatever the text says."""
_WEAK = 0.05
"""A file that is led to less than this is not looked at."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A file that a task may touch, with a probability in 0..1."""

    path: str
    probability: float
    evidence: tuple[str, ...]


class Scout:
    """Everything that points to files of one commit, prepared for *questions*."""

    def __init__(self, corpus: Corpus, questions: Sequence[Question]) -> None:
        self.corpus = corpus
        self._churn = churn(corpus)
        busy = sorted(self._churn.share, key=lambda at: (-self._churn.share[at], at))
        self._busy = {at: 1 / (1 + rank) for rank, at in enumerate(busy)}
        self._kinds: dict[int, Row] = {}
        self._signals: tuple[Signal, ...] = (
            named_path(corpus), named_file(corpus), named_stem(corpus), named_folder(corpus), symbols(corpus),
            content(corpus, questions), *path_words(corpus), messages(corpus),
        )  # fmt: skip
        self._spreads: tuple[Spread, ...] = (cochange(corpus), imports(corpus), twins(corpus), neighbours(corpus))

    def look(self, question: Question) -> tuple[dict[int, Row], Lead]:
        """What points to each file, for every file that anything points to, and the lead that the files followed."""
        rows: dict[int, Row] = {at: {} for at in list(self._busy)[:_BUSY]}
        for signal in self._signals:
            for rank, (at, strength) in enumerate(signal.find(question).items()):
                row = rows.setdefault(at, {})
                row[signal.name] = strength
                if signal.ranked:
                    row[f"{signal.name}: rank"] = 1 / (1 + rank)
        for at, row in rows.items():
            row.update(self._kind(at))
        lead = _lead(rows)
        self._follow(rows, lead)
        return rows, lead

    def _follow(self, rows: dict[int, Row], lead: Lead) -> None:
        """Add to *rows* what leads from the likely files to each."""
        for spread in self._spreads:
            for at, strength in spread.find(lead).items():
                if at not in rows and strength > _WEAK:
                    rows[at] = dict(self._kind(at))
                if at in rows:
                    rows[at][spread.name] = strength
        best = next(iter(lead.values()), 0.0)
        for row in rows.values():
            row["best"] = best

    def reasons(self, question: Question, lead: Lead, at: int, weighty: Sequence[str]) -> tuple[str, ...]:
        """Why the file is likely: what the signals called *weighty* say."""
        said: dict[str, Callable[[], str]] = {
            "churn": lambda: f"{self._churn.ever[at]} of the last {self._churn.total} changes touched it"
        }
        said |= {signal.name: partial(signal.say, question, at) for signal in self._signals}
        said |= {spread.name: partial(spread.say, lead, at) for spread in self._spreads}
        telling = [name for name in dict.fromkeys(name.partition(":")[0] for name in weighty) if name in said]
        return tuple(said[name]() for name in telling[:REASONS])

    def _kind(self, at: int) -> Row:
        if at not in self._kinds:
            self._kinds[at] = self._describe(at)
        return self._kinds[at]

    def _describe(self, at: int) -> Row:
        corpus, past = self.corpus, self._churn
        path = corpus.paths[at]
        return {
            "churn": math.log1p(200 * past.share.get(at, 0.0)),
            "churn: rank": self._busy.get(at, 0.0),
            "lately": math.log1p(past.lately.get(at, 0)),
            "untouched": float(at not in past.ever),
            "test": float(corpus.tests[at]),
            "document": float(corpus.documents[at]),
            "data": float(corpus.data[at]),
            "size": math.log1p(corpus.sources[at].size) / 5,
            "depth": path.count("/") / 5,
        }


def predict(corpus: Corpus, texts: Sequence[str], layer: Layer) -> list[tuple[Prediction, ...]]:
    """For each of *texts* the files that its task may touch, the likeliest first, equal ones by path."""
    questions = [ask(text) for text in texts]
    scout = Scout(corpus, questions)
    return [tuple(_predictions(scout, question, layer)) for question in questions]


def _lead(rows: Mapping[int, Row]) -> Lead:
    """How likely each file looks at first, the likeliest first, equal ones by number."""
    found = {at: FIRST_LOOK.probability(row) for at, row in rows.items()}
    return {at: found[at] for at in sorted(found, key=lambda at: (-found[at], at))}


def _predictions(scout: Scout, question: Question, layer: Layer) -> list[Prediction]:
    rows, lead = scout.look(question)
    sure = {at: layer.probability(row) for at, row in rows.items()}
    likely = sorted((at for at in sure if sure[at] >= LEAST), key=lambda at: (-sure[at], at))[:MOST]
    found = []
    for at in likely:
        reasons = scout.reasons(question, lead, at, layer.reasons(rows[at]))
        found.append(Prediction(scout.corpus.paths[at], round(sure[at], 4), reasons))
    added = new_files(scout.corpus, {at: sure[at] for at in likely})
    found += (Prediction(new.path, new.probability, (new.evidence,)) for new in added if new.probability >= LEAST)
    return sorted(found, key=lambda each: (-each.probability, each.path))
