"""From what evaluate selected to agents at work."""

from __future__ import annotations

from collections.abc import Sequence

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.evaluate.evaluate import evaluate
from coffee_hooks.evaluate.verdicts import Evaluation, Standing
from coffee_hooks.sources.plan import Plan, read_plan
from coffee_hooks.spawn.agent import choose_agent
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.spawn import Crew, Skipped, SpawnReport, muster, spawn
from coffee_hooks.state.agent_state import what_agents_do
from coffee_hooks.state.store import Store


def assignment(plan: Plan, task: TaskId, feedback: str | None = None) -> Assignment:
    """What the agent of *task* is told."""
    item = plan.item(task)
    spec = plan.specs.get(task)
    return Assignment(
        task, item.title if item else "", item.text if item else "", spec.path if spec else None,
        spec.text if spec else "", feedback,
    )  # fmt: skip


def crew_for(project: Project, agent: str | None) -> Crew:
    """The agent that is wanted, checked. Raises UsageError or EnvironmentFailure."""
    return muster(*choose_agent(project.config, agent))


def free_places(project: Project, store: Store, most: int | None) -> int:
    """How many more agents may run here."""
    running = sum(doing.running for doing in what_agents_do(project.repo.state_dir, store).values())
    return max(0, (most if most is not None else project.config.agent.max_parallel) - running)


def select(project: Project, store: Store, names: Sequence[str], most: int | None) -> tuple[Evaluation, int]:
    """What evaluate selects for the free places, and how many those are; no place selects nothing."""
    places = free_places(project, store, most)
    return evaluate(project, names, limit=places or None), places


def spawn_tasks(
    project: Project, store: Store, names: Sequence[str], agent: str | None, most: int | None
) -> SpawnReport:
    """Start what evaluate selects among *names*, or among all planned items; the named others with their reason."""
    crew = crew_for(project, agent)
    evaluation, places = select(project, store, names, most)
    selected = evaluation.selected if places else ()
    report = start(project, store, evaluation.base, selected, crew)
    answered = {*(s.task for s in report.spawned), *(s.task for s in report.skipped)}
    waiting = [] if not names else [_why_not(evaluation, v.task, places) for v in evaluation.verdicts]
    return SpawnReport(report.spawned, (*report.skipped, *(s for s in waiting if s and s.task not in answered)))


def _why_not(evaluation: Evaluation, task: TaskId, places: int) -> Skipped | None:
    verdict = evaluation.verdict(task)
    if verdict is None or (places and task in evaluation.selected):
        return None
    if verdict.standing is Standing.RUNNING:
        return Skipped(task, "claimed", "it is claimed already; see: coffee status")
    if verdict.standing is Standing.COMPLETE:
        return Skipped(task, "complete", "it is complete")
    if verdict.blocked_by:
        return Skipped(task, "dependency", f"waits for {', '.join(verdict.blocked_by)}")
    if not places:
        return Skipped(task, "limit", "as many agents run as agent.max-parallel allows")
    if verdict.collides_with:
        return Skipped(task, "collision", f"collides with {', '.join(verdict.collides_with)}")
    return Skipped(task, "not-independent", "it does not say which files it changes, so it runs alone")


def start(project: Project, store: Store, base: Sha, selected: Sequence[TaskId], crew: Crew) -> SpawnReport:
    """Start the selected tasks at *base*; nothing selected starts nothing."""
    if not selected:
        return SpawnReport((), ())
    plan = read_plan(project, base)
    return spawn(project, store, base, [assignment(plan, task) for task in selected], crew)
