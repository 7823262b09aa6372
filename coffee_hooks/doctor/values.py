"""One answer of the doctor, and how findings become one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.text import printable

SHOWN = 3
"""How many findings of one kind are named; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Check:
    """*id* is stable; *hint* is the next command to type, empty where nothing is to be done."""

    id: str
    ok: bool
    detail: str
    hint: str = ""


def fine(id_: str, detail: str) -> Check:
    """Nothing is wrong there."""
    return Check(id_, True, printable(detail))


def wrong(id_: str, detail: str, hint: str) -> Check:
    """Something is wrong there; *hint* says what to type."""
    return Check(id_, False, printable(detail), printable(hint))


def refused(id_: str, error: CoffeeError) -> Check:
    """What an error says, as a finding."""
    what = error.what + (f" ({error.detail})" if error.detail else "")
    return wrong(id_, what, error.hint or "run the command again with --verbose")


def several(findings: Sequence[str]) -> str:
    """At most ``SHOWN`` findings in one clause."""
    more = len(findings) - SHOWN
    return "; ".join(findings[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
