"""``coffee spawn TASK --here``: the agent of one task in this checkout, in the foreground, as on a runner of a CI."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.git import ABSENT, in_worktree
from coffee_hooks.base.project import Project
from coffee_hooks.base.push import Pushed, push
from coffee_hooks.base.refs import Move, list_refs, read_ref, transact
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import is_ancestor, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.evaluate.evaluate import evaluate
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.loop.tasks import log_pieces
from coffee_hooks.loop.work import brief_plan, crew_for, why_not
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import resolve_task
from coffee_hooks.spawn.claim import Job, Origin, claim_all, give_back
from coffee_hooks.spawn.launch import launch
from coffee_hooks.spawn.lost import release_lost
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.publish import publish
from coffee_hooks.spawn.recover import stranded
from coffee_hooks.spawn.report import Skipped, Spawned, SpawnReport
from coffee_hooks.spawn.room import Room
from coffee_hooks.spawn.spawn import enlisting
from coffee_hooks.spawn.stop import stop
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.dispatched import may_take, this_run
from coffee_hooks.state.store import Store

TELLINGS = 3
"""How often a claim is let go: its supervisor, which ends beside us, may tell the remote of it meanwhile, and wins."""
NOT_STARTED = "its agent could not be started"
LATE = "refs/coffee/late/"
"""No branch, so that no landing looks at it and no rule about the names of branches refuses it."""


def spawn_here(project: Project, store: Store, name: str, agent: str | None) -> SpawnReport:
    """Run the agent of the task *name* to its end, and push what it made.

    The task is claimed, or was for whoever comes first. Raises UsageError when the checkout is not clean, and what
    ``launch`` raises; then the claim is free again. On Ctrl-C, and on TERM, by which a CI cancels a job, the agent is
    stopped, and what it made is pushed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    top = project.repo.top
    if in_worktree(top, "status", "--porcelain", "-z").out:
        raise UsageError("this checkout has changes that are not committed", hint="commit or stash them: git stash -u")
    crew = crew_for(project, agent)
    job = _claim(project, store, name)
    if isinstance(job, Skipped):
        return SpawnReport((), (job,))
    plan = read_plan(project, job.claim.base)
    try:
        try:
            in_worktree(top, "switch", "--quiet", "--no-guess", job.claim.branch)
        except BaseException:
            job.making.finish()
            raise
        report = launch(project, store, [job], crew, lambda job: brief_plan(project, plan, job))
    except BaseException:
        _let_go(project, store, top, job.claim)
        raise
    (spawned,) = report.spawned
    try:
        _follow(project, job.claim, spawned)
    except KeyboardInterrupt:
        stop(project, store, job.claim)
        raise
    finally:
        tell_others(project)
        _push(project, job.claim)
    return report


def ended_well(project: Project, report: SpawnReport) -> bool:
    """Whether the task of *report* is finished."""
    claims = claims_.read_claims(project.repo)
    states = [claims[spawned.task].state for spawned in report.spawned if spawned.task in claims]
    return bool(states) and set(states) <= {ClaimState.DONE, ClaimState.LANDED}


def _claim(project: Project, store: Store, name: str) -> Job | Skipped:
    """The task as a job of ours that all machines know of, with its branch here."""
    if project.config.shared:
        fetch(project)
    with enlisting(project, store, 0) as (proof, _):
        release_lost(project, proof)
        base = read_target(project).sha
        plan = read_plan(project, base)
        task = resolve_task(name, plan.items)
        claim = claims_.read_claims(project.repo).get(task)
        if claim is not None and not claim.is_free(plan.roadmap):
            job = _adopt(project, claim, stranded(project, store, claim))
        else:
            evaluation = evaluate(project, [task])
            if task not in evaluation.selected:
                return why_not(evaluation, task, Room(1)) or Skipped(task, "not-independent", "it cannot be done now")
            found, skipped = claim_all(project, evaluation.base, evaluation.roadmap, [task], proof)
            job = found[0] if found else skipped[0]
        if isinstance(job, Skipped):
            return job
        kept, late = publish(project, [_of_this_run(project, job)])
        return replace(kept[0], origin=Origin.FOUND) if kept else late[0]


