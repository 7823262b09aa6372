"""The words of a task in the text of a file."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.bm25 import Postings, most, norms, scores, weighed
from coffee_hooks.predict.signals.signal import Signal, strongest
from coffee_hooks.predict.source import OFTEN

MOST = 150
"""Files that one question may point to."""
_SHOWN = 4
_OFTEN = 200
"""Files after which it is looked which words are everywhere."""


def content(corpus: Corpus, questions: Sequence[Question]) -> Signal:
    """Text retrieval over what is in the files; only words of *questions* can be looked for."""
    found = _postings(corpus, {word for question in questions for word in question.weights})
    lengths = norms([source.size for source in corpus.sources])

    @lru_cache(maxsize=1)  # every file that it is asked to say something about has the same question
    def words_of(question: Question) -> Mapping[str, float]:
        return weighed(question.weights, found, len(corpus))

    def find(question: Question) -> Mapping[int, float]:
        return strongest(scores(words_of(question), found, lengths), MOST)

    def say(question: Question, at: int) -> str:
        words = [word for word in words_of(question) if found.has(word, at)][:_SHOWN]
        return f"its text has the words {question.spell(words)}"

    return Signal("content", find, say, ranked=True)


def _postings(corpus: Corpus, wanted: set[str]) -> Postings:
    """Where each of the words *wanted* is. Of one that is everywhere only that it is: most of the work is those."""
    seen: Counter[str] = Counter()
    common = most(len(corpus))
    groups: list[dict[str, array[int]]] = [defaultdict(lambda: array("I")) for _ in OFTEN]
    for at, source in enumerate(corpus.sources):
        if not corpus.data[at]:
            for group, words in zip(groups, source.words, strict=False):
                here = wanted.intersection(words.split())
                seen.update(here)
                for word in here:
                    group[word].append(at)
        if at % _OFTEN == 0:
            wanted -= {word for word, number in seen.items() if number > common}
    return Postings(OFTEN, groups)
