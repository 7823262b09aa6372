"""Names that a file defines and the text of a task has."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from coffee_hooks.predict.corpus import Corpus, grouped
from coffee_hooks.predict.question import Question
from coffee_hooks.predict.signals.signal import Signal
from coffee_hooks.predict.words import IDENTIFIER

_AMBIGUOUS = 6
"""A name that more files define than this belongs to none of them."""
_LONG = 4
_SHOWN = 3
_COMPOSED = re.compile(r"[a-z][A-Z]|_|[A-Z][a-z]+[A-Z]")
_QUOTED = re.compile(r"`([^`\n]+)`")
_CALLED = re.compile(r"\b(\w+)\(")


def symbols(corpus: Corpus) -> Signal:
    """Functions, classes and constants; a plain word counts only where it is quoted or called."""
    by_symbol = grouped((name, at) for at, source in enumerate(corpus.sources) for name in source.defines)

    @lru_cache(maxsize=1)  # every file that it is asked to say something about has the same question
    def named(question: Question) -> set[str]:
        quoted = {name for code in _QUOTED.findall(question.text) for name in IDENTIFIER.findall(code)}
        sure = quoted.union(_CALLED.findall(question.text))
        names = (name for name in set(IDENTIFIER.findall(question.text)) if len(name) >= _LONG)
        return {name for name in names if name in sure or _COMPOSED.search(name)}

    def find(question: Question) -> Mapping[int, float]:
        total: dict[int, float] = defaultdict(float)
        for name in sorted(named(question)):
            files = by_symbol.get(name, ())
            for at in files if len(files) <= _AMBIGUOUS else ():
                total[at] += 1 / len(files)
        return {at: math.log1p(number) for at, number in total.items()}

    def say(question: Question, at: int) -> str:
        here = sorted(named(question).intersection(corpus.sources[at].defines))
        return f"the text names {', '.join(here[:_SHOWN])}, defined here"

    return Signal("symbols", find, say)
