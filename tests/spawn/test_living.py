"""Orders that somebody else wrote into."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.order import supervised


@pytest.mark.parametrize("text", ["{}", "null", "[1]", '{"argv": 1}', '{"argv": []}', "[" * 100_000, "\0"])
def test_what_is_no_order_stops_nobody(tmp_path: Path, text: str) -> None:
    """An agent that overwrites its order while it is watched ended every command with a report of a bug."""
    (tmp_path / "agents").mkdir()
    path = tmp_path / "agents" / "1.json"
    path.write_text(text)
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert list(living_orders(tmp_path)) == []


def test_no_order_is_held_below_a_file(tmp_path: Path) -> None:
    """An agent that puts a file in the place of the folder of orders has no supervisor there."""
    (tmp_path / "agents").write_text("")
    assert not supervised(tmp_path, 1) and list(living_orders(tmp_path)) == []
