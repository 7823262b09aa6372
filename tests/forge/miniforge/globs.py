"""The patterns of ``on.push.branches``, as GitHub reads them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """``*`` stays within a folder, ``**`` does not; ``?`` and ``+`` repeat what is before them."""
    out, at = [], 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            deep = pattern.startswith("*", at)
            at += deep
            out.append(".*" if deep else "[^/]*")
        elif char == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at)
            out.append("[" + re.escape(pattern[at:end]).replace(r"\-", "-") + "]")
            at = end + 1
        elif char in "?+":
            out.append(char)
        elif char == "\\" and at < len(pattern):
            out.append(re.escape(pattern[at]))
            at += 1
        else:
            out.append(re.escape(char))
    return re.compile("".join(out), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether the whole *name* is meant by one pattern."""
    return _compiled(pattern).fullmatch(name) is not None


def selects(patterns: Sequence[str], name: str) -> bool:
    """Whether a list of patterns selects *name*: the last one that matches decides, ``!`` takes out again."""
    chosen = False
    for pattern in patterns:
        if matches(pattern.removeprefix("!"), name):
            chosen = not pattern.startswith("!")
    return chosen
