"""One round of the orchestrator: all that can be done now, in the order in which work flows; no waiting."""

from __future__ import annotations

import time
from enum import Enum

from coffee_hooks.base import messages, output
from coffee_hooks.base.model import TaskId
from coffee_hooks.loop import signs
from coffee_hooks.loop.care import look_after
from coffee_hooks.loop.drain import merge_ready
from coffee_hooks.loop.lookout import keep_watch
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.recruit import start_agents
from coffee_hooks.loop.reviews import hear_reviewers, review_waiting
from coffee_hooks.loop.tidy import clean_up
from coffee_hooks.loop.unwatched import watch_the_unwatched
from coffee_hooks.notify.courier import handing_over
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.spawn.living import at_work
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import active_runs, all_runs
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.reviewing import being_reviewed


class Activity(Enum):
    """What a round left behind: reason to go on at once, something to wait for, or nothing."""

    PROGRESS = "progress"
    WAITING = "waiting"
    IDLE = "idle"


def play(moment: Moment) -> Activity:
    """Do all that can be done now.

    Raises the first trouble with the environment, after everything else was done all the same.
    """
    with handing_over(moment.project, moment.store):
        return _play(moment)


def _play(moment: Moment) -> Activity:
    began = time.time()
    moment.busy, moment.reviewing = _busy(moment), being_reviewed(moment.project.repo.state_dir)
    watch_the_unwatched(moment)
    moment.claims = read_claims(moment.project.repo)  # before the branches: a claim that is older than them is harmless
    readiness = detect_ready(moment.project, moment.store, moment.target, claims=moment.claims)
    blind = keep_watch(moment, readiness)
    hear_reviewers(moment, readiness)
    moment.landed = merge_ready(moment, readiness)
    review_waiting(moment, readiness)
    if not moment.landed:  # else everything is judged again at once, against the new target
        look_after(moment, readiness)
    clean_up(moment, readiness)
    start_agents(moment)
    _narrate(moment)
    ended = _has_ended(moment, began)
    if not ended:  # what we did ourselves, such as a claim that was given back, is no sign to look again
        moment.memory.signs = signs.look(moment.project.repo)
    if trouble := moment.trouble or blind:
        raise trouble
    if moment.landed or ended:
        return Activity.PROGRESS
    return Activity.WAITING if moment.waiting or _busy(moment) else Activity.IDLE


def _busy(moment: Moment) -> frozenset[str]:
    return at_work(moment.project.repo.state_dir, moment.store)


def _has_ended(moment: Moment, began: float) -> bool:
    """Whether an agent or a reviewer ended while we looked elsewhere: its sign has come, and will not come again."""
    ended = any((run.ended or 0) >= began and run.pid is not None for run in all_runs(moment.store))
    reviewed = set(moment.reviewing) - being_reviewed(moment.project.repo.state_dir).keys()
    return ended or bool(reviewed) or bool(moment.busy - _busy(moment))


def _narrate(moment: Moment) -> None:
    """The progress line of every agent, once in every poll."""
    now = time.monotonic()
    if now - moment.memory.narrated < moment.poll:
        return
    moment.memory.narrated = now
    for run in active_runs(moment.store):
        if look(moment.project.repo.state_dir, run).running:
            output.say(messages.running(run.pid or 0, TaskId(run.task), max(0.0, time.time() - run.started)))
