"""Write the native hooks beside whatever is there, read them back, and take them away again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.guard.cfr_013 import DEFAULT_TARGET, HEADS, quoted, visible
from coffee_hooks.guard.plumbing import git_at, line_of
from coffee_hooks.guard.scripts import STANDARD, Hook, Program, is_framework, is_ours, script


class Outcome(Enum):
    """What was done to one hook."""

    WRITTEN = "written"
    KEPT = "kept"
    REMOVED = "removed"
    RESTORED = "restored"


class HookFile(NamedTuple):
    """One hook file of ours after the call; ``chained`` is the foreign hook that runs behind it."""

    hook: Hook
    path: Path
    outcome: Outcome
    chained: Path | None = None


class Installation(NamedTuple):
    """The hook files, and what a person should know although it stops nothing."""

    files: tuple[HookFile, ...]
    warnings: tuple[str, ...]


class Slot(NamedTuple):
    """Where our file of one hook belongs, what is there now (None: nothing), and where a foreign one is kept."""

    hook: Hook
    path: Path
    content: bytes | None
    chained: Path

    @property
    def ours(self) -> bool:
        """Whether our script is there already."""
        return self.content is not None and is_ours(self.content)


def install(checkout: Path, target: str = DEFAULT_TARGET, hooks: Sequence[Hook] = STANDARD) -> Installation:
    """Write ``hooks`` (and renew ours that are there already) for every worktree of the repository.

    Foreign hooks are kept as ``NAME.coffee-chained`` and run after ours. Nothing is written unless everything can
    be. Raises ``UsageError`` (no worktree, bad target, a ``core.hooksPath`` shared by other repositories, no place
    for a foreign hook) and ``EnvironmentFailure`` (not executable where it was written).
    """
    _check_target(target)
    folder = _own_folder(checkout)
    slots = [slot for hook in Hook if (slot := find_slot(folder, hook)).ours or hook in hooks]
    for slot in slots:
        _check_room(slot)
    folder.mkdir(parents=True, exist_ok=True)
    program = _program()
    files = tuple(_write(slot, script(slot.hook, target, program)) for slot in slots)
    return Installation(files, tuple(_blind_worktrees(checkout, hooks)))


def uninstall(checkout: Path) -> Installation:
    """Remove our hooks and put the foreign ones back under their own names; nothing else is touched.

    Raises ``UsageError`` outside a worktree.
    """
    folder = hooks_folder(checkout)
    slots = [find_slot(folder, hook) for hook in Hook]
    files = tuple(_remove(slot) for slot in slots if slot.ours or (slot.content is None and _there(slot.chained)))
    stranded = [slot for slot in slots if not slot.ours and slot.content is not None and _there(slot.chained)]
    return Installation(files, tuple(_stays(slot) for slot in stranded))


def active_hooks(checkout: Path) -> tuple[Hook, ...]:
    """The hooks of ours that git would run in this very worktree. Raises ``UsageError`` outside a worktree."""
    folder = hooks_folder(checkout)
    return tuple(hook for hook in Hook if _is_active(find_slot(folder, hook)))


def hooks_folder(checkout: Path) -> Path:
    """The absolute folder in which git looks for the hooks of this worktree (``core.hooksPath`` or the common one)."""
    top = Path(line_of(git_at(checkout, "rev-parse", "--show-toplevel")))
    return Path(line_of(git_at(top, "rev-parse", "--path-format=absolute", "--git-path", "hooks")))


def find_slot(folder: Path, hook: Hook) -> Slot:
    """Where ours belongs: the hook itself, or ``NAME.legacy`` below a framework that would move it there anyway."""
    path = folder / hook.value
    content = _content(path)
    if content is not None and is_framework(content):
        path = folder / f"{hook.value}.legacy"
        content = _content(path)
    return Slot(hook, path, content, folder / hook.chained)


def _own_folder(checkout: Path) -> Path:
    folder = hooks_folder(checkout)
    shown = git_at(checkout, "config", "--show-scope", "--get", "core.hooksPath").stdout
    scope = os.fsdecode(shown).partition("\t")[0]
    if scope not in ("", "local", "worktree"):
        common = line_of(git_at(checkout, "rev-parse", "--path-format=absolute", "--git-common-dir"))
        raise UsageError(
            f"core.hooksPath comes from the {scope} configuration: hooks in {visible(str(folder))} would guard"
            " other repositories too",
            hint=f"git config --local core.hooksPath {visible(quoted(common + '/hooks'))}",
        )
    return folder


def _check_target(target: str) -> None:
    if target.startswith("-") or git_at(Path(), "check-ref-format", HEADS + target).returncode:
        raise UsageError(f"{visible(target)} is no branch name", hint=f"--target {DEFAULT_TARGET}")


def _check_room(slot: Slot) -> None:
    if slot.content is not None and not slot.ours and _there(slot.chained):
        raise UsageError(
            f"{visible(str(slot.path))} is a foreign hook and {slot.chained.name} keeps another one already",
            hint=f"join the two, or move one away: mv {visible(quoted(str(slot.chained)))} ELSEWHERE",
        )


def _program() -> Program:
    if not sys.executable:
        raise EnvironmentFailure("Python does not know its own path", hint="run coffee-hook from a virtual environment")
    return Program(str(Path(sys.executable).absolute()), str(Path(__file__).resolve().parents[2]))


def _write(slot: Slot, text: str) -> HookFile:
    data = os.fsencode(text)
    outcome = Outcome.KEPT if slot.content == data and os.access(slot.path, os.X_OK) else Outcome.WRITTEN
    if slot.content is not None and not slot.ours:
        slot.path.rename(slot.chained)
    if outcome is Outcome.WRITTEN:
        new = slot.path.with_name(f"{slot.path.name}.coffee-new")
        new.write_bytes(data)
        new.chmod(0o755)
        new.replace(slot.path)
    if _content(slot.path) != data or not os.access(slot.path, os.X_OK):
        raise EnvironmentFailure(
            f"{visible(str(slot.path))} cannot be executed where it was written",
            hint="allow execution there, or: git config core.hooksPath FOLDER",
        )
    return HookFile(slot.hook, slot.path, outcome, slot.chained if _there(slot.chained) else None)


def _remove(slot: Slot) -> HookFile:
    if _there(slot.chained):
        slot.chained.replace(slot.path)
        return HookFile(slot.hook, slot.path, Outcome.RESTORED)
    slot.path.unlink()
    return HookFile(slot.hook, slot.path, Outcome.REMOVED)


def _stays(slot: Slot) -> str:
    return f"{visible(str(slot.chained))} stays: another hook is at {visible(str(slot.path))}"


def _blind_worktrees(checkout: Path, hooks: Sequence[Hook]) -> list[str]:
    """One warning for each worktree of the repository in which git would not run the hooks just written."""
    relative = git_at(checkout, "config", "--get", "core.hooksPath").stdout
    warnings = []
    if relative and not relative.startswith((b"/", b"~")):
        folder = visible(quoted(str(hooks_folder(checkout))))
        warnings.append(
            "core.hooksPath is relative: each linked worktree looks for hooks in a folder of its own and runs none"
            f" where it is missing; to share these: git config core.hooksPath {folder}"
        )
    blind = [tree for tree in _worktrees(checkout) if not set(hooks) <= set(active_hooks(tree))]
    return [*warnings, *(f"the hooks do not run in worktree {visible(str(tree))}" for tree in blind)]


def _worktrees(checkout: Path) -> list[Path]:
    listed = os.fsdecode(git_at(checkout, "worktree", "list", "--porcelain", "-z").stdout).split("\0\0")
    records = [record.split("\0") for record in listed if record]
    trees = [Path(lines[0].removeprefix("worktree ")) for lines in records if "bare" not in lines]
    return [tree for tree in trees if (tree / ".git").exists()]


def _is_active(slot: Slot) -> bool:
    return slot.ours and os.access(slot.path, os.X_OK)


def _content(path: Path) -> bytes | None:
    """The bytes of a hook; empty where something is there that cannot be read, None where nothing is."""
    if not _there(path):
        return None
    return path.read_bytes() if path.is_file() else b""


def _there(path: Path) -> bool:
    return os.path.lexists(path)
