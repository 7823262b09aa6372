"""Hostile text made safe to show: names, titles and subjects were written by anybody."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

SUBJECT_LENGTH = 160

# Joiners shape words and emoji; every other format character can reorder or hide text.
_KEPT_FORMAT = frozenset("\u200c\u200d")
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Colours and cursor; then titles, links and the clipboard, which carry text of their own; then the rest.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_EMOJI = re.compile("(?:[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff][\ufe0f\u200d\U0001f3fb-\U0001f3ff]*)+ ?")


def printable(text: str) -> str:
    """*text* on one line of a terminal: control, bidirectional and line characters as visible escapes."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if _unsafe(char) else char for char in text)


def one_line(text: str, length: int = SUBJECT_LENGTH) -> str:
    """*text* as a line of a message: no terminal sequences, blanks folded, at most *length* characters."""
    words = " ".join(_TERMINAL.sub("", text).split())
    plain = words.isascii() and words.isprintable()
    clean = words if plain else " ".join("".join(char for char in words if not _unsafe(char)).split())
    return clean if len(clean) <= length else clean[: length - 1].rstrip() + "…"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table for a terminal: columns two blanks apart, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def without_emoji(text: str) -> str:
    """*text* for a stream that is not UTF-8: emoji dropped, arrows and dots in ASCII."""
    return _EMOJI.sub("", text).replace("→", "->").replace("…", "...")


def _unsafe(char: str) -> bool:
    return unicodedata.category(char) in _UNSAFE and char not in _KEPT_FORMAT


def _escaped(char: str) -> str:
    # A byte of a name that is not UTF-8 arrives as a lone surrogate.
    code = ord(char) - 0xDC00 if 0xDC80 <= ord(char) <= 0xDCFF else ord(char)
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )
