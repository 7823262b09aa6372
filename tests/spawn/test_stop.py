"""Ending an agent: all of it, also without a database or a supervisor, and never anybody else."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.process import group_members
from coffee_hooks.spawn.living import at_work, living_orders
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.stop import stop
from coffee_hooks.state.agents import AgentRun, EndReason, end_run
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Lab


def stopped(lab: Lab) -> bool:
    """Stop US-104 from a connection of its own."""
    with open_store(lab.project.repo.state_dir) as store:
        return stop(lab.project, store, lab.claim())


def running(lab: Lab, agent: str = "sleep 60 & sleep 60") -> AgentRun:
    """US-104 with an agent at work."""
    lab.agent = agent
    lab.spawn("US-104")
    run = lab.run()
    assert run.pid is not None
    return run


def test_the_whole_group_ends_and_is_recorded(lab: Lab) -> None:
    """After stop nothing of the agent lives, and the run says that a person ended it."""
    run = running(lab)
    assert stopped(lab) is True
    assert run.pid is not None and group_members(run.pid) == ()
    assert (lab.run().reason, lab.claim().reason) == (EndReason.CANCELLED, "cancelled")
    assert not list((lab.work / ".git/coffee/agents").iterdir())


def test_a_second_stop_finds_nothing(lab: Lab) -> None:
    """Stopping what has ended says so and changes nothing."""
    running(lab)
    stopped(lab)
    before = lab.run()
    assert stopped(lab) is False and lab.run() == before


def test_an_agent_that_has_ended_by_itself_keeps_its_end(lab: Lab) -> None:
    """Stop of a finished task does not turn its good end into a cancelled one."""
    lab.spawn("US-104")
    lab.wait()
    assert stopped(lab) is False and lab.run().reason is EndReason.DONE


def test_two_at_once_both_see_it_end(lab: Lab) -> None:
    """Two people stop at the same moment: one end, no error."""
    running(lab)
    with ThreadPoolExecutor(max_workers=2) as pool:
        ends = list(pool.map(lambda _: stopped(lab), range(2)))
    assert True in ends and lab.run().reason is EndReason.CANCELLED


def test_stop_needs_no_recorded_process(lab: Lab) -> None:
    """Right after spawn, or with the database deleted: the supervisor's lock is enough to find it."""
    run = running(lab)
    lab.store.write("DELETE FROM agent_runs")
    assert stopped(lab) is True
    assert run.pid is not None and group_members(run.pid) == ()


def test_an_agent_whose_supervisor_died_is_ended_too(lab: Lab) -> None:
    """kill -9 of the supervisor, then stop: the agent and its children are gone, and it counts as cancelled."""
    run = running(lab)
    os.kill(run.supervisor_pid, signal.SIGKILL)
    lab.until(lambda: not list(living_orders(lab.work / ".git/coffee")))
    assert stopped(lab) is True
    assert run.pid is not None and group_members(run.pid) == ()
    assert lab.run().reason is EndReason.CANCELLED


def test_what_a_dead_agent_started_is_ended_too(lab: Lab) -> None:
    """Supervisor and agent were killed, a grandchild lives on in the group: stop ends it."""
    run = running(lab, "sleep 60 & wait")
    group = run.pid
    assert group is not None
    lab.until(lambda: len(group_members(group)) == 2)
    for pid in (run.supervisor_pid, group):
        os.kill(pid, signal.SIGKILL)
    lab.until(lambda: not at_work(lab.work / ".git/coffee", lab.store))
    assert group_members(group) != ()
    assert stopped(lab) is True and group_members(group) == ()


def test_a_reused_pid_is_never_touched(lab: Lab) -> None:
    """The recorded pid belongs to a stranger by now: start time tells, and the stranger lives."""
    run = running(lab)
    stopped(lab)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    lab.store.write(
        "UPDATE agent_runs SET pid = ?, supervisor_pid = ?, start_time = start_time - 99, ended = NULL, reason = NULL",
        (stranger.pid, stranger.pid),
    )
    assert stopped(lab) is False
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    end_run(lab.store, run.id, 0.0, None, EndReason.LOST)


def test_what_is_just_being_started_is_not_called_stopped(lab: Lab) -> None:
    """Another process is about to start the agent: stop says so instead of pretending that nothing runs."""
    running(lab)
    stopped(lab)
    making = take(lab.project.repo.state_dir, lab.claim().branch)
    with pytest.raises(RuleError, match="just being started"):
        stopped(lab)
    assert making is not None
    making.finish()
