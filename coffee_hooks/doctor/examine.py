"""``doctor``: what is wrong here, each with the command that cures it."""

from __future__ import annotations

from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.discover import discover, git_version
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure
from coffee_hooks.base.git import OLDEST_GIT, GitFailed
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.text import printable
from coffee_hooks.doctor.commands import check_review, check_user_hooks
from coffee_hooks.doctor.driver import check_driver, look_at_wiring
from coffee_hooks.doctor.hooks import check_hooks, look_at_hooks
from coffee_hooks.doctor.imports import check_imports
from coffee_hooks.doctor.leftovers import check_leftovers, look_for_leftovers
from coffee_hooks.doctor.repair import repair
from coffee_hooks.doctor.setup import (
    check_agents,
    check_config,
    check_disk,
    check_gate,
    check_gitignore,
    check_ignored_env,
    check_remote,
    check_target,
)
from coffee_hooks.doctor.values import Check, fine, refused, wrong
from coffee_hooks.doctor.worktrees import check_worktrees, look_at_worktrees


def examine(start: Path, fix: bool = False) -> tuple[Check, ...]:
    """Every check that can be made for the repository around *start*; with *fix*, after repairing what is ours.

    What cannot be judged (everything behind a shallow clone or a configuration that cannot be read) is left out.
    Raises UsageError where there is no repository with a worktree.
    """
    version = _check_version()
    if not version.ok:
        return (version,)
    try:
        repo = discover(start)
    except GitFailed:
        raise
    except EnvironmentFailure as shallow:
        return (version, refused("shallow", shallow))
    first = (version, fine("shallow", "the whole history is here"))
    try:
        project = open_project(start)
    except CoffeeError as broken:
        last = (check_disk(repo, repo.main.parent), check_ignored_env(repo), check_gitignore(repo))
        return (*first, refused("config", broken), *last)
    if fix:
        for line in repair(project):
            output.say(printable(line))
    return (*first, *_setup(project), *_state(project), *_machine(project))


def _check_version() -> Check:
    found, oldest = git_version(), ".".join(map(str, OLDEST_GIT))
    shown = ".".join(map(str, found))
    if found < OLDEST_GIT:
        return wrong("git-version", f"git {shown} is too old", f"install git {oldest} or newer")
    return fine("git-version", f"git {shown}")


def _setup(project: Project) -> tuple[Check, ...]:
    return (
        check_config(project),
        check_target(project),
        check_gate(project),
        check_agents(project),
        check_review(project),
        check_user_hooks(project),
        check_remote(project),
    )


def _state(project: Project) -> tuple[Check, ...]:
    try:
        leftovers = check_leftovers(look_for_leftovers(project))
    except CoffeeError as unreadable:
        leftovers = (refused("claims", unreadable),)
    hooks = check_hooks(project.repo, look_at_hooks(project))
    driver = check_driver(look_at_wiring(project))
    return (hooks, driver, check_worktrees(look_at_worktrees(project)), *leftovers, check_imports(project))


def _machine(project: Project) -> tuple[Check, ...]:
    repo = project.repo
    return (check_disk(repo, project.worktrees_root), check_ignored_env(repo), check_gitignore(repo))
