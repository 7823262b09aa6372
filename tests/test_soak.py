"""A minute of a bad night: agents that misbehave in every way we know, and a loop that is killed all the time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parent.parent / "benchmarks" / "soak.py"


def test_a_minute_of_hostile_agents(tmp_path: Path) -> None:
    """All good work lands once, all other is kept with its reason, and nothing else is left."""
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, str(SOAK), "--seconds", "60"]
    done = subprocess.run(command, env=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("30 tasks, 19 of them good, the loop killed ")
