"""Whether the machine has room for one more agent."""

from __future__ import annotations

from pathlib import Path

import pytest

from coffee_hooks.base.config import Bytes, Limits
from coffee_hooks.base.machine import Machine, read_machine
from coffee_hooks.spawn.room import lack

LIMITS = Limits(Bytes(3 << 29), Bytes(1 << 20), 2)


@pytest.mark.parametrize(
    ("machine", "lacking"),
    [
        (Machine(3 << 29, 1 << 20, 2.0), None),
        (Machine(700 << 20, 1, 9.0), "only 700 MB of disk are free (limits.disk is 1.5 GB)"),
        (Machine(3 << 29, 1023, 9.0), "only 1023 B of memory are free (limits.memory is 1 MB)"),
        (Machine(3 << 29, 1 << 20, 2.01), "the load of each processor is 2.0 (limits.load is 2)"),
    ],
)
def test_what_is_lacking(machine: Machine, lacking: str | None) -> None:
    """At a limit there is room; the disk is told first, because nothing works without it."""
    assert lack(machine, LIMITS) == lacking


def test_load_may_be_left_out() -> None:
    """With ``load: null`` it keeps nobody waiting."""
    assert lack(Machine(1 << 40, 1 << 40, 1e6), Limits(load=None)) is None


def test_the_machine_says_what_it_has(tmp_path: Path) -> None:
    """Also of a folder that is still to be made."""
    found = read_machine((tmp_path / "not" / "there", Path("/")))
    assert found.disk > 0 and found.memory > 0 and found.load >= 0
