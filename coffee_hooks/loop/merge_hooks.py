"""The user's hooks around a landing: one may keep a branch from it, the other hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, config_at
from coffee_hooks.base.target import Target
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import HookFailure, Occasion, Point, hook_log, run_hook
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.merge.candidate import Work
from coffee_hooks.merge.result import Depth, Result, Settings, result_of
from coffee_hooks.state.claims import read_claims

Hear = Callable[[Result], None]

NOTHING: Mapping[str, object] = MappingProxyType({})


def admitted(
    project: Project, target: Target, chosen: Sequence[Work | Result], settings: Settings
) -> list[Work | Result]:
    """*chosen*, where ``hooks.before-merge`` says no to a branch with that answer in its place.

    It is asked once for each branch, before anything is tested; not where nothing lands.
    """
    hooks = _configuration(project, target).hooks
    if settings.depth is Depth.CHECK or not hooks.before_merge:
        return list(chosen)
    known = _known(project)

    def ask(work: Work) -> Work | Result:
        occasion = _occasion(project, Point.BEFORE_MERGE, work, known, target)
        failure = run_hook(hooks, Point.BEFORE_MERGE, occasion)
        return work if failure is None else refused(work, failure)

    return [ask(each) if isinstance(each, Work) else each for each in chosen]


def refused(work: Work, failure: HookFailure) -> Result:
    """The answer for a branch that its hook keeps: ``skipped`` where it said so, ``error`` where it could not. Pure."""
    outcome = "skipped" if failure.answered else "error"
    return result_of(work, outcome, reason=printable(failure.what), hint=printable(failure.hint))


def telling(project: Project, target: Target, works: Sequence[Work], tell: Hear) -> Hear:
    """*tell*, after which ``hooks.after-merge`` hears of what landed; its failure is said and changes nothing."""
    hooks = _configuration(project, target).hooks
    if not hooks.after_merge:
        return tell
    known = _known(project)
    of = {(work.branch, work.tip): work for work in works}

    def told(result: Result) -> None:
        tell(result)
        work = of.get((result.branch, result.sha))
        if result.outcome != "landed" or work is None:
            return
        more = {"merge_commit": result.merge_commit}
        occasion = _occasion(project, Point.AFTER_MERGE, work, known, target, more)
        failure = run_hook(hooks, Point.AFTER_MERGE, occasion)
        if failure is not None:
            output.say(f"warning: {printable(failure.what)}; {printable(failure.hint)}")

    return told


class _Known(NamedTuple):
    """What is known of branches: the base of each claim, and where each is checked out."""

    bases: Mapping[str, Sha]
    worktrees: Mapping[str, Path]


def _known(project: Project) -> _Known:
    bases = {claim.branch: claim.base for claim in read_claims(project.repo).values()}
    trees = {tree.branch: tree.path for tree in list_worktrees(project.repo) if tree.branch and not tree.missing}
    return _Known(bases, trees)


def _occasion(
    project: Project, point: Point, work: Work, known: _Known, target: Target, more: Mapping[str, object] = NOTHING
) -> Occasion:
    """It runs in the main checkout: in its worktree it might change what was found ready."""
    facts = {"target": project.config.target, "target_sha": target.sha, "reverts": list(work.reverts), **more}
    base, worktree = known.bases.get(work.branch), known.worktrees.get(work.branch)
    log = hook_log(project.repo, point)
    return Occasion(project.repo.main, work.task, work.branch, work.tip, base, worktree, log, more=facts)


def _configuration(project: Project, target: Target) -> Config:
    """That of the target as it is now, as for the gate."""
    return config_at(project.repo, target.sha) or project.config
