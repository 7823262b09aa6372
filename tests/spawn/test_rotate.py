"""Logs that agents go on writing to while they are cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.spawn import rotate as rotating
from coffee_hooks.spawn.rotate import older, rotate

if TYPE_CHECKING:
    from conftest import Lab


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logs of a hundred bytes are long."""
    monkeypatch.setattr(rotating, "MOST", 100)
    monkeypatch.setattr(rotating, "KEPT", 40)


@pytest.mark.usefixtures("small")
def test_the_end_of_a_long_log_is_kept_beside_it(tmp_path: Path) -> None:
    """Whoever has the file open goes on at its new end; a log that is not too long stays as it is."""
    log = tmp_path / "US-1.log"
    with log.open("ab", buffering=0) as agent:
        agent.write(b"x" * 100)
        rotate(log)
        assert log.stat().st_size == 100 and not older(log).exists()
        agent.write(b"y" * 30)
        rotate(log)
        agent.write(b"z")
    assert older(log).read_bytes() == b"x" * 10 + b"y" * 30
    assert log.read_text() == "--- what was before is in US-1.log.1, as far as it is kept\nz"


@pytest.mark.usefixtures("small")
def test_a_log_is_cut_although_nothing_can_be_kept(tmp_path: Path) -> None:
    """A place that cannot be written is no reason to fill the disk; a log that is gone is none to end."""
    log = tmp_path / "US-1.log"
    log.write_bytes(b"x" * 101)
    older(log).mkdir()
    rotate(log)
    assert log.stat().st_size < 100
    rotate(tmp_path / "nowhere")


@pytest.mark.usefixtures("small")
def test_all_that_is_kept_is_shown(lab: Lab) -> None:
    """The end of the older lines, then the rest."""
    lab.spawn("US-104")
    lab.wait()
    log = Path(lab.run().log)
    log.write_bytes(b"x" * 101)
    rotate(log)
    shown = lab.box.coffee("logs", "US-104")
    assert shown.out.startswith("x" * 40 + "--- what was before")
