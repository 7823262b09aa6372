"""The user's hooks: a command that gets what is known as JSON on stdin, and must end in time.

Whoever calls decides what a failure means: before a step it stops that step, after one it is only written down.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from coffee_hooks.base.config import Command, Hooks
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.output import SCHEMA
from coffee_hooks.base.placeholders import fill
from coffee_hooks.base.process import End, Ended, run
from coffee_hooks.base.text import one_line, printable

LONGEST_LOG = 1 << 20
"""Bytes; a log of hooks that is longer begins anew."""


class Point(Enum):
    """Where a hook runs; the value is its key in ``hooks:``."""

    AFTER_CREATE = "after-create"
    BEFORE_AGENT = "before-agent"
    AFTER_AGENT = "after-agent"
    BEFORE_MERGE = "before-merge"
    AFTER_MERGE = "after-merge"
    BEFORE_REMOVE = "before-remove"
    NOTIFY = "notify"

    def command(self, hooks: Hooks) -> Command:
        """What is configured for it; nothing, mostly."""
        found: Command = getattr(hooks, self.value.replace("-", "_"))
        return found


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a hook is told, and where it runs: in *cwd*, or in the main checkout *root* where that is not there.

    *more* are facts of this occasion alone; *values* fill placeholders beyond the facts. *environment* are the
    ``COFFEE_*`` variables, those of the facts where there are no others.
    """

    root: Path
    task: str | None
    branch: str
    sha: str | None
    base: str | None
    worktree: Path | None
    log: Path
    cwd: Path | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] | None = None
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The folder that the hook is started in."""
        return self.cwd if self.cwd is not None and self.cwd.is_dir() else self.root


@dataclass(frozen=True, slots=True)
class HookFailure:
    """Why a hook failed, and what to do about it. *answered*: it ran to its end and said no."""

    what: str
    hint: str
    answered: bool


def hook_log(repo: Repo, point: Point) -> Path:
    """Where hooks write that belong to no agent's log."""
    return repo.state_dir / "logs" / "hooks" / f"{point.value}.log"


def run_hook(hooks: Hooks, point: Point, occasion: Occasion) -> HookFailure | None:
    """Run the hook of *point* where there is one; None when there is none or it ended well.

    What it started and left behind is ended with it.
    """
    command = point.command(hooks)
    if not command:
        return None
    try:
        argv = fill(command, {**_values(occasion), **occasion.values})
    except UsageError as wrong:
        return HookFailure(f"hooks.{point.value}: {wrong.what}", wrong.hint, False)
    return run_filled(argv, hooks.timeout, point, occasion)


def run_filled(argv: Command, seconds: float, point: Point, occasion: Occasion) -> HookFailure | None:
    """As :func:`run_hook`, for a command whose placeholders have been filled in."""
    return hand_over(
        argv, seconds, point, payload(point, occasion), about=occasion.branch, cwd=occasion.place,
        environment=_environment(occasion), log=occasion.log,
    )  # fmt: skip


def hand_over(
    argv: Command, seconds: float, point: Point, told: bytes, *, about: str, cwd: Path,
    environment: Mapping[str, str], log: Path,
) -> HookFailure | None:  # fmt: skip
    """Run *argv* with *told* on stdin; *about* names the occasion in *log*."""
    try:
        _begin_log(log, f"--- hooks.{point.value} for {printable(about)}\n")
        ended = run(argv, cwd=cwd, env=for_children(environment), log=log, seconds=seconds, stdin=told)
    except OSError as failed:  # no room for its log, or no more processes
        return HookFailure(f"hooks.{point.value} could not be run: {failed.strerror}", "coffee doctor", False)
    return conclude(point, argv[0], ended, log)


def conclude(point: Point, program: str, ended: Ended, log: Path) -> HookFailure | None:
    """What the end of a hook means; None for a good one. Pure."""
    key, name = f"hooks.{point.value}", one_line(program)
    if ended.end is End.NOT_FOUND:
        return HookFailure(f"{key}: the command {name!r} was not found", f"install it, or change {key}", False)
    if ended.end is End.EXITED and ended.rc == 0:
        return None
    how = f"exit code {ended.rc}" if ended.end is End.EXITED else ended.end.value
    answered = ended.end is End.EXITED and (ended.rc or 0) > 0
    return HookFailure(f"{key} failed ({name}: {how})", f"read {log}", answered)


def payload(point: Point, occasion: Occasion) -> bytes:
    """The JSON object on stdin; null is what nobody knows."""
    worktree = str(occasion.worktree) if occasion.worktree is not None else None
    told = {
        "schema": SCHEMA, "hook": point.value, "task": occasion.task, "branch": occasion.branch, "sha": occasion.sha,
        "base": occasion.base, "worktree": worktree, "root": str(occasion.root), **occasion.more,
    }  # fmt: skip
    return json.dumps(told).encode() + b"\n"


def _values(occasion: Occasion) -> dict[str, str]:
    return {
        "task": occasion.task or "", "branch": occasion.branch, "worktree": str(occasion.worktree or ""),
        "base": occasion.base or "",
    }  # fmt: skip


def _environment(occasion: Occasion) -> Mapping[str, str]:
    if occasion.environment is not None:
        return occasion.environment
    return {
        "COFFEE_TASK_ID": occasion.task or "", "COFFEE_BRANCH": occasion.branch,
        "COFFEE_WORKTREE": str(occasion.worktree or ""), "COFFEE_ROOT": str(occasion.root),
        "COFFEE_BASE_SHA": occasion.base or "",
    }  # fmt: skip


def _begin_log(log: Path, line: str) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    shared = log.parent.name == "hooks"  # an agent's log belongs to its agent
    with contextlib.suppress(FileNotFoundError):
        if shared and log.stat().st_size > LONGEST_LOG:
            log.unlink()
    with log.open("a", encoding="utf-8", errors="replace") as sink:
        sink.write(f"{line[:-1]}, {time.strftime('%Y-%m-%d %H:%M:%S')}\n" if shared else line)
