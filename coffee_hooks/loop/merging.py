"""``coffee merge`` and ``architect`` as they are typed: what was asked, the answer, the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.landing import MergeReport, choose, merge_branches
from coffee_hooks.loop.merge_report import result_lines, to_json, to_text
from coffee_hooks.merge.candidate import Refused, build
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.merge import Depth, Result, Settings, roadmap_path
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.state.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Ask:
    """What was typed. *wait* is in seconds."""

    branches: tuple[str, ...] = ()
    check: bool = False
    push: bool = True
    retest: bool = False
    dry_run: bool = False
    wait: float = 0.0


def merge_for(start: Path, ask: Ask) -> int:
    """Merge, print the answer, return the exit code."""
    project = open_project(start)
    with open_store(project.repo.state_dir) as store:
        if ask.dry_run:
            return _dry_run(project, store, ask)
        settings = Settings(
            Depth.CHECK if ask.check else Depth.LAND, Pushing.PUSH if ask.push else Pushing.LOCAL, ask.retest
        )
        report = merge_branches(project, store, ask.branches, settings, wait=ask.wait)
    output.answer_json("merge", to_json(report))
    output.answer(to_text(report))
    return exit_code(report)


def exit_code(report: MergeReport) -> int:
    """0 when every branch ended as asked; 4 when the environment failed; else 1."""
    if report.good:
        return 0
    outcomes = {result.outcome for result in report.results if not result.good}
    return 4 if outcomes == {"error"} else 1


def _dry_run(project: Project, store: Store, ask: Ask) -> int:
    """Say what would be tried, without a gate, a ref or a push."""
    if ask.push:
        fetch(project)
    target = read_target(project)
    readiness = detect_ready(project, store, target, ask.branches)
    results: list[Result] = []
    for chosen in choose(project, readiness, ask.branches):
        if isinstance(chosen, Result):
            results.append(chosen)
            output.answer("\n".join(result_lines(chosen)))
            continue
        roadmap = roadmap_path(project, project.config, target.sha)
        built = build(project.repo, target.sha, chosen, roadmap, marking=project.config.merge.mark_complete)
        name = printable(chosen.branch)
        if isinstance(built, Refused):
            result = Result(
                chosen.branch, chosen.task, chosen.tip, built.outcome, reason=built.detail, conflicts=built.conflicts
            )
            output.answer("\n".join(result_lines(result)))
        else:
            result = Result(chosen.branch, chosen.task, chosen.tip, "skipped", reason="dry run: not tested")
            where = f" and {project.remote}" if project.remote and ask.push else ""
            output.answer(
                f"{name}: would test tree {built.tree[:12]} with: {' '.join(project.config.gate.command) or '(no gate)'}\n"
                f"{name}: if green, would move {project.config.target}{where} from {target.sha[:12]} to a merge of it"
            )
        results.append(result)
    if not results:
        output.answer("nothing is ready to merge")
    report = MergeReport(project.config.target, target.sha, target.sha, None, 0, tuple(results))
    output.answer_json("merge", to_json(report))
    return 0 if all(r.good or r.outcome == "skipped" for r in results) else 1
