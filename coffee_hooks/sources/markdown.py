"""A line scan of Markdown: headings, and what fences and comments hide. CommonMark 0.31, sections 4.2, 4.5, 4.6.

Only the containers that can hold a fence are followed (list items); everything else is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FENCE = re.compile(r"[ \t]*(?P<mark>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_LIST_ITEM = re.compile(r"([ \t]*)([-*+]|[0-9]{1,9}[.)])([ \t]+|$)")
_BULLETS = "-*+0123456789"
COMMENT = "<!--"


class Heading(NamedTuple):
    """An ATX heading at a 1-based line; ``text`` without the marks."""

    line: int
    level: int
    text: str


class Fence(NamedTuple):
    """Hidden lines ``start..end`` (1-based, marks included); ``info`` is ``<!--`` for a comment."""

    start: int
    end: int
    info: str
    closed: bool

    @property
    def is_comment(self) -> bool:
        return self.info == COMMENT

    @property
    def language(self) -> str:
        """The first word of the info string, lower case; empty when there is none."""
        return self.info.split(" ", 1)[0].lower()


@dataclass(frozen=True, slots=True)
class Document:
    """A scanned text. ``hidden[n]`` is 1 when 1-based line n lies in a fence or a comment."""

    lines: tuple[str, ...]
    hidden: bytes
    headings: tuple[Heading, ...]
    fences: tuple[Fence, ...]

    def visible(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """The lines ``start..end`` that are prose, each with its 1-based number."""
        hidden = self.hidden
        for number in range(start, end + 1):
            if not hidden[number]:
                yield number, self.lines[number - 1]


def decode(data: bytes) -> tuple[str, bool]:
    """The text of a file with ``\\n`` line ends, and whether it really was text (UTF-8 without NULs).

    What cannot be read becomes U+FFFD, so line numbers stay those of the bytes.
    """
    readable = b"\0" not in data
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        readable = False
        text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\ufffd"), readable


def scan(text: str) -> Document:
    """The headings and the hidden lines of a text with ``\\n`` line ends. Never raises."""
    lines = tuple(text.split("\n"))
    state = _Scan(lines)
    for number, line in enumerate(lines, 1):
        fence = state.open
        if fence is None:
            # Most lines are prose outside any list, which cannot change anything.
            if state.offsets or not line[:1].isalpha():
                state.outside(number, line)
        elif fence.offset or fence.mark in line:
            state.inside(fence, number, line)
        else:
            state.hidden[number] = 1
    state.finish()
    return Document(lines, bytes(state.hidden), tuple(state.headings), tuple(state.fences))


def heading_of(line: str) -> tuple[int, str] | None:
    """Level and text of an ATX heading line, without the marks at both ends."""
    match = _HEADING.match(line) if "#" in line[:4] else None
    if match is None:
        return None
    text = line[match.end() :].strip(" \t")
    inner = text.rstrip("#")
    return len(match[1]), text if inner and inner[-1] not in " \t" else inner.rstrip(" \t")


class _Open(NamedTuple):
    """A fence that is not closed yet; ``offset`` is the column where its list item's text begins."""

    start: int
    mark: str
    """What a line must hold to close it."""
    info: str
    offset: int


class _Scan:
    """The state of one pass over the lines."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.hidden = bytearray(len(lines) + 1)
        self.headings: list[Heading] = []
        self.fences: list[Fence] = []
        self.open: _Open | None = None
        self.offsets: list[int] = []
        self._last = len(lines)

    def finish(self) -> None:
        if self.open is not None:
            self._close(self.open, self._last, closed=False)

    def inside(self, fence: _Open, number: int, line: str) -> None:
        """A line that may end the open fence, by a mark or because its list item ends."""
        stripped = line.strip(" \t")
        if fence.offset and stripped and _indent(line) < fence.offset:
            self._close(fence, number - 1, closed=False)
            self.outside(number, line)
            return
        self.hidden[number] = 1
        closes = stripped.startswith(fence.mark) and not stripped.strip(fence.mark[0])
        if fence.info == COMMENT or (closes and _indent(line) - fence.offset <= 3):
            self._close(fence, number, closed=True)

    def _close(self, fence: _Open, end: int, *, closed: bool) -> None:
        self.fences.append(Fence(fence.start, end, fence.info, closed))
        self.open = None

    def outside(self, number: int, line: str) -> None:
        """A line in no fence: it may open one, begin or end list items, or be a heading."""
        blank = line.lstrip(" \t")
        if not blank:
            return
        indent = _indent(line)
        offsets = self.offsets
        while offsets and indent < offsets[-1]:
            offsets.pop()
        rest = line
        if blank[0] in _BULLETS and (item := _LIST_ITEM.match(line)) and indent - (offsets[-1] if offsets else 0) <= 3:
            rest = line[item.end() :]
            width = len(item[3].expandtabs(4))
            offsets.append(indent + len(item[2]) + (width if 1 <= width <= 4 and rest else 1))
            indent = offsets[-1]
        offset = offsets[-1] if offsets else 0
        if indent - offset > 3:
            return
        if "```" in rest or "~~~" in rest:
            match = _FENCE.match(rest)
            if match:
                self.open = _Open(number, match["mark"], match["info"].strip(), offset)
                self.hidden[number] = 1
        elif rest.lstrip(" \t").startswith(COMMENT):
            self._comment(number, rest)
        elif not offset and (heading := heading_of(line)):
            self.headings.append(Heading(number, *heading))

    def _comment(self, number: int, rest: str) -> None:
        self.hidden[number] = 1
        fence = _Open(number, "-->", COMMENT, 0)
        if "-->" in rest:
            self._close(fence, number, closed=True)
        else:
            self.open = fence


def _indent(line: str) -> int:
    first = line[0]
    if first not in " \t":
        return 0
    blank = line[: len(line) - len(line.lstrip(" \t"))]
    return len(blank.expandtabs(4)) if "\t" in blank else len(blank)
