"""How long a task is said to take, in hours, as far as a text says so."""

from __future__ import annotations

import re

HOURS_PER_DAY = 8
HOURS_PER_WEEK = 40

_LABEL = re.compile(
    r"^[ \t>*_-]*(?:estimated[ \t]+)?(?:effort|duration|time|estimate)(?:[ \t]+estimate)?[ \t]*(?:\*\*|__)?[ \t]*:"
    r"[ \t]*(?:\*\*|__)?[ \t]*(?P<value>[^\n]{0,200})",
    re.IGNORECASE | re.MULTILINE,
)
_AMOUNT = re.compile(
    r"(?<![\d.])(?P<low>\d{1,5}(?:\.\d{1,3})?)[ \t]*"
    r"(?:(?:-|–|—|to)[ \t]*(?P<high>\d{1,5}(?:\.\d{1,3})?)[ \t]*)?\+?[ \t]*"
    r"(?P<unit>minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|w)\b",
    re.IGNORECASE,
)

_HOURS = {"m": 1 / 60, "h": 1, "d": HOURS_PER_DAY, "w": HOURS_PER_WEEK}


def effort_hours(text: str) -> float | None:
    """The hours of ``**Estimated Effort**: 4 hours`` or ``2-3 days`` (the middle of a range), None without one.

    A day has 8 hours and a week 40. The first label with an amount counts.
    """
    for label in _LABEL.finditer(text):
        if amount := _AMOUNT.search(label["value"]):
            low = float(amount["low"])
            high = float(amount["high"] or low)
            hours = (low + high) / 2 * _HOURS[amount["unit"][0].lower()]
            if hours > 0:
                return round(hours, 4)
    return None
