"""What differs in a worktree from the user's own checkout, said once, because agents cannot tell."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.guard.install import active_hooks, hooks_folder
from coffee_hooks.spawn.kit import Kit


def narrate_surprises(project: Project, made: Sequence[Kit]) -> None:
    """Say what the new worktrees lack; nothing of it stops an agent."""
    if made:
        with contextlib.suppress(CoffeeError):
            _narrate(project, made)


def _narrate(project: Project, made: Sequence[Kit]) -> None:
    first = made[0].worktree
    settings = _settings(project.repo.main)
    relative = settings.get("core.hookspath", "")
    if relative and not relative.startswith(("/", "~")):
        for kit in made:
            for words in _blind(project.repo.main, kit.worktree):
                output.say(f"warning: {words}")
    if (first / ".gitmodules").is_file() and not project.config.worktrees.setup:
        output.say(
            "warning: submodules are not checked out in worktrees; set"
            " worktrees.setup: [git, submodule, update, --init, --recursive]"
        )
    if _wants_lfs(first) and not any(key.startswith("filter.lfs.") for key in settings):
        output.say(
            "warning: this repository uses Git LFS and git-lfs is not set up: agents see pointers; git lfs install"
        )


def _settings(main: Path) -> dict[str, str]:
    """What the user configured; our own ``-c core.hooksPath`` has the scope ``command``."""
    pattern = r"^(core\.hookspath|filter\.lfs\..*)$"
    said = in_worktree(main, "config", "-z", "--show-scope", "--get-regexp", pattern, ok=(0, 1)).records
    pairs = [entry.partition("\n") for scope, entry in zip(said[::2], said[1::2], strict=True) if scope != "command"]
    return {key: value for key, _, value in pairs}


def _wants_lfs(worktree: Path) -> bool:
    try:
        return b"filter=lfs" in (worktree / ".gitattributes").read_bytes()
    except OSError:
        return False


def _blind(main: Path, worktree: Path) -> Iterator[str]:
    """A relative core.hooksPath names another folder in each worktree, which may not be there."""
    place = printable(str(worktree))
    if hooks_folder(main).is_dir() and not hooks_folder(worktree).is_dir():
        yield f"no git hooks run in {place}: core.hooksPath is relative and names nothing there"
    elif missing := [hook.value for hook in active_hooks(main) if hook not in active_hooks(worktree)]:
        yield f"these hooks of coffee do not run in {place}: {', '.join(missing)}; coffee doctor"
