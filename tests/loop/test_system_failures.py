"""What the system refuses passes: a loop that is left alone overnight goes on when it can."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.loop.run import Orchestrator, Until

if TYPE_CHECKING:
    from conftest import Shop

FULL = Path("/dev/full")


def test_a_file_that_cannot_be_opened_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in the place of a lock (a full disk, missing rights) ended the loop."""
    shop.drop("105", "106")
    lock = shop.state_dir / "spawn.lock"
    lock.mkdir(parents=True)
    heard: list[str] = []

    def complain(_loop: Orchestrator, failed: CoffeeError, _then: str) -> None:
        heard.append(failed.what)
        if len(heard) == 2:
            lock.rmdir()

    monkeypatch.setattr(Orchestrator, "_complain", complain)
    assert shop.run(Until.IDLE, poll=0.05) == 0
    assert shop.landed == ["US-104"] and heard == [f"Is a directory: {lock}"] * 2


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_a_loop_goes_on_when_its_events_cannot_be_written(shop: Shop) -> None:
    """The disk of its output was full, or its terminal gone without a signal; it ended in the middle of a round."""
    shop.drop("105", "106")
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-I", "-m", "coffee_hooks", "--json", "run", "--until-idle", "--poll", "1"],
            cwd=shop.work, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr.count("warning: events are not written any more") == 1
    assert shop.claims()["US-104"].state.value == "landed"
