"""From time to a place between left and right, with the long pauses in which nothing happened cut short. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from coffee_hooks.base.intervals import Interval, union

FULL = 100.0
LONG_SHARE, LONG_SECONDS = 0.1, 5.0
"""A pause is long that takes more than this share of all work, and more than so many seconds."""
CUT, ALL_CUTS = 3.0, 45.0
"""How wide a cut is, and how wide all of them together may be, in hundredths."""


@dataclass(frozen=True, slots=True)
class Piece:
    """From *start* to *end*, in UNIX seconds, drawn from *left* to *right*; a *cut* is a pause drawn too short."""

    start: float
    end: float
    left: float
    right: float
    cut: bool


@dataclass(frozen=True, slots=True)
class Scale:
    """Pieces that follow each other from 0 to `FULL`."""

    pieces: tuple[Piece, ...]

    @property
    def cuts(self) -> tuple[Piece, ...]:
        """The pauses that are drawn too short."""
        return tuple(piece for piece in self.pieces if piece.cut)

    def place(self, moment: float) -> float:
        """Where *moment* is, in hundredths of the width; what is outside is at the edge."""
        for piece in self.pieces:
            if moment < piece.end:
                share = max(0.0, moment - piece.start) / (piece.end - piece.start)
                return piece.left + share * (piece.right - piece.left)
        return FULL

    def moment(self, place: float) -> float:
        """The time at *place*."""
        for piece in self.pieces:
            if place <= piece.right:
                share = (place - piece.left) / (piece.right - piece.left)
                return piece.start + share * (piece.end - piece.start)
        return self.pieces[-1].end


def scale(busy: Iterable[Interval], first: float, last: float) -> Scale:
    """A scale from *first* to *last*; *busy* is when something happened."""
    last = max(last, first + 1.0)
    pauses = _pauses(busy, first, last)
    width = min(CUT, ALL_CUTS / max(1, len(pauses)))
    worked = last - first - sum(end - start for start, end in pauses)
    each = (FULL - width * len(pauses)) / worked if worked > 0 else 0.0
    pieces: list[Piece] = []
    at = 0.0
    for start, end, cut in _in_order(pauses, first, last):
        right = at + (width if cut else each * (end - start))
        pieces.append(Piece(start, end, at, right, cut))
        at = right
    pieces[-1] = Piece(pieces[-1].start, last, pieces[-1].left, FULL, pieces[-1].cut)
    return Scale(tuple(pieces))


def _pauses(busy: Iterable[Interval], first: float, last: float) -> list[Interval]:
    """The long pauses, but never all of the time."""
    known = union((max(first, start), min(last, end)) for start, end in busy)
    work = sum(end - start for start, end in known)
    if not work:
        return []
    edges = [(first, first), *known, (last, last)]
    gaps = [(one[1], other[0]) for one, other in pairwise(edges)]
    return [gap for gap in gaps if gap[1] - gap[0] > max(LONG_SECONDS, LONG_SHARE * work)]


def _in_order(pauses: Sequence[Interval], first: float, last: float) -> list[tuple[float, float, bool]]:
    found, at = [], first
    for start, end in pauses:
        found += [(at, start, False)] if at < start else []
        found.append((start, end, True))
        at = end
    return found + ([(at, last, False)] if at < last else [])
