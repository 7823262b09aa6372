"""Sharing out keeps the order, asks everything once, and hides no error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from coffee_hooks.base import parts
from coffee_hooks.base.parts import LEAST_IN_PART, MOST_PARTS, in_parts, outputs


@pytest.mark.parametrize("items", [0, 1, LEAST_IN_PART, 2 * LEAST_IN_PART, 10 * LEAST_IN_PART + 7])
@pytest.mark.parametrize("processors", [1, 2, 64])
def test_every_item_is_asked_once_and_in_order(monkeypatch: pytest.MonkeyPatch, items: int, processors: int) -> None:
    """Whatever the number of items and processors; small questions stay in one part."""
    monkeypatch.setattr(parts, "processors", lambda: processors)
    asked: list[int] = []

    def double(part: Sequence[int]) -> list[int]:
        asked.append(len(part))
        return [2 * item for item in part]

    assert in_parts(double, range(items)) == [2 * item for item in range(items)]
    assert sum(asked) == items
    assert len(asked) <= min(processors, MOST_PARTS)
    assert len(asked) == 1 or min(asked) >= LEAST_IN_PART


def test_an_error_in_one_part_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not swallowed by the thread it happened in."""
    monkeypatch.setattr(parts, "processors", lambda: 4)

    def fail(part: Sequence[int]) -> list[int]:
        if 0 not in part:
            raise ValueError("no")
        return list(part)

    with pytest.raises(ValueError, match="no"):
        in_parts(fail, range(4 * LEAST_IN_PART))


def test_there_is_at_least_one_processor() -> None:
    """Whatever the system says."""
    assert parts.processors() >= 1


def test_what_several_processes_print(tmp_path: Path) -> None:
    """In the order of what they were asked; nothing of the one that fails, however much it said."""
    script = "import sys; text = sys.stdin.read(); print(text * 100_000); sys.exit(text == 'b')"
    assert [out[:2] for out in outputs([sys.executable, "-c", script], [b"a", b"b", b"c"], cwd=tmp_path)] == [
        b"aa", b"", b"cc",
    ]  # fmt: skip
