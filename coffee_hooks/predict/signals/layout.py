"""The words of a task in the path of a file."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.bm25 import rarity
from coffee_hooks.predict.signals.signal import Signal, strongest
from coffee_hooks.predict.words import count_words, words_of

MOST = 150
"""Files that one question may point to."""
_COMMON_SHARE = 0.3
_FEW = 20
_NAME = re.compile(r"[^\W_]+")


def path_words(corpus: Corpus) -> tuple[Signal, Signal]:
    """Words of a task that the folders and the name of a file are made of, the rarer the stronger; all words, and
    those of the title alone."""
    made = [{word for name in _NAME.findall(path) for word in words_of(name)} for path in corpus.paths]
    found: dict[str, list[int]] = defaultdict(list)
    for at, words in enumerate(made):
        for word in words:
            found[word].append(at)
    most = max(_FEW, _COMMON_SHARE * len(corpus))
    rare = {word: rarity(len(files), len(corpus)) for word, files in found.items() if len(files) <= most}

    def signal(name: str, weights: Callable[[Question], Mapping[str, float]]) -> Signal:
        def find(question: Question) -> Mapping[int, float]:
            total: dict[int, float] = defaultdict(float)
            for word, weight in weights(question).items():
                if word in rare:
                    for at in found[word]:
                        total[at] += weight * rare[word]
            return strongest(total, MOST)

        def say(question: Question, at: int) -> str:
            words = sorted((word for word in made[at].intersection(weights(question)) if word in rare), key=_rarest)
            return f"its path has the words {question.spell(words)}"

        return Signal(name, find, say, ranked=True)

    def _rarest(word: str) -> tuple[float, str]:
        return -rare[word], word

    return signal("path words", lambda question: question.weights), signal("title words", _of_title)


def _of_title(question: Question) -> Mapping[str, float]:
    title = count_words(question.title)
    return {word: weight for word, weight in question.weights.items() if word in title}
