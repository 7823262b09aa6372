"""Where worktrees go: a folder that is neither git's nor in the way of the user's own checkout."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath

from coffee_hooks.base import output
from coffee_hooks.base.config import Command
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.leftovers import LEFTOVERS
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.spawn.numbers import folder_name


def worktree_path(project: Project, branch: str) -> Path:
    """Where the worktree of *branch* belongs."""
    return project.worktrees_root / folder_name(branch)


def prepare_root(project: Project) -> None:
    """Make the root of the worktrees; below the checkout it is hidden from git first, so that it dirties nothing.

    Raises UsageError for a root that is the checkout itself or git's own folder, OSError.
    """
    root, main = project.worktrees_root, project.repo.main
    real, real_main = Path(os.path.realpath(root)), Path(os.path.realpath(main))
    if real == real_main or real.is_relative_to(os.path.realpath(project.repo.common_dir)):
        raise UsageError(
            f"worktrees.root must not be {printable(str(root))}", hint="a folder beside it: ../{repo}.worktrees"
        )
    if real.is_relative_to(real_main):
        _hide(project, real.relative_to(real_main).as_posix())
    root.mkdir(parents=True, exist_ok=True)


def hide_leftovers(project: Project, command: Command) -> None:
    """Hide from git what the program of *command* leaves beside its work, which would make every branch dirty."""
    pattern = LEFTOVERS.get(PurePath(command[0]).name)
    if pattern is None or _ignored(project, pattern.replace("*", ".x")):
        return
    exclude = _exclude(project, "left by agents of coffee", pattern)
    output.say(f"{pattern} is listed in {printable(str(exclude))}, so that git ignores what the agent leaves behind")


def _hide(project: Project, name: str) -> None:
    if _ignored(project, f"{name}/wt0"):
        return
    if "\n" in name:
        raise UsageError("the name of worktrees.root has a line break", hint="choose another worktrees.root")
    pattern = "/" + re.sub(r"([\\*?\[\] ])", r"\\\1", name) + "/"
    exclude = _exclude(project, "worktrees of coffee", pattern)
    output.say(
        f"worktrees go below {printable(name)}: it is listed in {printable(str(exclude))} so that git ignores it"
    )


def _ignored(project: Project, name: str) -> bool:
    asked = os.fsencode(name) + b"\0"
    return in_worktree(project.repo.main, "check-ignore", "-z", "--stdin", stdin=asked, ok=(0, 1)).rc == 0


def _exclude(project: Project, why: str, pattern: str) -> Path:
    """Add *pattern* to the ignore file that is this repository's own and in no commit; returns it."""
    exclude = project.repo.common_dir / "info" / "exclude"
    exclude.parent.mkdir(parents=True, exist_ok=True)
    with exclude.open("ab") as file:
        # The user's last line may lack its line break; an empty line means nothing to git.
        file.write(f"\n# {why}\n".encode() + os.fsencode(pattern) + b"\n")
    return exclude
