"""Reading how long a task takes."""

from __future__ import annotations

import pytest

from coffee_hooks.evaluate.effort import effort_hours


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("**Estimated Effort**: 4 hours", 4),
        ("**Estimated Effort:** 4h", 4),
        ("- **Effort**: 2-3 days (16-24 hours)", 20),
        ("Estimated Duration: 30 min", 0.5),
        ("**Estimated Time**: ~1.5 hours", 1.5),
        ("# Title\n\ntext\n> Effort: 1 week\n", 40),
        ("**Estimated Effort**: unknown\n**Effort**: 2 days", 16),
        ("**Estimated Effort**: TBD", None),
        ("**Estimated Effort**: 0 hours", None),
        ("It took 4 hours.", None),
        ("", None),
        ("**Effort**: 99999999999 hours", None),
    ],
)
def test_effort(text: str, hours: float | None) -> None:
    """Hours, days of eight, weeks of forty, the middle of a range; anything else is not an amount."""
    assert effort_hours(text) == hours
