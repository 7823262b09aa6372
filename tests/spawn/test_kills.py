"""Promise 3: kill -9 anywhere in spawn is safe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Sandbox

DRIVER = Path(__file__).with_name("killed_spawn.py")
ONE, TWO = ("US-104",), ("US-104", "US-105")
EVERY = [*((ONE, share, 3) for share in range(3)), (TWO, 3, 9), (TWO, 7, 9)]
SOME = [(ONE, 2, 11), (TWO, 5, 29)]


@pytest.mark.parametrize(("tasks", "first", "stride"), EVERY if os.environ.get("COFFEE_TEST_EVERY_KILL") else SOME)
def test_a_killed_spawn_is_brought_to_its_end_by_the_next(
    sandbox: Sandbox, tmp_path: Path, tasks: tuple[str, ...], first: int, stride: int
) -> None:
    """Killed before any process, lock or change of a file, then run again: one agent for each task, nothing leaks.

    With ``COFFEE_TEST_EVERY_KILL=1`` one task is killed at every step; otherwise, and two side by side, at some.
    """
    sandbox.commit({".gitignore": "__pycache__/\n.env\n*.ignored\n"})
    (sandbox.work / ".env").write_text("KEY=1\n")
    command = [sys.executable, str(DRIVER), str(sandbox.work), str(tmp_path / "s"), str(first), str(stride), *tasks]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) > 2
    assert [end["killed"] for end in ends] == [-signal.SIGKILL] * (len(ends) - 1) + [0]
    for end in ends:
        assert {task: state for task, (state, _) in end["claims"].items()} == dict.fromkeys(tasks, "claimed"), end
        branches = sorted(branch for _, branch in end["claims"].values())
        assert {name: end[name] for name in ("branches", "worktrees", "watched")} == {
            "branches": branches, "worktrees": branches, "watched": branches,
        }, (end, done.stderr)  # fmt: skip
        assert end["folders"] == [branch.removeprefix("roadmap-") for branch in branches], end
        assert (end["equipped"], end["agents"]) == (["KEY=1\nTrue"] * len(tasks), [1] * len(tasks)), end
        assert (end["making"], end["dirty"], end["again"]) == ([], "", 0), (end, done.stderr)
