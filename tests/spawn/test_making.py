"""The right to make a branch: one process has it, and its death frees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from coffee_hooks.spawn.making import being_made, forget_dead, names_being_made, take

HOLDER = """
import sys, time
from pathlib import Path
from coffee_hooks.spawn.making import take
assert take(Path(sys.argv[1]), "roadmap-wt1")
print("held", flush=True)
time.sleep(60)
"""


def test_one_at_a_time(tmp_path: Path) -> None:
    """Who has it keeps it until it is finished; then it is free, and nothing is left of it."""
    held = take(tmp_path, "roadmap-wt1")
    assert held is not None and take(tmp_path, "roadmap-wt1") is None
    assert being_made(tmp_path, "roadmap-wt1") and names_being_made(tmp_path) == {"roadmap-wt1"}
    assert not being_made(tmp_path, "roadmap-wt2")
    held.finish()
    assert not being_made(tmp_path, "roadmap-wt1") and list((tmp_path / "making").iterdir()) == []
    again = take(tmp_path, "roadmap-wt1")
    assert again is not None
    again.finish()


def test_a_dead_holder_frees_it(tmp_path: Path) -> None:
    """kill -9 of the holder: not being made any more, and the next one takes over."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    assert take(tmp_path, "roadmap-wt1") is None
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    assert not being_made(tmp_path, "roadmap-wt1")
    taken = take(tmp_path, "roadmap-wt1")
    assert taken is not None
    taken.finish()


def test_only_what_the_dead_left_is_forgotten(tmp_path: Path) -> None:
    """Files that nobody holds go; the one that is held stays."""
    held = take(tmp_path, "roadmap-wt1")
    (tmp_path / "making/roadmap-wt2").touch()
    forget_dead(tmp_path)
    assert held is not None and [path.name for path in (tmp_path / "making").iterdir()] == ["roadmap-wt1"]
    held.finish()


def test_nothing_is_being_made_where_nothing_ever_was(tmp_path: Path) -> None:
    """A fresh repository has no folder for it."""
    forget_dead(tmp_path)
    assert names_being_made(tmp_path) == frozenset() and not being_made(tmp_path, "roadmap-wt1")
