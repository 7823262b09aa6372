"""From what evaluate selected to agents at work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import merge_base
from coffee_hooks.evaluate import reasons
from coffee_hooks.evaluate.evaluate import evaluate
from coffee_hooks.evaluate.footprint import Scope
from coffee_hooks.evaluate.verdicts import Evaluation, Standing
from coffee_hooks.loop.predicted import remember_predictions
from coffee_hooks.loop.retry import CONFLICT, Failure, with_history
from coffee_hooks.sources.plan import Plan, read_plan
from coffee_hooks.sources.task_names import is_of, resolve_task
from coffee_hooks.spawn.agent import choose_agent
from coffee_hooks.spawn.claim import Job, claim_all
from coffee_hooks.spawn.crew import Crew, check_steps, muster
from coffee_hooks.spawn.launch import WORKTREE_FAILED, launch
from coffee_hooks.spawn.living import count_busy
from coffee_hooks.spawn.lost import release_lost
from coffee_hooks.spawn.prompt import Assignment, assignment
from coffee_hooks.spawn.publish import publish
from coffee_hooks.spawn.report import Skipped, SpawnReport
from coffee_hooks.spawn.room import Room, find_room
from coffee_hooks.spawn.spawn import enlisting
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.store import Store


def crew_for(project: Project, agent: str | None) -> Crew:
    """The agent that is wanted, checked. Raises UsageError or EnvironmentFailure."""
    check_steps(project.config)
    return muster(*choose_agent(project.config, agent))


def plan_of(project: Project, plan: Plan, claim: Claim) -> Plan:
    """*plan*, or that of the list of tasks that *claim* was made from. Raises UsageError when that is gone."""
    if is_of(claim.task, claim.roadmap, plan.roadmap):
        return plan
    return read_plan(replace(project, config=replace(project.config, roadmap=claim.roadmap)), plan.base)


def brief(project: Project, plan: Plan, claim: Claim, failure: Failure, target: Sha) -> Assignment:
    """What the agent of *claim* is told about *failure*; of a conflict with *target* also the way out of it."""
    plan = plan_of(project, plan, claim)
    if failure.code != CONFLICT:
        return assignment(plan, claim.task, failure.feedback)
    base = merge_base(project.repo, target, claim.branch)
    told = with_history(failure, project.config.target, target, base)
    return assignment(plan, claim.task, told.feedback, target)


def brief_plan(project: Project, plan: Plan, job: Job) -> Assignment:
    """What the agent of a first attempt is told."""
    return assignment(plan_of(project, plan, job.claim), job.claim.task, job.claim.reason)


def select(project: Project, store: Store, names: Sequence[str], most: int | None) -> tuple[Evaluation, Room]:
    """What evaluate selects for the room there is; no place selects nothing."""
    room = find_room(project, store, most)
    return evaluate(project, names, limit=room.places or None), room


def spawn_tasks(
    project: Project, store: Store, names: Sequence[str], agent: str | None, most: int | None
) -> SpawnReport:
    """Start what evaluate selects among *names*, or among all planned items; the named others get their reason.

    What a killed spawn left is brought to its end first. Evaluating and claiming happen under one lock: two that
    spawn at the same time never start tasks that collide. Raises what `crew_for` and `launch` raise, LockedError.
    """
    if project.config.shared:
        fetch(project)
    with enlisting(project, store, find_room(project, store, most).places) as (proof, found):
        release_lost(project, proof)
        evaluation, room = select(project, store, names, most)
        chosen: Sequence[TaskId] = evaluation.selected if room.places else ()
        if not names:
            busy = count_busy(project.repo.state_dir, store)
            chosen = startable(chosen, read_claims(project.repo), busy)
        crew = crew_for(project, agent) if found or chosen else None
        claimed, skipped = claim_all(project, evaluation.base, evaluation.roadmap, chosen, proof)
        jobs, late = publish(project, claimed)
        remember_predictions(store, evaluation, [job.claim for job in jobs])
        skipped += late
    if crew is None and not names:
        return SpawnReport((), ())
    plan = read_plan(project, evaluation.base)
    report = SpawnReport((), ())
    if crew is not None:
        report = launch(project, store, [*found, *jobs], crew, lambda job: brief_plan(project, plan, job))
    told = (*report.skipped, *skipped)
    answered = {each.task for each in report.spawned} | {each.task for each in told}
    return SpawnReport(report.spawned, (*told, *left_out(evaluation, plan, names, answered, room)))


def left_out(
    evaluation: Evaluation, plan: Plan, names: Sequence[str], answered: Collection[TaskId], room: Room
) -> list[Skipped]:
    """Why the tasks *names* that are not *answered* yet were not selected. Pure."""
    asked = dict.fromkeys(resolve_task(name, plan.items) for name in names)
    waiting = (why_not(evaluation, task, room) for task in asked if task not in answered)
    return [why for why in waiting if why]


def startable(selected: Sequence[TaskId], claims: Mapping[TaskId, Claim], running: int) -> Sequence[TaskId]:
    """*selected* without the tasks whose worktree could not be made: each is tried alone once nobody runs. Pure."""
    troubled = [task for task in selected if _troubled(claims.get(task))]
    sound = [task for task in selected if task not in troubled]
    return sound if sound or running else troubled[:1]


def _troubled(claim: Claim | None) -> bool:
    return claim is not None and claim.state is ClaimState.RELEASED and claim.reason == WORKTREE_FAILED


def why_not(evaluation: Evaluation, task: TaskId, room: Room) -> Skipped | None:
    """Why *task* was not selected for *room*; None when it was, or was not evaluated. Pure."""
    verdict = evaluation.verdict(task)
    if verdict is None or (room.places and task in evaluation.selected):
        return None
    if verdict.standing is Standing.RUNNING:
        return Skipped(task, "claimed", "it is claimed already; see: coffee status")
    if verdict.standing is Standing.COMPLETE:
        return Skipped(task, "complete", "it is complete")
    if verdict.blocked_by:
        return Skipped(task, "dependency", f"waits for {', '.join(verdict.blocked_by)}")
    if room.crowded:
        return Skipped(task, "no-room", room.crowded)
    if not room.places:
        return Skipped(task, "limit", "as many agents run as agent.max-parallel allows")
    if verdict.collides_with:
        return Skipped(task, "collision", f"collides with {', '.join(verdict.collides_with)}")
    if verdict.footprint.scope is Scope.UNKNOWN:
        return Skipped(task, "not-independent", "it does not say which files it changes, so it runs alone")
    reason = reasons.why_not(evaluation)[task][0]
    if reason == reasons.past_the_limit(task):
        return Skipped(task, "limit", "as many as may run were chosen before it")
    return Skipped(task, "not-independent", reason.text)
