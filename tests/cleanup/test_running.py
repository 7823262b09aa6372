"""Is anything of a branch's agent alive? The kernel is asked; what cannot be known counts as living."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from coffee_hooks.base.identity import boot_id, identify
from coffee_hooks.cleanup.running import STARTING_SECONDS, running_branches
from coffee_hooks.state.agents import AgentRun, EndReason

NOW = 1_800_000_000.0
RUN = AgentRun(
    id=1, task="US-1", branch="roadmap-wt1", worktree="/wt1", attempt=1, agent="fake", command=("fake",),
    supervisor_pid=0, pid=None, start_time=None, boot_id=boot_id(), log="", started=NOW, last_sign=NOW, ended=None,
    exit_code=None, reason=None,
)  # fmt: skip


def of(run: AgentRun, folder: Path, now: float = NOW) -> str | None:
    """What lives of the run."""
    return running_branches([run], folder, now).get("roadmap-wt1")


def living(pid: int) -> AgentRun:
    """A run whose process is *pid*."""
    identity = identify(pid)
    assert identity is not None
    return replace(RUN, pid=pid, start_time=identity.start_time)


def test_a_process_is_known_by_pid_start_and_boot(tmp_path: Path) -> None:
    """The same pid with another start or another boot is another process."""
    run = living(os.getpid())
    assert of(run, tmp_path) == f"its agent (PID {os.getpid()})"
    assert run.start_time is not None
    assert of(replace(run, start_time=run.start_time - 100), tmp_path) is None
    assert of(replace(run, boot_id="an earlier boot"), tmp_path) is None


def test_a_recorded_end_does_not_hide_a_living_process(tmp_path: Path) -> None:
    """Facts beat records."""
    assert of(replace(living(os.getpid()), ended=NOW, reason=EndReason.FAILED), tmp_path) is not None


def test_a_starting_run_lives_for_a_while(tmp_path: Path) -> None:
    """Before its first pid nobody can be asked; later it never began."""
    assert of(RUN, tmp_path) == "its starting agent"
    assert of(RUN, tmp_path, NOW + STARTING_SECONDS + 1) is None
    assert of(replace(RUN, ended=NOW, reason=EndReason.FAILED), tmp_path) is None


@pytest.mark.parametrize(("reason", "alive"), [(None, True), (EndReason.LOST, True), (EndReason.DONE, False)])
def test_what_a_dead_agent_started_counts(tmp_path: Path, reason: EndReason | None, alive: bool) -> None:
    """hapi PR#440, kandev PR#3394: the wrapper dies, the real agent goes on in its group."""
    script = "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True); p.wait()"
    leader = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert leader.stdout is not None
    with leader.stdout as said:
        grandchild = int(said.readline())
    run = living(leader.pid)
    leader.kill()
    leader.wait()
    try:
        found = of(replace(run, ended=NOW if reason else None, reason=reason), tmp_path)
        assert (found == f"what its agent (PID {leader.pid}) started") is alive
    finally:
        os.kill(grandchild, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while of(run, tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert of(run, tmp_path) is None


def test_a_supervisor_is_known_by_its_lock(tmp_path: Path) -> None:
    """Without any database, and not by a pid; an order that nobody holds, or that is no order, means nothing."""
    orders = tmp_path / "agents"
    orders.mkdir()
    (orders / "1.json").write_text(json.dumps({"branch": "roadmap-wt1"}))
    (orders / "2.json").write_text("not json")
    assert running_branches([], tmp_path, NOW) == {}
    with (orders / "1.json").open() as one, (orders / "2.json").open() as two:
        fcntl.flock(one, fcntl.LOCK_EX)
        fcntl.flock(two, fcntl.LOCK_EX)
        assert running_branches([], tmp_path, NOW) == {"roadmap-wt1": "its supervisor"}
