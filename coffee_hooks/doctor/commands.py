"""The user's own commands, the reviewer and the hooks: could each be started as it is written?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from coffee_hooks.base.config import FILE, Command
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.placeholders import check_placeholders
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import Point
from coffee_hooks.doctor.values import Check, fine, several, wrong

FACTS = frozenset(("task", "branch", "worktree", "base"))
"""The placeholders that every hook may have."""
_WITH_AGENTS = frozenset((Point.AFTER_CREATE, Point.BEFORE_AGENT, Point.AFTER_AGENT))


def check_review(project: Project) -> Check:
    """The reviewer can be started, and its reports have a place."""
    review = project.config.review
    if review.command is None:
        return fine("review", "no reviewer is configured")
    trouble = _trouble(project, review.command, FACTS | {"spec"})
    if trouble:
        return wrong("review", trouble, f"install it, or change review.command in {FILE}")
    folder = project.repo.main / review.reports if review.reports else project.repo.state_dir
    ground = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not (ground.is_dir() and os.access(ground, os.W_OK)):
        return wrong("review", f"reports cannot be written to {folder}", f"change review.reports in {FILE}")
    return fine("review", printable(" ".join(review.command)))


def check_user_hooks(project: Project) -> Check:
    """Every hook of the user can be started."""
    found = {point: command for point in Point if (command := point.command(project.config.hooks))}
    troubles = list(_hook_troubles(project, found))
    if troubles:
        return wrong("user-hooks", several(troubles), f"install it, or change hooks in {FILE}")
    return fine("user-hooks", several([point.value for point in found]) if found else "no hooks of the user")


def _hook_troubles(project: Project, found: dict[Point, Command]) -> Iterator[str]:
    for point, command in found.items():
        if trouble := _trouble(project, command, _known(point)):
            yield f"hooks.{point.value}: {trouble}"


def _known(point: Point) -> frozenset[str]:
    """The placeholders that a hook may have; a notification is about no branch."""
    if point is Point.NOTIFY:
        return frozenset()
    return FACTS | {"spec", "prompt", "prompt_file"} if point in _WITH_AGENTS else FACTS


def _trouble(project: Project, command: Command, known: frozenset[str]) -> str | None:
    """Why *command* could not be started; None when nothing is known to be wrong."""
    try:
        check_placeholders(command, known)
    except UsageError as wrong_word:
        return wrong_word.what
    program = command[0]
    if "{" in program or shutil.which(program):
        return None
    relative = os.sep in program and not Path(program).is_absolute()
    if relative and (project.repo.main / program).is_file():
        return None
    return f"the command {printable(program)} was not found"
