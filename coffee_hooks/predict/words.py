"""Words of prose, of identifiers and of paths in one spelling, so that each can be found in the other."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache

IDENTIFIER = re.compile(r"[^\W\d]\w{2,}")

SHORTEST = 3
"""Letters of the shortest word that counts."""

# Words of English that say nothing, and those that every task and every commit says.
STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below both but by can
    could did do does doing done down each else even few for from further get give go had has have having he her here
    him his how i if in into is it its itself just like let make may me might more most much must my need new no nor
    not now of off on once one only or other our out over own per same see set she should so some such take than that
    the their them then there these they this those through to too two under until up use used uses using very via
    want was we well were what when where which while who why will with would yes yet you your
    add added adding adds branch branches bug bugs change changed changes close closes commit commits com fix fixed
    fixes fixing github http https issue issues main master merge merged org pr pull remove removed removes request
    resolve resolves task update updated updates www
    """.split()  # noqa: SIM905
)

_LOWER, _UPPER = "a-zß-öø-ɏ", "A-ZÀ-ÖØ-Þ"
_PART = re.compile(rf"[{_UPPER}]+(?![{_LOWER}])|[{_UPPER}]?[{_LOWER}]+|[^\W\d_{_UPPER}{_LOWER}]+")
_ENDINGS = ("ing", "ed", "es", "s")


@lru_cache(maxsize=1 << 17)
def words_of(identifier: str) -> tuple[str, ...]:
    """The words that *identifier* is made of, and the whole of it where it is made of several."""
    lower = identifier.lower()
    if lower == identifier and lower.isascii() and lower.replace("_", "").isalpha():  # most are, and it is faster
        parts = lower.split("_")
    else:
        parts = [part.lower() for part in _PART.findall(identifier) if len(part) >= SHORTEST]
    found = [stem(part) for part in parts if len(part) >= SHORTEST]
    if len(found) > 1:
        found.append(lower.strip("_"))
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """*word* without the commonest English endings: ``branches`` and ``branch`` are one."""
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > SHORTEST and not word.endswith("ss"):
            return word[: -len(ending)]
    return word[:-1] if word.endswith("e") and len(word) > SHORTEST + 1 else word


def count_words(text: str) -> Counter[str]:
    """How often each word is in *text*."""
    found: dict[str, int] = defaultdict(int)  # a Counter asks itself for each new word
    for identifier, number in Counter(IDENTIFIER.findall(text)).items():
        for word in words_of(identifier):
            found[word] += number
    return Counter(found)
