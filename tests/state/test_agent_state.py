"""What an agent is doing: the kernel's word before the database's."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from coffee_hooks.base.identity import identify
from coffee_hooks.state.agent_state import look, what_agents_do
from coffee_hooks.state.agents import AgentRun, EndReason, active_runs, begin_run, end_run, note_pid
from coffee_hooks.state.order import Order, order_path, read_order, supervised, write_order
from coffee_hooks.state.store import Store, open_store


def order(state_dir: Path, run: int = 1) -> Order:
    common = str(state_dir.parent)
    return Order(run, "US-104", "roadmap-caf\udce9", "1" * 40, 1, ("sh", "new\nline"), "/x", common, "/log", 5.5, 2.0)


def begun(store: Store, branch: str = "roadmap-wt1") -> int:
    return begin_run(
        store, task="US-104", branch=branch, worktree="/x", attempt=1, agent="claude", command=["claude"],
        supervisor_pid=1, boot_id="boot", log="/log", when=time.time(),
    )  # fmt: skip


def the_run(store: Store, pid: int | None = None) -> AgentRun:
    """The one run of the store, as process *pid* if one is given."""
    (run,) = active_runs(store)
    who = identify(pid) if pid else None
    if who is None:
        return run
    note_pid(store, run.id, who.pid, who.start_time)
    store.write("UPDATE agent_runs SET boot_id = ?", (who.boot_id,))
    return active_runs(store)[0]


def test_an_order_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Odd names and all, and the path is where the reader looks."""
    state_dir = tmp_path / "coffee"
    path = write_order(order(state_dir))
    assert path == order_path(state_dir, 1)
    with path.open() as file:
        assert read_order(file) == order(state_dir)
    assert order(state_dir).state_dir == state_dir


def test_supervised_is_whether_the_lock_is_held(tmp_path: Path) -> None:
    """No file, a file without a lock, a lock, and a lock that its holder's death has freed."""
    assert not supervised(tmp_path, 1)
    path = write_order(order(tmp_path / "coffee"))
    assert not supervised(tmp_path / "coffee", 1)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert supervised(tmp_path / "coffee", 1)
        assert supervised(tmp_path / "coffee", 1)
    assert not supervised(tmp_path / "coffee", 1)


def test_running_by_its_supervisor_or_by_its_process(tmp_path: Path) -> None:
    """Either fact is enough; without both, a run whose end nobody recorded is lost."""
    with open_store(tmp_path / "coffee") as store:
        begun(store)
        run = the_run(store)
        assert look(tmp_path / "coffee", run).lost
        with write_order(order(tmp_path / "coffee", run.id)).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert look(tmp_path / "coffee", run).running
        mine = the_run(store, os.getpid())
        found = look(tmp_path / "coffee", mine)
        assert (found.running, found.lost, found.failed) == (True, False, False)
        assert f"PID {os.getpid()}" in found.detail
        store.write("UPDATE agent_runs SET start_time = start_time - 100")
        assert look(tmp_path / "coffee", active_runs(store)[0]).lost


@pytest.mark.parametrize(
    ("reason", "code", "failed", "words"),
    [
        (EndReason.DONE, 0, False, "its agent has ended"),
        (EndReason.FAILED, 3, True, "its agent ended: failed, exit code 3"),
        (EndReason.STALLED, None, True, "its agent ended: stalled"),
        (EndReason.LOST, None, True, "its agent ended: lost"),
    ],
)
def test_how_it_ended(tmp_path: Path, reason: EndReason, code: int | None, failed: bool, words: str) -> None:
    """A recorded end is the end, even while the pid is somebody's, and says whether it went well."""
    with open_store(tmp_path / "coffee") as store:
        begun(store)
        end_run(store, the_run(store, os.getpid()).id, 1.0, code, reason)
        (found,) = what_agents_do(tmp_path / "coffee", store).values()
    assert (found.running, found.failed, found.detail) == (False, failed, words)


def test_the_latest_run_of_a_branch_counts(tmp_path: Path) -> None:
    """A retry replaces what an earlier attempt came to."""
    with open_store(tmp_path / "coffee") as store:
        for branch in ("roadmap-wt1", "roadmap-wt2", "roadmap-wt1"):
            end_run(store, begun(store, branch), 1.0, 1, EndReason.FAILED)
        end_run(store, begun(store), 2.0, 0, EndReason.DONE)
        found = what_agents_do(tmp_path / "coffee", store)
    assert {branch: doing.failed for branch, doing in found.items()} == {"roadmap-wt1": False, "roadmap-wt2": True}
