"""``coffee spawn`` as it is typed: here, on this machine or on GitHub."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.evaluate.evaluate import evaluate
from coffee_hooks.loop.dispatch import WORKFLOW, dispatch_tasks
from coffee_hooks.loop.exchange import catch_up, tell_others
from coffee_hooks.loop.here import ended_well, spawn_here
from coffee_hooks.loop.work import crew_for, select, spawn_tasks
from coffee_hooks.spawn.report import Skipped, SpawnReport
from coffee_hooks.state.agent_state import what_agents_do
from coffee_hooks.state.store import Store, open_store

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class SpawnAsk:
    """``coffee spawn`` as typed."""

    tasks: tuple[str, ...]
    agent: str | None
    most: int | None
    wait: bool
    dry_run: bool
    here: bool = False
    on: str = "local"


def spawn_for(start: Path, ask: SpawnAsk) -> int:
    """Answer ``coffee spawn``."""
    project = open_project(start)
    with open_store(project.repo.state_dir) as store:
        if ask.on == "github" and not ask.dry_run:
            return _dispatch(project, store, ask)
        if ask.here and not ask.dry_run:
            report = spawn_here(project, store, ask.tasks[0], ask.agent)
            output.answer_json("spawn", _spawn_json(report))
            _tell_spawned(report)
            return 0 if ended_well(project, report) else 1
        if ask.dry_run:
            changes = _rehearse(project, store, ask)
            output.answer_json("spawn", {"spawned": [], "skipped": [], "changes": changes})
            output.answer("\n".join(f"would {change}" for change in changes) or "would start nothing")
            return 0
        report = spawn_tasks(project, store, ask.tasks, ask.agent, ask.most)
        if ask.wait:
            names = {spawned.branch for spawned in report.spawned}
            while any(d.running for b, d in what_agents_do(project.repo.state_dir, store).items() if b in names):
                time.sleep(LOOK_SECONDS)
            tell_others(project)
    output.answer_json("spawn", _spawn_json(report))
    _tell_spawned(report)
    if not report.spawned and not report.skipped:
        output.answer("nothing to start")
    return 1 if ask.tasks and report.skipped else 0


def _rehearse(project: Project, store: Store, ask: SpawnAsk) -> list[str]:
    """What would be done, in order."""
    catch_up(project)
    if ask.on == "github":
        evaluation = evaluate(project, ask.tasks, limit=ask.most)
        claims = [f"claim {task} for a runner of GitHub and push the claim" for task in evaluation.selected]
        return [*claims, *([f"start {WORKFLOW} on {project.config.target} there"] if claims else [])]
    evaluation, room = select(project, store, ask.tasks, ask.most)
    crew = crew_for(project, ask.agent)
    where = "switch this checkout to it" if ask.here else f"a worktree for it below {project.worktrees_root}"
    return [
        change
        for task in (evaluation.selected if room.places else ())
        for change in (f"claim {task}, make a branch and {where}", f"start {crew.name} there")
    ]


def _dispatch(project: Project, store: Store, ask: SpawnAsk) -> int:
    claims, skipped = dispatch_tasks(project, store, ask.tasks, ask.most)
    spawned = [{"task": c.task, "branch": c.branch, "base": c.base, "attempt": c.attempt} for c in claims]
    output.answer_json("spawn", {"spawned": spawned, "skipped": _skipped_json(skipped)})
    for claim in claims:
        output.answer(f"{claim.task}: {claim.branch} on {claim.owner.partition(':')[2]}; see: coffee status")
    _tell_skipped(skipped)
    if not claims and not skipped:
        output.answer("nothing to start")
    return 1 if ask.tasks and skipped else 0


def _tell_spawned(report: SpawnReport) -> None:
    for spawned in report.spawned:
        output.answer(f"{spawned.task}: {spawned.branch} in {spawned.worktree} (PID {spawned.pid}, log {spawned.log})")
    _tell_skipped(report.skipped)


def _tell_skipped(skipped: Sequence[Skipped]) -> None:
    for each in skipped:
        output.answer(f"{each.task}: not started ({each.reason}): {each.detail}")


def _skipped_json(skipped: Sequence[Skipped]) -> list[dict[str, str]]:
    return [{"task": s.task, "reason": s.reason, "detail": s.detail} for s in skipped]


def _spawn_json(report: SpawnReport) -> dict[str, object]:
    return {
        "spawned": [
            {"task": s.task, "branch": s.branch, "worktree": str(s.worktree), "base": s.base, "pid": s.pid,
             "agent": s.agent, "log": str(s.log), "attempt": s.attempt}
            for s in report.spawned
        ],
        "skipped": _skipped_json(report.skipped),
    }  # fmt: skip
