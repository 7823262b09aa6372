"""Earlier changes whose messages read like the task, and the files that they touched."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from coffee_hooks.base.text import one_line
from coffee_hooks.predict.corpus import Corpus, grouped
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.bm25 import Postings, weighed
from coffee_hooks.predict.signals.signal import Signal, strongest
from coffee_hooks.predict.words import count_words

MOST = 150
LIKE = 40
"""Changes that are taken to be like a task, the most similar."""
_LONGEST = 3000
_HALF_LIFE = 400
"""After this many changes the older half of a change's weight has faded to 1/e."""
_SHOWN = 500
"""Characters of a message out of which the few that are shown are taken."""
_LENGTH = 10
"""Words by which a message is taken to be longer, so that the shortest do not win."""


def messages(corpus: Corpus) -> Signal:
    """Text retrieval over the messages of changes; each hands its similarity on to its files."""
    said = [set(count_words(change.message[:_LONGEST])) for change, _ in corpus.edits]
    having = grouped((word, number) for number, words in enumerate(said) for word in words)
    found = Postings((1.0,), (having,))
    faded = [0.5 + 0.5 * math.exp(-number / _HALF_LIFE) for number in range(len(said))]

    @lru_cache(maxsize=1)  # every file that it is asked to say something about has the same question
    def alike(question: Question) -> list[tuple[float, int]]:
        similar: dict[int, float] = defaultdict(float)
        for word, weight in weighed(question.weights, found, len(said)).items():
            for number in having[word]:
                similar[number] += weight
        ranked = [(value / math.sqrt(_LENGTH + len(said[at])) * faded[at], at) for at, value in similar.items()]
        return sorted(ranked, key=lambda each: (-each[0], each[1]))[:LIKE]

    def find(question: Question) -> Mapping[int, float]:
        total: dict[int, float] = defaultdict(float)
        for similarity, number in alike(question):
            files = corpus.edits[number][1]
            for at in files:
                total[at] += similarity * similarity / math.sqrt(len(files))
        return strongest(total, MOST)

    def say(question: Question, at: int) -> str:
        number = next(number for _, number in alike(question) if at in corpus.edits[number][1])
        change = corpus.edits[number][0]
        return f"a change like this touched it: {change.sha[:7]} {one_line(change.message.lstrip()[:_SHOWN], 60)}"

    return Signal("messages", find, say, ranked=True)
