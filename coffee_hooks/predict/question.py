"""The text of a task as something that can be looked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from coffee_hooks.predict.words import STOP_WORDS, count_words, stem

LONGEST = 60_000
"""Characters of a text that are read."""

_MOST = 3.0
"""How much a word can weigh by being repeated."""
_TITLE = 1.5
"""How much more the words of the title weigh."""
_TITLE_LINES = 2

_BOILERPLATE = re.compile(
    r"^(?:Merge pull request #\d+ from [^/\s]+/|(?:Signed-off-by|Co-authored-by|Reviewed-by|Acked-by|Change-Id):.*$)",
    re.MULTILINE | re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]{3,}")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True, eq=False)
class Question:
    """A task's *text*, its *title* (the first lines), and how much each word of it weighs. Equal to itself alone."""

    text: str
    title: str
    weights: Mapping[str, float]

    def spell(self, words: Iterable[str]) -> str:
        """*words* as the text first spells them, commas between them."""
        return ", ".join(self._spelled.get(word, word) for word in words)

    @cached_property
    def _spelled(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for part in _LETTERS.findall(self.text):
            found.setdefault(stem(part.lower()), part.lower())
        return found


def ask(text: str) -> Question:
    """The question that *text* asks: titles count more, repetitions little, what every text says not at all."""
    text = _ADDRESS.sub(" ", _BOILERPLATE.sub("", text[:LONGEST]))
    title = " ".join([line for line in text.splitlines() if line.strip()][:_TITLE_LINES])
    first = count_words(title)
    weights = {
        word: min(_MOST, 1 + math.log(number)) * (_TITLE if word in first else 1.0)
        for word, number in count_words(text).items()
        if word not in STOP_WORDS
    }
    return Question(text, title, weights)
