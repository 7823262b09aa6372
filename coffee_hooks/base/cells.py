"""Text measured as a terminal shows it: wide characters fill two cells, marks none."""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"

_NO_WIDTH = frozenset(("Mn", "Me", "Cf"))
_JAMO = range(0x1160, 0x1200)
"""Vowels and ends of Korean syllables, drawn into the cells of what they follow."""


def cells(text: str) -> int:
    """How many cells *text* fills, which holds no control characters."""
    return len(text) if text.isascii() else sum(map(_width, text))


def cut(text: str, width: int, mark: str = ELLIPSIS) -> str:
    """*text* in at most *width* cells; what was cut off is replaced by *mark*, which is one cell wide."""
    if cells(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, room = [], width - 1
    for char in text:
        room -= _width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + mark


def padded(text: str, width: int) -> str:
    """*text* followed by blanks up to *width* cells."""
    return text + " " * (width - cells(text))


def _width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in _NO_WIDTH or ord(char) in _JAMO:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
