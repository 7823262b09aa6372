"""The reviewing step of a round: reviewers for what waits for nothing else, each in a process that the loop outruns."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from enum import Enum

from coffee_hooks.base import held, output
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import start_detached
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.retry import back_off
from coffee_hooks.loop.reviewing import order_for, tell_architect, waits_for_review
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.ready.review_run import commit_in, end_review, leftover_clones, review_clone
from coffee_hooks.state.reviewing import being_reviewed, dead_orders, order_path, stop_file, take_order
from coffee_hooks.state.reviews import read_reviews

MOST_TRIES = 3
"""So often a review without a verdict is made again before a person is asked."""


class NextReview(Enum):
    """What to do for a commit without a verdict."""

    START = "start"
    WAIT = "wait"
    ASK = "ask"


def next_review(tries: int, last: float, now: float) -> NextReview:
    """Whether to review a commit after *tries* that gave no verdict, the last one at *last*. Pure; UNIX seconds."""
    if tries >= MOST_TRIES:
        return NextReview.ASK
    soon = last <= now < last + back_off(tries)  # a clock may be set back
    return NextReview.WAIT if tries and soon else NextReview.START


def hear_reviewers(moment: Moment, readiness: Readiness) -> None:
    """Tell of the reviews that ended, each once."""
    memory = moment.memory
    _tell_ended(moment, readiness, being_reviewed(moment.project.repo.state_dir).keys())
    for candidate in readiness.candidates:  # whoever reviewed it may have died before it could tell
        if candidate.reviewed is not None and candidate.reviewed.final and candidate.branch.tip not in memory.told:
            memory.told.add(candidate.branch.tip)
            tell_architect(moment.store, candidate.reviewed, candidate.task)


def review_waiting(moment: Moment, readiness: Readiness) -> None:
    """End the reviews that nobody wants to know any more, and start those that may be started."""
    state_dir, memory = moment.project.repo.state_dir, moment.memory
    alive = being_reviewed(state_dir)
    memory.unreviewed.clear()
    if moment.project.config.review.command is None:
        return
    _clear_dead(moment)
    tips = {candidate.branch.tip for candidate in readiness.candidates}
    for sha in alive.keys() - tips:  # its branch has moved on
        stop_file(state_dir, sha).touch()
    free = moment.project.config.review.jobs - len(alive)
    # One that ended since the branches were looked at has its verdict; the next look shows it.
    going_on = alive.keys() | set(moment.reviewing)
    for candidate in readiness.candidates:
        if not waits_for_review(candidate) or candidate.branch.tip in going_on or not _is_ours(moment, candidate):
            continue
        what = _next(moment, candidate)
        if what is NextReview.ASK:
            _ask(moment, candidate)
        elif what is NextReview.START and free > 0 and _start(moment, candidate):
            free -= 1
        else:
            moment.waiting = True
    moment.waiting = moment.waiting or bool(being_reviewed(state_dir))


def _is_ours(moment: Moment, candidate: Candidate) -> bool:
    """Whether it is for this machine to review: its own tasks, and what nobody claimed."""
    claim = next((c for c in moment.claims.values() if c.branch == candidate.branch.name), None)
    return claim is None or moment.is_ours(claim)


def _next(moment: Moment, candidate: Candidate) -> NextReview:
    known, (started, last) = candidate.reviewed, moment.memory.reviews.get(candidate.branch.tip, (0, 0.0))
    if known is not None:
        started, last = max(started, known.tries), max(last, float(known.when))
    return next_review(started, last, time.time())


def _start(moment: Moment, candidate: Candidate) -> bool:
    """Whether a reviewer is at it now; it outlives this loop."""
    project, memory = moment.project, moment.memory
    order = order_for(project, candidate, moment.target.sha)
    turn = take_order(project.repo.state_dir, order)
    if turn is None:
        return False
    started, _ = memory.reviews.get(candidate.branch.tip, (0, 0.0))
    memory.reviews[candidate.branch.tip] = (started + 1, time.time())
    log = project.repo.state_dir / "logs" / "reviews" / "reviewers.log"
    argv = [sys.executable, "-m", "coffee_hooks.loop.reviewer", str(project.repo.main), str(turn.path)]
    try:
        start_detached(
            [*argv, str(turn.descriptor)], cwd=project.repo.state_dir, env=dict(os.environ), log=log,
            pass_fds=(turn.descriptor,),
        )  # fmt: skip
    except OSError:
        turn.finish()
        return False
    os.close(turn.descriptor)
    memory.reviewing[candidate.branch.tip] = candidate.branch.name
    output.say(f"code-reviewer reviews {printable(candidate.branch.name)} at {candidate.branch.tip[:12]}")
    moment.tell(
        "reviewing", {"branch": candidate.branch.name, "task": candidate.task, "sha": candidate.branch.tip}
    )  # fmt: skip
    return True


def _tell_ended(moment: Moment, readiness: Readiness, alive: Collection[Sha]) -> None:
    memory = moment.memory
    ended = {sha: name for sha, name in memory.reviewing.items() if sha not in alive}
    if not ended:
        return
    found = read_reviews(moment.project.repo, moment.project.remote)
    tasks = {candidate.branch.name: candidate.task for candidate in readiness.candidates}
    for sha, name in ended.items():
        del memory.reviewing[sha]
        review = found.get(sha)
        if review is None:
            continue
        word = review.verdict.value
        why = f" ({one_line(review.why)})" if review.why else ""
        output.say(f"review of {printable(name)} at {sha[:12]}: {word}{why}")
        moment.tell(
            "reviewed",
            {"branch": name, "task": tasks.get(name), "sha": sha, "verdict": word, "report": review.report},
        )


def _clear_dead(moment: Moment) -> None:
    """What a killed reviewer left at work, and its clone; holding its order, so that nobody begins there meanwhile."""
    project = moment.project
    state_dir = project.repo.state_dir
    orders = {path.stem: path for path in dead_orders(state_dir)}
    orders |= {sha: order_path(state_dir, sha) for clone in leftover_clones(project) if (sha := commit_in(clone))}
    for sha, path in orders.items():
        turn = held.take(path)
        if turn is None:
            continue  # it lives
        try:
            with suppress(OSError):
                end_review(review_clone(project, sha))
        finally:
            turn.finish()


def _ask(moment: Moment, candidate: Candidate) -> None:
    name, known = printable(candidate.branch.name), candidate.reviewed
    why = one_line(known.why) if known is not None and known.why else "its reviewer gives no verdict"
    moment.memory.unreviewed[candidate.branch.name] = why
    text = f"{name} cannot be reviewed: {why}.\n\nNext, once that is repaired: coffee review {name}"
    moment.notify(f"Review needed: {name}", text, f"unreviewed:{candidate.branch.name}:{candidate.branch.tip}")
