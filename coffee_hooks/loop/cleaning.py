"""``coffee cleanup`` and ``coffee restore`` as they are typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import open_project
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.remove import cleanup, preview
from coffee_hooks.cleanup.report import cleanup_json, parked_json, restored_json
from coffee_hooks.cleanup.restore import apply_restore, list_parked, plan_restore
from coffee_hooks.cleanup.values import CleanupReport, Outcome, RemotePolicy, Waive
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.state.store import open_store


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
        lines.append(f"old verdicts and reviews forgotten: {len(report.forgotten)}")
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
