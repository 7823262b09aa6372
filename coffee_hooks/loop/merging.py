"""``coffee merge`` and ``architect`` as they are typed: what was asked, the answer, the exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import Project, config_at, open_project
from coffee_hooks.base.target import Target, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.landing import MergeReport, check_names, choose, merge_branches
from coffee_hooks.loop.merge_report import to_json, to_text
from coffee_hooks.merge.candidate import Refused, Work, build
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.merge import Depth, Result, Settings
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
    settings = Settings(
        Depth.CHECK if ask.check else Depth.LAND, Pushing.PUSH if ask.push else Pushing.LOCAL, ask.retest
    )
    with open_store(project.repo.state_dir) as store:
        if ask.dry_run:
            report = _dry_run(project, store, ask)
        else:
            report = merge_branches(project, store, ask.branches, settings, wait=ask.wait)
    output.answer_json("merge", to_json(report))
    output.answer(to_text(report))
    return exit_code(report)


def exit_code(report: MergeReport) -> int:
    """0 when every branch ended as asked; 4 when the environment failed; else 1."""
    bad = {result.outcome for result in report.results if not result.good}
    if report.changes is not None:
        bad.discard("skipped")
    return 0 if not bad else 4 if bad == {"error"} else 1


def _dry_run(project: Project, store: Store, ask: Ask) -> MergeReport:
    """What would be tried with the refs as they are here: no gate, no ref, no network."""
    check_names(project, ask.branches)
    target = read_target(project)
    changes: list[str] = []
    results = [
        each if isinstance(each, Result) else _preview(project, target, each, ask, changes)
        for each in choose(project, detect_ready(project, store, target, ask.branches), ask.branches)
    ]
    pushed = None if project.remote is None else False
    return MergeReport(project.config.target, target.sha, target.sha, pushed, tuple(results), changes=tuple(changes))


def _preview(project: Project, target: Target, work: Work, ask: Ask, changes: list[str]) -> Result:
    config = config_at(project.repo, target.sha) or project.config
    built = build(project.repo, target.sha, work, config)
    if isinstance(built, Refused):
        return Result(
            work.branch, work.task, work.tip, built.outcome, reason=built.detail, conflicts=built.conflicts
        )  # fmt: skip
    name, command = printable(work.branch), printable(" ".join(config.gate.command)) or "(no gate is configured)"
    changes.append(f"test tree {built.tree[:12]} of {name} with: {command}")
    if not ask.check:
        there = f" here and on {project.remote}" if project.remote and ask.push else ""
        merge = f"a merge of {work.tip[:12]} ({name})"
        changes.append(f"if green, move {project.config.target}{there} from {target.sha[:12]} to {merge}")
    return Result(work.branch, work.task, work.tip, "skipped", reason="dry run: not tested")
