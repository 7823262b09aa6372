"""Stop the agent of a task and everything it started."""

from __future__ import annotations

import time

from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.identity import boot_id, identify
from coffee_hooks.base.process import end_group, group_members
from coffee_hooks.base.project import Project
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.spawn.making import being_made
from coffee_hooks.spawn.supervisor import stop_file
from coffee_hooks.state.agent_state import process_alive
from coffee_hooks.state.agents import AgentRun, EndReason, end_run, latest_run
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.order import supervised
from coffee_hooks.state.store import Store

STOP_SECONDS = 30.0
LOOK_SECONDS = 0.05
SAME_SECONDS = 1.0
"""How far two looks at the start time of one process may differ."""


def stop(project: Project, store: Store, claim: Claim) -> bool:
    """End the agent's whole process group; False when nothing of it ran.

    Raises RuleError when something of it is still alive afterwards, or it is being started this very moment.
    """
    state_dir = project.repo.state_dir
    runs = [order.run for order in living_orders(state_dir) if order.branch == claim.branch]
    if not runs and being_made(state_dir, claim.branch):
        raise RuleError(
            f"the agent of {claim.task} is just being started", hint=f"in a moment: coffee stop {claim.task}"
        )
    deadline = time.monotonic() + STOP_SECONDS
    for run in runs:
        stop_file(state_dir, run).touch()
    while any(supervised(state_dir, run) for run in runs):
        if time.monotonic() > deadline:
            raise RuleError(f"the supervisor of {claim.task} does not end", hint="coffee status")
        time.sleep(LOOK_SECONDS)
    for run in runs:
        stop_file(state_dir, run).unlink(missing_ok=True)
    latest = latest_run(store, claim.task)
    left = latest is not None and latest.branch == claim.branch and end_unwatched(store, latest, EndReason.CANCELLED)
    return bool(runs) or left


def end_unwatched(store: Store, run: AgentRun, reason: EndReason) -> bool:
    """End an agent whose supervisor died, or what it started; False when there is nothing.

    Raises RuleError when it does not end.
    """
    if run.pid is None or not _lives_on(run, run.pid):
        return False
    if not end_group(run.pid):
        raise RuleError(f"the agent of {run.task} does not end (PID {run.pid})", hint=f"kill -9 -{run.pid}")
    end_run(store, run.id, time.time(), None, reason)
    return True


def _lives_on(run: AgentRun, pid: int) -> bool:
    if process_alive(run):
        return True
    if run.reason not in (None, EndReason.LOST):
        return False  # somebody saw its end, so its group was empty
    now = identify(pid)  # a new process with the leader's pid means that the group had ended before
    gone = now is None or (run.start_time is not None and abs(now.start_time - run.start_time) < SAME_SECONDS)
    return gone and run.boot_id == boot_id() and bool(group_members(pid))
