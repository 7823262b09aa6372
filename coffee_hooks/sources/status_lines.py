"""Lines of a roadmap in which the place of a status is set apart, and how two edits of such a line become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from coffee_hooks.base.model import Status

T = TypeVar("T")

# Not the order in which one id's several sections are weighed (works.py): there a stop is weaker than work that goes
# on. Here two people disagree, and a call for a person must not be lost to a start that knew nothing of it.
_FURTHER = (
    Status.UNKNOWN,
    Status.PLANNED,
    Status.IN_PROGRESS,
    Status.BLOCKED,
    Status.MANUAL_REVIEW,
    Status.COMPLETE,
)


class Line(NamedTuple):
    """A line as bytes, its ending included. Joined, the four parts are the line as it was read.

    *status* is None where no status can stand: then all is in *before*. Else *said* states it (empty: nothing does)
    and *tail* is what follows it: a date, a remark, the end of an emphasis.
    """

    before: bytes
    said: bytes = b""
    tail: bytes = b""
    after: bytes = b""
    status: Status | None = None

    @property
    def raw(self) -> bytes:
        """The line as it was read."""
        return self.before + self.said + self.tail + self.after

    @property
    def key(self) -> tuple[bytes, bytes, bool]:
        """What two versions of a line have in common when only the status differs."""
        return self.before, self.after, self.status is None


def merge_lines(base: Sequence[Line], ours: Sequence[Line], theirs: Sequence[Line]) -> list[Line] | None:
    """The lines between two cuts: what one side changed, or both alike but for statuses. None for the rest."""
    if ours == theirs or base == theirs:
        return list(ours)
    if base == ours:
        return list(theirs)
    if len(base) == len(ours) == len(theirs) == 1:
        line = _merge_line(base[0], ours[0], theirs[0])
        return None if line is None else [line]
    if [line.key for line in ours] != [line.key for line in theirs]:
        return None
    merged = [_merge_line(None, one, other) for one, other in zip(ours, theirs, strict=True)]
    done = [line for line in merged if line is not None]
    return done if len(done) == len(merged) else None


def merge_status(base: Status | None, ours: Status, theirs: Status) -> Status:
    """Where an item stands: the change of the side that made one, the further of two. *base* None: it was not there."""
    if ours is base or ours is theirs:
        return theirs
    return ours if theirs is base else max(ours, theirs, key=_FURTHER.index)


def pick(base: T | None, ours: T, theirs: T) -> T | None:
    """The value of the side that changed it; None when both did, differently."""
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else None


def _merge_line(base: Line | None, ours: Line, theirs: Line) -> Line | None:
    if ours == theirs or base == theirs:
        return ours
    if base == ours:
        return theirs
    if ours.status is None or theirs.status is None:
        return None
    known = base if base and base.status is not None else None
    before = pick(known and known.before, ours.before, theirs.before)
    after = pick(known and known.after, ours.after, theirs.after)
    told = _merge_told(known, ours, theirs)
    if before is None or after is None or told is None:
        return None
    return told._replace(before=before, after=after)


def _merge_told(base: Line | None, ours: Line, theirs: Line) -> Line | None:
    """The status of one side with the tail of the side that changed that, as long as the emphasis stays whole."""
    if (ours.said, ours.tail) == (theirs.said, theirs.tail):
        return ours
    wins = _winner(base, ours, theirs)
    said = pick(base and base.said, ours.said, theirs.said)
    tail = pick(base and base.tail, ours.tail, theirs.tail)
    if wins is None:
        # Nobody says a status that we can read: only edits of different parts can be told apart.
        return None if said is None or tail is None else ours._replace(said=said, tail=tail)
    mixed = wins._replace(said=wins.said if said is None else said, tail=wins.tail if tail is None else tail)
    whole = (mixed.said + mixed.tail).count(b"**") % 2 == (wins.said + wins.tail).count(b"**") % 2
    return mixed if whole else wins


def _winner(base: Line | None, ours: Line, theirs: Line) -> Line | None:
    """The side whose status counts; of two that say the same, the one that says more. None: neither says one."""
    if ours.status is theirs.status:
        if ours.status is Status.UNKNOWN:
            return None
        more = len((theirs.said + theirs.tail).strip()) > len((ours.said + ours.tail).strip())
        return theirs if more else ours
    assert ours.status and theirs.status
    wanted = merge_status(base.status if base else None, ours.status, theirs.status)
    return ours if wanted is ours.status else theirs
