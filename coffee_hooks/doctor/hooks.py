"""Do the hooks run in every worktree? A hook that silently does not run guards nothing."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.project import Project
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.doctor.values import Check, fine, several, wrong
from coffee_hooks.guard.cfr_013 import DEFAULT_TARGET
from coffee_hooks.guard.install import active_hooks, find_slot, hooks_folder
from coffee_hooks.guard.scripts import STANDARD, Hook, is_framework
from coffee_hooks.init import pre_commit

INSTALL = "coffee init --hooks"


@dataclass(frozen=True, slots=True)
class Guarding:
    """What git would run in one worktree.

    *silent* are hooks of ours that git would not run, *framework* the silent ones that pre-commit runs for us,
    *outdated* says why ours would not do their work. *ours* tells that at least one file of ours is in *folder*.
    """

    worktree: Path
    folder: Path
    ours: bool
    silent: tuple[Hook, ...]
    framework: tuple[Hook, ...]
    outdated: str | None

    @property
    def unguarded(self) -> tuple[Hook, ...]:
        """The hooks that nobody runs."""
        return tuple(hook for hook in self.silent if hook not in self.framework)


def look_at_hooks(project: Project) -> tuple[Guarding, ...]:
    """Every worktree that git still finds in its folder, the main one first."""
    _, *linked = list_worktrees(project.repo)  # what git lists as the main one is wrong for a submodule
    trees = [project.repo.main, *(tree.path for tree in linked if tree.points_back)]
    return tuple(_look(tree, project.config.target) for tree in trees)


def check_hooks(repo: Repo, seen: Sequence[Guarding]) -> Check:
    """Every hook runs in every worktree, and does what it should. Pure but for the name of the common folder."""
    outdated = next((each.outdated for each in seen if each.outdated), None)
    blind = [each for each in seen if each.unguarded]
    if not blind:
        if outdated:
            return wrong("hooks", outdated, "coffee doctor --fix")
        by_framework = any(each.framework for each in seen)
        return fine(
            "hooks",
            f"CFR-013 is checked in {len(seen)} worktree{'s' * (len(seen) > 1)}"
            + (", by pre-commit, which does not see every ref of a push" if by_framework else ""),
        )
    if not any(each.ours or each.framework for each in seen) and not _installed_unseen(repo, seen):
        return wrong("hooks", "no hooks are installed: git does not check CFR-013 here", INSTALL)
    return wrong("hooks", several([_blindness(each) for each in blind]), _cure(repo, blind))


def _look(tree: Path, target: str) -> Guarding:
    folder, active = hooks_folder(tree), active_hooks(tree)
    slots = [find_slot(folder, hook) for hook in STANDARD]
    silent = tuple(hook for hook in STANDARD if hook not in active)
    reasons = (outdated(slot.content or b"", target) for slot in slots if slot.ours)
    return Guarding(
        tree, folder, any(slot.ours for slot in slots), silent,
        tuple(hook for hook in silent if _framework_runs(tree, folder / hook.value)),
        next((reason for reason in reasons if reason), None),
    )  # fmt: skip


def outdated(content: bytes, target: str) -> str | None:
    """Why a hook file of ours would not do its work: it guards another target, or what it starts is gone."""
    text = os.fsdecode(content)
    named = re.search(r"(?m)--target=(\S+)", text)
    guards = "".join(shlex.split(named[1])) if named else DEFAULT_TARGET
    if guards != target:
        return f"the hooks guard {guards}, but the target is {target}"
    for name, then in (("python", ""), ("package", "/coffee_hooks/hook.py")):
        found = re.search(rf"(?m)^coffee_{name}=(.*)$", text)
        path = "".join(shlex.split(found[1])) + then if found else ""
        if not Path(path).is_file():
            return f"the hooks start {path or 'nothing'}, which is gone"
    return None


def _framework_runs(tree: Path, hook: Path) -> bool:
    try:
        if not is_framework(hook.read_bytes()) or not os.access(hook, os.X_OK):
            return False
        return pre_commit.has_hook((tree / pre_commit.FILE).read_text())
    except (OSError, ValueError, CoffeeError):
        return False


def _installed_unseen(repo: Repo, seen: Sequence[Guarding]) -> bool:
    """Ours are in the common folder, but git looks elsewhere; or a folder that git was told of is not there."""
    common = repo.common_dir / "hooks"
    elsewhere = [each for each in seen if each.folder != common]
    return any(not each.folder.is_dir() for each in elsewhere) or (
        bool(elsewhere) and any(find_slot(common, hook).ours for hook in STANDARD)
    )


def _blindness(each: Guarding) -> str:
    names = ", ".join(hook.value for hook in each.unguarded)
    if not each.folder.is_dir():
        return f"in {each.worktree} no hook runs at all: git looks in {each.folder}, which is not there"
    return f"in {each.worktree} git does not run {names} of {each.folder}"


def _cure(repo: Repo, blind: Sequence[Guarding]) -> str:
    common = repo.common_dir / "hooks"
    if all(each.folder == common for each in blind):
        return INSTALL
    where = shlex.quote(str(common))
    return f"core.hooksPath points elsewhere: git config core.hooksPath {where} && {INSTALL}"
