"""``coffee merge`` and ``architect`` as they are typed: what was asked, the answer, the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.actions import tell_actions
from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import Project, config_at, open_project, require_identity
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.landing import MergeReport, check_names, choose, merge_branches
from coffee_hooks.loop.merge_report import to_annotations, to_github, to_json, to_text
from coffee_hooks.merge import record
from coffee_hooks.merge.candidate import Chain, Refused, Work, builder_at
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.result import Depth, Result, Settings
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Ask:
    """What was typed. *wait* is in seconds, *format* is ``text``, ``json`` or ``github``."""

    branches: tuple[str, ...] = ()
    check: bool = False
    push: bool = True
    retest: bool = False
    batch: int | None = None
    jobs: int | None = None
    dry_run: bool = False
    wait: float = 0.0
    record: Path | None = None
    recorded: Path | None = None
    format: str = "text"


def merge_for(start: Path, ask: Ask) -> int:
    """Merge, print the answer, return the exit code."""
    project = open_project(start)
    settings = Settings(
        Depth.CHECK if ask.check else Depth.LAND, Pushing.PUSH if ask.push else Pushing.LOCAL, ask.retest, ask.batch,
        ask.jobs,
    )  # fmt: skip
    if ask.record:
        ask.record.write_text("")  # fails now rather than after the gate
    with open_store(project.repo.state_dir) as store:
        if ask.dry_run:
            report = _dry_run(project, store, ask)
        else:
            recorded = _read(ask.recorded) if ask.recorded else None
            report = merge_branches(project, store, ask.branches, settings, recorded=recorded, wait=ask.wait)
    if ask.record:
        ask.record.write_text(record.write(_record_of(report)), encoding="utf-8")
    output.answer_json("merge", to_json(report))
    output.answer(to_text(report))
    if ask.format == "github":
        output.answer(to_annotations(report))
        tell_actions(*to_github(report))
    return exit_code(report)


def _read(file: Path) -> record.Record:
    """Raises UsageError when there is no record in *file*."""
    try:
        with file.open("rb") as opened:
            return record.read(opened.read(record.LIMIT + 1))
    except OSError as failed:
        raise UsageError(
            f"{printable(str(file))} cannot be read: {failed.strerror}",
            hint="write it with: coffee merge --check --record FILE",
        ) from failed


def _record_of(report: MergeReport) -> record.Record:
    others = (
        record.Other(result.branch, result.sha, result.outcome, result.reason or "")
        for result in report.results
        if result.outcome in record.OUTCOMES
    )
    return record.Record(report.before, report.greens, tuple(others))


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
    config = config_at(project.repo, target.sha) or project.config
    claims = read_claims(project.repo)
    chosen = choose(project, detect_ready(project, store, target, ask.branches, claims), ask.branches, claims)
    builder = builder_at(project.repo, target.sha, config, require_identity(project.repo))
    chain, refused = builder.chain([each for each in chosen if isinstance(each, Work)])
    pushed = None if project.remote is None else False
    return MergeReport(
        project.config.target, target.sha, target.sha, pushed,
        tuple(each if isinstance(each, Result) else preview(each, refused.get(each)) for each in chosen),
        changes=tuple(_changes(project, config, chain, ask)),
    )  # fmt: skip


def preview(work: Work, refused: Refused | None) -> Result:
    """How a dry run tells of *work*: what stands in its way, or that nobody tested it."""
    if refused is None:
        return Result(work.branch, work.task, work.tip, "skipped", reason="dry run: not tested", reverts=work.reverts)
    return Result(
        work.branch, work.task, work.tip, refused.outcome, reason=refused.detail, conflicts=refused.conflicts,
        reverts=work.reverts,
    )  # fmt: skip


def _changes(project: Project, config: Config, chain: Chain, ask: Ask) -> Iterator[str]:
    if not chain.links:
        return
    command = printable(" ".join(config.gate.command)) or "(no gate is configured)"
    names = ", ".join(printable(work.branch) for work in chain.works)
    yield f"test tree {chain.end.tree[:12]} of {names} with: {command}"
    if not ask.check:
        there = f" here and on {project.remote}" if project.remote and ask.push else ""
        tips = ", ".join(f"{work.tip[:12]} ({printable(work.branch)})" for work in chain.works)
        yield f"if green, move {project.config.target}{there} from {chain.base.commit[:12]} to a merge of {tips}"
