"""The words of a task in the text of a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.bm25 import norms, scores, weighed
from coffee_hooks.predict.signals.signal import Signal, strongest

MOST = 150
"""Files that one question may point to."""
_SHOWN = 4


def content(corpus: Corpus, questions: Sequence[Question]) -> Signal:
    """Text retrieval over what is in the files; only words of *questions* can be looked for."""
    wanted = {word for question in questions for word in question.weights}
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for at, source in enumerate(corpus.sources):
        if not corpus.data[at]:
            for word, often in source.count():
                if word in wanted:
                    found[word].append((at, often))
    lengths = norms([source.size for source in corpus.sources])

    def find(question: Question) -> Mapping[int, float]:
        return strongest(scores(weighed(question.weights, found, len(corpus)), found, lengths), MOST)

    def say(question: Question, at: int) -> str:
        weights = weighed(question.weights, found, len(corpus))
        here = {word for word, _ in corpus.sources[at].count()}
        words = [word for word in weights if word in here][:_SHOWN]
        return f"its text has the words {question.spell(words)}"

    return Signal("content", find, say, ranked=True)
