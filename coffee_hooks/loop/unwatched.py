"""Agents whose supervisor was killed: until they have ended the loop watches them, and then it ends what they left."""

from __future__ import annotations

import time
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.process import group_seconds
from coffee_hooks.base.text import printable
from coffee_hooks.loop.moment import Moment
from coffee_hooks.spawn.rotate import rotate
from coffee_hooks.spawn.signs import Silence
from coffee_hooks.spawn.stop import end_unwatched
from coffee_hooks.state.agent_state import process_alive
from coffee_hooks.state.agents import AgentRun, EndReason, active_runs, end_run
from coffee_hooks.state.order import order_path, supervised


def watch_the_unwatched(moment: Moment) -> None:
    """End those that are silent or over their time, and what the others left. Facts beat records: a run whose process
    and supervisor are gone is lost, whatever its row says. What does not end is tried again in the next round.
    """
    state_dir, memory = moment.project.repo.state_dir, moment.memory
    runs = {run.id: run for run in active_runs(moment.store) if run.pid is not None}
    alone = {number: run for number, run in runs.items() if not supervised(state_dir, number)}
    memory.unwatched = {number: seen for number, seen in memory.unwatched.items() if number in alone}
    for run in alone.values():
        try:
            _watch(moment, run) if process_alive(run) else _lose(moment, run)
        except RuleError as stubborn:
            output.say(f"warning: {printable(stubborn.what)}")


def _lose(moment: Moment, run: AgentRun) -> None:
    end_unwatched(moment.store, run, EndReason.LOST)
    end_run(moment.store, run.id, time.time(), None, EndReason.LOST)
    order_path(moment.project.repo.state_dir, run.id).unlink(missing_ok=True)
    moment.tell("lost", {"task": run.task, "branch": run.branch})


def _watch(moment: Moment, run: AgentRun) -> None:
    now, config = time.monotonic(), moment.project.config
    limits = config.agents.get(run.agent, config.agent)
    if (silence := moment.memory.unwatched.get(run.id)) is None:
        silence = Silence(
            Path(run.log), Path(run.worktree), limits.idle_timeout, now, lambda: group_seconds(run.pid or 0)
        )
        moment.memory.unwatched[run.id] = silence
    rotate(Path(run.log))
    reason = over(run, silence, now, limits.timeout)
    if reason is not None and end_unwatched(moment.store, run, reason):
        output.say(f"the agent of {run.task}, whose supervisor was gone, was ended: {reason.value}")
        order_path(moment.project.repo.state_dir, run.id).unlink(missing_ok=True)


def over(run: AgentRun, silence: Silence, now: float, timeout: float) -> EndReason | None:
    """Why an agent has to end at *now* on the monotonic clock, None when it may go on."""
    # Where its start is told in seconds since the boot, a laptop's sleep makes an agent younger and never older.
    if run.start_time is not None and now - run.start_time > timeout:
        return EndReason.TIMED_OUT
    return EndReason.STALLED if silence.seconds(now) > silence.idle_timeout else None