def _of_this_run(project: Project, job: Job) -> Job:
    """Under Actions the claim names the run, so that a later attempt of it may go on where this one ended."""
    run = this_run()
    named = claims_.update(project.repo, job.claim, owner=run) if run else None
    return replace(job, claim=named) if named else job


def _adopt(project: Project, claim: Claim, left: bool) -> Job | Skipped:
    """A claim that was made for whoever comes first, that an earlier attempt of this run had, or a dead call *left*."""
    taken = Skipped(claim.task, "claimed", f"{claim.owner} has it on {claim.branch}")
    if claim.state is not ClaimState.CLAIMED or not (left or may_take(claim, this_run())):
        return taken
    making = take(project.repo.state_dir, claim.branch)
    if making is None:
        return taken
    branch = f"refs/heads/{claim.branch}"
    there = read_ref(project.repo, f"refs/remotes/{project.remote}/{claim.branch}")
    made = read_ref(project.repo, branch) or transact(project.repo, [Move(branch, ABSENT, there or claim.base)])
    ours = made and claims_.update(
        project.repo, claim, owner=claims_.owner_here(project), since=int(time.time()), reason=None
    )
    if not ours:
        making.finish()
        return taken
    return Job(ours, making, Origin.FRESH, claim.base)


def _let_go(project: Project, store: Store, top: Path, claim: Claim) -> None:
    """The claim is free again where nothing was done for it; the checkout stands at its base."""
    stop(project, store, claim)  # Ctrl-C may come when it was started a moment ago
    in_worktree(top, "switch", "--quiet", "--detach", claim.base, ok=(0, 1, 128))
    for _ in range(TELLINGS):
        now = claims_.read_claims(project.repo).get(claim.task)
        mine = now is not None and now.branch == claim.branch and now.owner == claim.owner
        if now is None or not mine or now.state is ClaimState.RELEASED:
            break
        if not give_back(project, now, NOT_STARTED) and read_ref(project.repo, f"refs/heads/{claim.branch}") is None:
            claims_.update(project.repo, now, state=ClaimState.RELEASED, reason=NOT_STARTED)
        tell_others(project)
    _push(project, claim)


def _follow(project: Project, claim: Claim, spawned: Spawned) -> None:
    with spawned.log.open("rb") as log:
        for piece in log_pieces(log, project, claim):
            sys.stderr.buffer.write(piece)
            sys.stderr.buffer.flush()


def _push(project: Project, claim: Claim) -> None:
    """Push commits of a task that is not finished too: this machine may be gone in a minute.

    Where somebody else has the task by now they go to a ref that is no branch: who knows how far they are?
    """
    if project.remote is None:
        return
    now = claims_.read_claims(project.repo).get(claim.task)
    branch, copy = f"refs/heads/{claim.branch}", f"refs/remotes/{project.remote}/{claim.branch}"
    refs = list_refs(project.repo, branch, copy)
    tip, there = refs.get(branch), refs.get(copy)
    if tip is None or tip in (there, claim.base):
        return
    if now is not None and now.branch == claim.branch and now.state is not ClaimState.RELEASED:
        if there is not None and not is_ancestor(project.repo, there, tip):
            return
        move = Move(branch, there or ABSENT, tip)
    else:
        move = Move(f"{LATE}{claim.branch}/{tip[:12]}", ABSENT, tip)
        output.say(f"{claim.task} was given to somebody else meanwhile: what was made here goes to {move.ref}")
    answer = push(project, [move])
    if answer.pushed is not Pushed.ACCEPTED:
        raise EnvironmentFailure(
            f"{claim.branch} could not be pushed to {project.remote}", hint=f"git push {project.remote} {claim.branch}",
            detail=printable(answer.detail),
        )  # fmt: skip
