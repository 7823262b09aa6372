"""The spawning step of a round: agents for what may be started now."""

from __future__ import annotations

import time

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, LockedError
from coffee_hooks.base.refs import list_refs
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.work import spawn_tasks
from coffee_hooks.spawn.room import find_room
from coffee_hooks.state.claims import PREFIX, ClaimState

LONGEST_PAUSE = 300.0


def start_agents(moment: Moment) -> None:
    """Start what evaluate selects for the free places, when the target or a claim has changed since the last time."""
    project, store, memory = moment.project, moment.store, moment.memory
    room = find_room(project, store, moment.wishes.most)
    _tell_crowded(moment, room.crowded)
    if not room.places:
        return
    if time.monotonic() < memory.start_again:
        moment.waiting = True
        return
    now = _seen(moment)
    if now == memory.planned and not moment.stranded:
        return
    memory.planned = None
    try:
        report = spawn_tasks(project, store, (), moment.wishes.agent, moment.wishes.most)
    except LockedError:
        moment.waiting = True
        return
    except CoffeeError as failed:
        if failed.exit_code != EnvironmentFailure.exit_code:
            raise
        moment.trouble = moment.trouble or failed
        memory.failed_starts += 1
        memory.start_again = time.monotonic() + pause(memory.failed_starts, moment.poll)
        return
    memory.failed_starts = 0
    for spawned in report.spawned:
        moment.tell("spawned", {"task": spawned.task, "branch": spawned.branch, "pid": spawned.pid})
    for skipped in report.skipped:
        output.say(f"{skipped.task} was not started: {skipped.detail}")
        moment.tell("skipped", {"task": skipped.task, "reason": skipped.reason, "detail": skipped.detail})
    memory.planned = _seen(moment) if report.spawned or report.skipped else now


def pause(failures: int, poll: float) -> float:
    """Seconds before agents are started again after *failures* in a row: each try makes a branch and gives it back."""
    return max(poll, min(poll * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE))


def _tell_crowded(moment: Moment, lacking: str | None) -> None:
    """Say once that the machine has no room for another agent; it is looked at again later."""
    moment.waiting = moment.waiting or lacking is not None
    if lacking is not None and not moment.memory.crowded:
        output.say(f"no agent is started for now: {lacking}")
        moment.tell("crowded", {"detail": lacking})
    moment.memory.crowded = lacking is not None


def _seen(moment: Moment) -> object:
    """What decides which tasks may be started: the target, the claims, and whether a hard one has the machine alone."""
    targets = [ref for ref in (moment.project.target_ref, moment.project.remote_ref) if ref]
    hard = any(claim.state is ClaimState.RELEASED for claim in moment.claims.values())
    return list_refs(moment.project.repo, *targets, PREFIX), hard and bool(moment.busy)
