"""``coffee revert``: what a name means that has landed, and taking it back through the gate of every landing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, config_at, open_project, require_identity
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import is_ancestor, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.landing import MergeReport, settle_all
from coffee_hooks.loop.merge_report import to_json, to_text
from coffee_hooks.loop.merging import exit_code, preview
from coffee_hooks.merge.candidate import Aim, Refused, Work, builder_at
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.recover import recover
from coffee_hooks.merge.result import Depth, Result, Settings
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import is_of, number_key, parse_task_name, resolve_task, task_key
from coffee_hooks.state.landings import Member, read_landings
from coffee_hooks.state.reverts import in_force, taken_back
from coffee_hooks.state.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Ask:
    """What was typed. *wait* is in seconds."""

    name: str
    check: bool = False
    push: bool = True
    retest: bool = False
    dry_run: bool = False
    wait: float = 0.0


def revert_for(start: Path, ask: Ask) -> int:
    """Take the landing of a task back, print the answer, return the exit code."""
    project = open_project(start)
    settings = Settings(
        Depth.CHECK if ask.check else Depth.LAND, Pushing.PUSH if ask.push else Pushing.LOCAL, ask.retest
    )
    if ask.dry_run:
        report = _dry_run(project, ask)
    else:
        with open_store(project.repo.state_dir) as store:
            report = revert_task(project, store, ask.name, settings, wait=ask.wait)
    output.answer_json("revert", to_json(report))
    output.answer(to_text(report))
    return exit_code(report)


def revert_task(project: Project, store: Store, name: str, settings: Settings, *, wait: float = 0.0) -> MergeReport:
    """Take back everything of the task or branch *name* that landed and is in force, as one tested landing.

    Raises LockedError when a merge runs, UsageError for a name that is none or never landed.
    """
    with hold(project.repo, "merge", wait=wait) as proof:
        if settings.pushing is Pushing.PUSH:
            fetch(project)
        target = recover(project, read_target(project), proof)
        chosen = choose_revert(project, target.sha, name)
        return settle_all(project, store, target, [chosen], settings, proof)


def choose_revert(project: Project, target: Sha, name: str) -> Work | Result:
    """What *name* stands for on the commit *target*, or the answer that it was taken back already."""
    landings = read_landings(project.repo)
    everything = [m for each in landings if each.target == project.config.target for m in each.members]
    wanted = _meant(project, target, name, everything)
    there = [m for m in wanted if resolve_commit(project.repo, m.merge_commit)]
    there = [m for m in there if is_ancestor(project.repo, m.merge_commit, target)]
    if not there:
        raise UsageError(f"{printable(name)} has not landed on {project.config.target}", hint="what has: coffee verify")
    known = set(in_force(landings, project.config.target))
    standing = [member for member in there if member in known]
    branches = list(dict.fromkeys(member.branch for member in standing))
    if len(branches) > 1:
        raise UsageError(
            f"{printable(name)} landed from several branches: {', '.join(map(printable, branches))}",
            hint=f"take them back one by one, the last one first: coffee revert {branches[-1]}",
        )
    if standing:
        last, newest_first = standing[-1], tuple(member.merge_commit for member in reversed(standing))
        task = TaskId(last.task) if last.task else None
        return Work(last.branch, last.sha, task, aim=Aim.REVERT, undoes=newest_first, roadmap=last.roadmap)
    last = there[-1]
    gone = taken_back(landings, project.config.target)[last.branch]
    return Result(
        last.branch, last.task, last.sha, "already-landed", merge_commit=gone,
        reason=f"{printable(last.task or last.branch)} was taken back already, by {gone[:12]}",
        hint=f"to land it again: coffee merge {printable(last.branch)}", reverts=last.reverts or (last.merge_commit,),
    )  # fmt: skip


def _meant(project: Project, target: Sha, name: str, members: Sequence[Member]) -> list[Member]:
    """The *members* of the branch or the task *name*. Raises UsageError for a name that is neither."""
    if of_branch := [member for member in members if member.branch == name]:
        return of_branch
    try:
        plan = read_plan(project, target)
        task = resolve_task(name, plan.items)
    except UsageError:  # not in the roadmap any more, or there is none: then what landed under that name
        typed = parse_task_name(name)
        found = [m for m in members if m.task and _is_called(TaskId(m.task), name, typed)]
        if not found or len({m.task for m in found}) > 1:
            raise
        return found
    named = [m for m in members if m.task and task_key(TaskId(m.task)) == task_key(task)]
    return [member for member in named if is_of(task, member.roadmap, plan.roadmap)]


def _is_called(task: TaskId, name: str, named: TaskId | None) -> bool:
    return task_key(task) == task_key(named) if named else task_key(task).number == number_key(name.strip())


def _dry_run(project: Project, ask: Ask) -> MergeReport:
    """What would be tried with the refs as they are here: no gate, no ref, no network."""
    target = read_target(project).sha
    config = config_at(project.repo, target) or project.config
    chosen = choose_revert(project, target, ask.name)
    changes: tuple[str, ...] = ()
    if isinstance(chosen, Work):
        link = builder_at(project.repo, target, config, require_identity(project.repo)).alone(chosen)
        if not isinstance(link, Refused):
            command = printable(" ".join(config.gate.command)) or "(no gate is configured)"
            changes = tuple(_changes(project, chosen, link.after.tree, command, ask))
        chosen = preview(chosen, link if isinstance(link, Refused) else None)
    pushed = None if project.remote is None else False
    return MergeReport(project.config.target, target, target, pushed, (chosen,), changes=changes)


def _changes(project: Project, work: Work, tree: Sha, command: str, ask: Ask) -> Iterator[str]:
    commits = ", ".join(sha[:12] for sha in work.reverts)
    yield f"test tree {tree[:12]}, the target without {commits} ({printable(work.branch)}), with: {command}"
    if not ask.check:
        there = f" here and on {project.remote}" if project.remote and ask.push else ""
        yield f"if green, move {project.config.target}{there} to a commit that reverts {commits}"
