"""Promise 3: kill -9 anywhere in spawn is safe."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Sandbox

DRIVER = Path(__file__).with_name("killed_spawn.py")
SHARES = 4


@pytest.mark.parametrize("share", range(SHARES))
def test_a_killed_spawn_is_brought_to_its_end_by_the_next(sandbox: Sandbox, tmp_path: Path, share: int) -> None:
    """Killed before any process, lock or change of a file, then run again: one agent for each task, nothing leaks."""
    (sandbox.work / ".gitignore").write_text("__pycache__/\n.env\n*.ignored\n")
    sandbox.commit({".gitignore": "__pycache__/\n.env\n*.ignored\n"})
    (sandbox.work / ".env").write_text("KEY=1\n")
    command = [sys.executable, str(DRIVER), str(sandbox.work), str(tmp_path / "s"), str(share), str(SHARES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=250)
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(ends) > 10 and [end["killed"] for end in ends[:-1]] == [-signal.SIGKILL] * (len(ends) - 1)
    for end in ends:
        claims = end["claims"]
        assert {task: state for task, (state, _) in claims.items()} == {"US-104": "claimed", "US-105": "claimed"}, end
        branches = sorted(branch for _, branch in claims.values())
        assert {name: end[name] for name in ("branches", "worktrees", "watched")} == {
            "branches": branches, "worktrees": branches, "watched": branches,
        }, (end, done.stderr)  # fmt: skip
        assert end["folders"] == [branch.removeprefix("roadmap-") for branch in branches], end
        assert (end["equipped"], end["agents"]) == (["KEY=1\nTrue"] * 2, [1, 1]), end
        assert (end["making"], end["dirty"], end["again"]) == ([], "", 0), (end, done.stderr)
