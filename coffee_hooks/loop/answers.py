"""The steps as they are typed: open the project, do the step, print the answer, return the exit code."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.actions import tell_actions
from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.remove import cleanup, preview
from coffee_hooks.cleanup.report import cleanup_json, parked_json, restored_json
from coffee_hooks.cleanup.restore import apply_restore, list_parked, plan_restore
from coffee_hooks.cleanup.values import CleanupReport, Outcome, RemotePolicy, Waive
from coffee_hooks.evaluate import backtest_report
from coffee_hooks.evaluate import report as evaluation_report
from coffee_hooks.evaluate.evaluate import Selection, evaluate
from coffee_hooks.evaluate.replay import replay
from coffee_hooks.loop.dispatch import WORKFLOW, dispatch_tasks
from coffee_hooks.loop.exchange import catch_up, tell_others
from coffee_hooks.loop.here import ended_well, spawn_here
from coffee_hooks.loop.work import crew_for, select, spawn_tasks
from coffee_hooks.merge.verify import verify
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import resolve_task
from coffee_hooks.spawn.report import Skipped, SpawnReport
from coffee_hooks.state.agent_state import what_agents_do
from coffee_hooks.state.store import Store, open_store

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Question:
    """``coffee evaluate`` as typed."""

    tasks: tuple[str, ...]
    every: bool
    limit: int | None
    risk: float | None
    explain: tuple[str, str] | None
    format: str
    backtest: int | None = None
    """How many tasks of the past to replay instead."""


def evaluate_for(start: Path, question: Question) -> int:
    """Answer ``coffee evaluate``."""
    project = open_project(start)
    if question.backtest is not None:
        return _backtest(project, question.backtest, question.format)
    catch_up(project)
    selection = Selection.EVERY_PLANNED if question.every else Selection.WITH_SPEC
    names = question.explain or question.tasks
    found = evaluate(project, names, selection=selection, limit=question.limit, risk=question.risk)
    output.answer_json("evaluate", evaluation_report.to_json(found))
    if question.explain:
        items = read_plan(project, found.base).items
        one, other = (resolve_task(name, items) for name in question.explain)
        output.answer(evaluation_report.explain(found, one, other))
    elif question.format == "mermaid":
        output.answer(evaluation_report.to_mermaid(found))
    elif question.format == "github":
        outputs, summary = evaluation_report.to_github(found)
        tell_actions(outputs, summary)
        output.answer(evaluation_report.to_text(found))
    else:
        output.answer(evaluation_report.to_text(found))
    for warning in found.warnings:
        output.say(f"warning: {printable(str(warning))}")
    return 0


def _backtest(project: Project, most: int, form: str) -> int:
    head = read_target(project).sha
    found = replay(project, head, most)
    output.answer_json("evaluate", {"base": head, "backtest": backtest_report.to_json(found)})
    output.answer(backtest_report.to_svg(found) if form == "svg" else backtest_report.to_text(found))
    return 0


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
    evaluation, places = select(project, store, ask.tasks, ask.most)
    crew = crew_for(project, ask.agent)
    where = "switch this checkout to it" if ask.here else f"a worktree for it below {project.worktrees_root}"
    return [
        change
        for task in (evaluation.selected if places else ())
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


@dataclass(frozen=True, slots=True)
class CleanupAsk:
    """``coffee cleanup`` as typed; *remote* None is what the configuration says."""

    branches: tuple[str, ...]
    remote: bool | None
    force: bool
    force_delete: bool
    dry_run: bool


def cleanup_for(start: Path, ask: CleanupAsk) -> int:
    """Answer ``coffee cleanup``."""
    project = open_project(start)
    wanted = project.config.cleanup.remote if ask.remote is None else ask.remote
    policy = RemotePolicy.DELETE if wanted else RemotePolicy.KEEP
    waive = (Waive.DIRTY if ask.force else Waive.NOTHING) | (Waive.UNMERGED if ask.force_delete else Waive.NOTHING)
    with open_store(project.repo.state_dir) as store:
        if ask.dry_run:
            report = preview(plan_cleanup(project, ask.branches, waive=waive, remote=policy, store=store))
        else:
            report = cleanup(project, ask.branches, waive=waive, remote=policy, store=store)
            tell_others(project)
    output.answer_json("cleanup", cleanup_json(report))
    output.answer(_cleanup_text(report))
    kept = any(r.named and r.outcome is not Outcome.REMOVED for r in report.results)
    return 1 if kept and not ask.dry_run else 0


def _cleanup_text(report: CleanupReport) -> str:
    lines = []
    for result in report.results:
        lines.append(
            f"{printable(result.branch)}: {result.outcome.value}" + (f" ({result.detail})" if result.detail else "")
        )
        if result.backup:
            lines.append(f"    parked; bring it back with: coffee restore {printable(result.branch)}")
        if result.hint and result.outcome is not Outcome.REMOVED:
            lines.append(f"    -> {result.hint}")
    if report.forgotten:
        lines.append(f"old verdicts of the gate forgotten: {len(report.forgotten)}")
    lines += [f"would {change}" for change in report.changes or ()]
    return "\n".join(lines) or "nothing to clean up"


def restore_for(start: Path, branch: str | None, dry_run: bool) -> int:
    """Answer ``coffee restore``."""
    project = open_project(start)
    if branch is None:
        graves = list_parked(project)
        output.answer_json("restore", parked_json(graves))
        output.answer("\n".join(f"{printable(g.branch)}  #{g.number}" for g in graves) or "nothing is parked")
        return 0
    plan = plan_restore(project, branch)
    if dry_run:
        output.answer(f"would bring back {printable(branch)} at {plan.sha[:12]} in {plan.path}")
        return 0
    restored = apply_restore(plan)
    output.answer_json("restore", restored_json(restored))
    output.answer(f"{printable(restored.branch)}: {restored.detail}, in {restored.worktree}")
    return 0


def verify_for(start: Path, since: str | None) -> int:
    """Answer ``coffee verify``."""
    checked = verify(open_project(start), since)
    rows = [
        {
            "sha": c.sha,
            "tree": c.tree,
            "by": "other" if c.proof.value == "other" else "coffee",
            "verdict": c.proof.value,
        }
        for c in checked
    ]
    output.answer_json("verify", {"commits": rows})
    for c in checked:
        output.answer(f"{c.sha[:12]}  {c.proof.value:<10}  {one_line(c.subject, 80)}")
    bad = [c for c in checked if not c.good]
    if bad:
        raise RuleError(
            f"{len(bad)} commit(s) claim to be landings of ours but are not in the record as they are",
            hint=f"look at: git show {bad[0].sha[:12]}",
        )
    return 0
