"""A figure that is measured: its value beside the target that it is to meet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


class Wanted(Enum):
    """On which side of the target a value has to be."""

    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement. *value* is None without data; *n* is how many cases it was made from.

    *slowest* is the greatest single value where that says something. *method* is how it was measured, for a person.
    """

    id: str
    value: float | None
    unit: str
    target: float | None
    wanted: Wanted
    n: int
    method: str
    slowest: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without value or target."""
        if self.value is None or self.target is None:
            return None
        return self.value > self.target if self.wanted is Wanted.ABOVE else self.value < self.target

    @property
    def title(self) -> str:
        """Its name as words."""
        return self.id.replace("_", " ")


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean, None of nothing."""
    return math.fsum(values) / len(values) if values else None


def to_json(figure: Figure) -> dict[str, Any]:
    """One entry of ``metrics`` or ``phases``."""
    value = {
        "id": figure.id, "value": rounded(figure.value), "unit": figure.unit, "target": figure.target,
        "wanted": figure.wanted.value, "met": figure.met, "n": figure.n, "method": figure.method,
    }  # fmt: skip
    return value if figure.slowest is None else {**value, "slowest": rounded(figure.slowest)}


def rounded(value: float | None) -> float | None:
    """As JSON shows it."""
    return None if value is None else round(value, 4)


def shown(value: float | None, unit: str) -> str:
    """``66.7 %``, ``4.2 min`` or ``-``; a time in the unit that suits it."""
    if value is None:
        return "-"
    if unit in _SECONDS:
        return lasting(value * _SECONDS[unit])
    return f"{_short(value)} {unit}"


def lasting(seconds: float) -> str:
    """A length of time: ``0.3 s``, ``4.2 min``, ``27 h`` or ``3.5 d``."""
    for limit, size, unit in ((99.5, 1.0, "s"), (5970.0, 60.0, "min"), (172_800.0, 3600.0, "h")):
        if seconds < limit:
            return f"{_short(seconds / size)} {unit}"
    return f"{_short(seconds / 86_400)} d"


def _short(value: float) -> str:
    text = f"{value:.{0 if abs(value) >= 99.5 else 1 if abs(value) >= 9.95 else 2}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def aim(figure: Figure) -> str:
    """``> 30 %`` or ``-``."""
    sign = ">" if figure.wanted is Wanted.ABOVE else "<"
    return "-" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}"


def answer(figure: Figure) -> str:
    """``yes``, ``no`` or ``-``."""
    return "-" if figure.met is None else "yes" if figure.met else "no"
