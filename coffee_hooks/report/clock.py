"""Moments as a reader sees them. Always UTC, so that the same records make the same page everywhere."""

from __future__ import annotations

from datetime import datetime, timezone

_DAY = 86_400.0


def date_and_time(when: float) -> str:
    """``27 Nov 2026, 02:30 UTC``."""
    at = _at(when)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def day(when: float) -> str:
    """``27 Nov 2026``."""
    at = _at(when)
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def tick(when: float, span: float) -> str:
    """A moment on an axis that is *span* seconds long: to the second, the minute, or with the day."""
    at = _at(when)
    if span < 20:
        return f"{at:%H:%M:%S}.{at.microsecond // 100_000}"
    if span < 3600:
        return f"{at:%H:%M:%S}"
    return f"{at:%H:%M}" if span < _DAY else f"{at.day} {_MONTHS[at.month - 1]} {at:%H:%M}"


def machine(when: float) -> str:
    """For ``datetime`` attributes."""
    return f"{_at(when):%Y-%m-%dT%H:%M:%SZ}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""By hand: the names of strftime(3) are those of the user's locale."""


def _at(when: float) -> datetime:
    try:
        return datetime.fromtimestamp(when, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, timezone.utc)
