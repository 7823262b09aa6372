"""``coffee spawn --on github``: claim here, work there. The refs on the remote are all that both sides share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.forge import dispatch, place_of
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, transact
from coffee_hooks.base.remote import fetch
from coffee_hooks.evaluate.evaluate import evaluate
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.loop.work import left_out
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import resolve_task
from coffee_hooks.spawn.claim import Job, claim_all, give_back
from coffee_hooks.spawn.lost import release_lost
from coffee_hooks.spawn.publish import publish
from coffee_hooks.spawn.report import Skipped
from coffee_hooks.spawn.room import Room
from coffee_hooks.spawn.spawn import enlisting
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.dispatched import dispatched_to, may_take
from coffee_hooks.state.store import Store

WORKFLOW = "coffee-agents.yml"


def dispatch_tasks(
    project: Project, store: Store, names: Sequence[str], most: int | None
) -> tuple[tuple[Claim, ...], tuple[Skipped, ...]]:
    """Claim what evaluate selects among *names* for runners of GitHub, and start them; the others get their reason.

    Raises UsageError where claims are not shared, EnvironmentFailure when GitHub cannot be asked: then the claims are
    free again.
    """
    if project.remote is None or not project.config.shared:
        raise UsageError(
            "work on GitHub needs claims that are shared", hint="set shared: true in .coffee.yaml: coffee init --github"
        )
    place = place_of(project.repo.objects("remote", "get-url", "--", project.remote).text)
    fetch(project)
    with enlisting(project, store, 0) as (proof, _):
        release_lost(project, proof)
        evaluation = evaluate(project, names, limit=most)
        claimed, skipped = claim_all(project, evaluation.base, evaluation.roadmap, evaluation.selected, proof)
        jobs = [_hand_over(project, job, dispatched_to(f"{place.host}/{place.path}")) for job in claimed]
        kept, late = publish(project, jobs)
    plan = read_plan(project, evaluation.base)
    waiting = _waiting(project, [resolve_task(name, plan.items) for name in names], kept)
    claims = (*(job.claim for job in kept), *waiting)
    try:
        if claims:
            tasks = json.dumps([claim.task for claim in claims])
            log = project.repo.state_dir / "logs" / "dispatch.log"
            dispatch(place, WORKFLOW, project.config.target, {"tasks": tasks}, log)
    except BaseException:
        for job in kept:
            give_back(project, job.claim, "GitHub could not be asked")
        tell_others(project)
        raise
    finally:
        for job in kept:
            job.making.finish()
    # A runner makes the branch anew; an empty one here would only stand in its way.
    for claim in claims:
        transact(project.repo, [Move(f"refs/heads/{claim.branch}", claim.base, ABSENT)])
    told = (*skipped, *late)
    answered = {claim.task for claim in claims} | {each.task for each in told}
    return claims, (*told, *left_out(evaluation, plan, names, answered, Room(1)))


def _waiting(project: Project, named: Sequence[TaskId], kept: Sequence[Job]) -> list[Claim]:
    """The claims of *named* tasks that no runner has taken: whoever made them may have died before he asked GitHub."""
    found, ours = claims_.read_claims(project.repo), {job.claim.task for job in kept}
    claims = (found[task] for task in dict.fromkeys(named) if task in found and task not in ours)
    return [claim for claim in claims if claim.state is ClaimState.CLAIMED and may_take(claim, None)]


def _hand_over(project: Project, job: Job, owner: str) -> Job:
    changed = claims_.update(project.repo, job.claim, owner=owner)
    return replace(job, claim=changed) if changed else job
