"""Agent runs as the supervisor records them and the loop reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coffee_hooks.state.agents import (
    AgentRun,
    EndReason,
    active_runs,
    all_runs,
    begin_run,
    end_run,
    heartbeat,
    latest_run,
    note_pid,
    note_supervisor,
    runs_of,
)
from coffee_hooks.state.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    with open_store(tmp_path) as opened:
        yield opened


def begin(store: Store, task: str = "US-104", attempt: int = 1, worktree: str = "/w/wt1") -> int:
    """Begin a run at time 100."""
    return begin_run(
        store,
        task=task,
        branch="roadmap-wt1",
        worktree=worktree,
        attempt=attempt,
        agent="claude",
        command=("claude", "-p", "it's"),
        supervisor_pid=7,
        boot_id="boot",
        log="/l/1.log",
        when=100.0,
    )


def only(store: Store) -> AgentRun:
    """The one run there is."""
    (run,) = all_runs(store)
    return run


def test_a_run_comes_back_as_it_was_begun(store: Store) -> None:
    """Every field makes the round trip; what is not known yet is None."""
    number = begin(store, worktree="/w/caf\udce9")
    assert only(store) == AgentRun(
        id=number,
        task="US-104",
        branch="roadmap-wt1",
        worktree="/w/caf\udce9",
        attempt=1,
        agent="claude",
        command=("claude", "-p", "it's"),
        supervisor_pid=7,
        pid=None,
        start_time=None,
        boot_id="boot",
        log="/l/1.log",
        started=100.0,
        last_sign=100.0,
        ended=None,
        exit_code=None,
        reason=None,
    )


def test_process_and_signs_of_life_are_recorded(store: Store) -> None:
    """Both processes are noted; a sign that arrives late does not turn the clock back."""
    number = begin(store)
    note_supervisor(store, number, 8)
    note_pid(store, number, 4242, 99.5)
    heartbeat(store, number, 130.0)
    heartbeat(store, number, 120.0)
    run = only(store)
    assert (run.supervisor_pid, run.pid, run.start_time, run.last_sign) == (8, 4242, 99.5, 130.0)


@pytest.mark.parametrize("reason", list(EndReason))
def test_every_end_is_kept(store: Store, reason: EndReason) -> None:
    """Time, exit code and reason come back, and the run is no longer active."""
    number = begin(store)
    assert [run.id for run in active_runs(store)] == [number]
    end_run(store, number, 160.0, -9, reason)
    run = only(store)
    assert (run.ended, run.exit_code, run.reason) == (160.0, -9, reason)
    assert active_runs(store) == []


def test_the_first_end_counts_unless_nobody_saw_it(store: Store) -> None:
    """A later end does not rewrite what was seen, but it does replace a guess."""
    seen, guessed = begin(store), begin(store)
    end_run(store, seen, 150.0, 0, EndReason.DONE)
    end_run(store, seen, 160.0, None, EndReason.LOST)
    end_run(store, guessed, 150.0, None, EndReason.LOST)
    end_run(store, guessed, 170.0, 1, EndReason.FAILED)
    assert [(run.ended, run.reason) for run in all_runs(store)] == [
        (150.0, EndReason.DONE),
        (170.0, EndReason.FAILED),
    ]


def test_runs_are_found_by_task(store: Store) -> None:
    """Runs of a task come oldest first; the latest is the one begun last; other tasks stay out."""
    first, other, second = begin(store), begin(store, "US-105"), begin(store, attempt=2)
    assert [run.id for run in runs_of(store, "US-104")] == [first, second]
    assert (latest := latest_run(store, "US-104")) is not None
    assert (latest.id, latest.attempt) == (second, 2)
    assert latest_run(store, "US-999") is None
    assert [run.id for run in all_runs(store)] == [first, other, second]


def test_a_forgotten_supervisor_touches_no_run_of_the_next_state(tmp_path: Path) -> None:
    """Numbers of runs continue from the clock: an old one names nothing after the database was deleted."""
    with open_store(tmp_path) as store:
        old = begin(store)
        assert old > 1_700_000_000
    (tmp_path / "state.db").unlink()
    with open_store(tmp_path) as store:
        store.write("UPDATE sqlite_sequence SET seq = seq + 60 WHERE name = 'agent_runs'")  # a minute later
        begin(store)
        end_run(store, old, 200.0, 0, EndReason.DONE)
        heartbeat(store, old, 300.0)
        assert (only(store).ended, only(store).last_sign) == (None, 100.0)
