"""The spawning step of a round: agents for what may be started now."""

from __future__ import annotations

from coffee_hooks.base import output
from coffee_hooks.base.errors import EnvironmentFailure, LockedError
from coffee_hooks.base.refs import list_refs
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.work import assignment, crew_for, free_places, select
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.spawn.spawn import spawn
from coffee_hooks.state.claims import PREFIX


def start_agents(moment: Moment) -> None:
    """Start what evaluate selects for the free places, when the target or a claim has changed since the last time."""
    project, store, memory = moment.project, moment.store, moment.memory
    if not free_places(project, store, moment.wishes.most):
        return
    now = _seen(moment)
    if now == memory.planned and not moment.stranded:
        return
    evaluation, places = select(project, store, (), moment.wishes.most)
    # What could not be made beside others is tried again when it has the machine to itself.
    wanted = [task for task in evaluation.selected if not moment.busy or task not in memory.unmade] if places else []
    memory.planned = now
    if not wanted and not moment.stranded:
        return
    memory.unmade -= set(wanted)
    try:
        plan = read_plan(project, evaluation.base)
        work = [assignment(plan, task) for task in wanted]
        report = spawn(project, store, evaluation.base, work, crew_for(project, moment.wishes.agent))
    except LockedError:
        memory.planned, moment.waiting = None, True
        return
    except EnvironmentFailure as failed:
        memory.planned = None
        memory.unmade |= set(wanted)
        moment.trouble = moment.trouble or failed
        return
    for spawned in report.spawned:
        moment.tell("spawned", {"task": spawned.task, "branch": spawned.branch, "pid": spawned.pid})
    for skipped in report.skipped:
        output.say(f"{skipped.task} was not started: {skipped.detail}")
        moment.tell("skipped", {"task": skipped.task, "reason": skipped.reason, "detail": skipped.detail})
        if skipped.reason != "claimed":
            memory.unmade.add(skipped.task)
    memory.planned = _seen(moment)


def _seen(moment: Moment) -> object:
    """What decides which tasks may be started: the target, the claims, and whether a hard one has the machine alone."""
    targets = [ref for ref in (moment.project.target_ref, moment.project.remote_ref) if ref]
    refs = list_refs(moment.project.repo, *targets, PREFIX)
    return refs, bool(moment.memory.unmade) and bool(moment.busy)
