"""The user's hook behind an agent: how it ends is written into the log and changes nothing."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from coffee_hooks.base.config import Command
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.user_hooks import Occasion, Point, run_filled
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.order import Order


def run_after(order: Order, command: Command, reason: EndReason, code: int | None) -> None:
    """Run *command*, its placeholders filled in, in the environment that the agent had."""
    root, worktree = Path(os.environ.get("COFFEE_ROOT") or order.common_dir), Path(order.worktree)
    more = {"attempt": order.attempt, "reason": reason.value, "exit_code": code, "spec": os.getenv("COFFEE_SPEC")}
    occasion = Occasion(
        root, order.task, order.branch, _tip(order), os.environ.get("COFFEE_BASE_SHA"), worktree,
        Path(order.log), worktree, more, os.environ,
    )  # fmt: skip
    failure = run_filled(command, order.hook_timeout, Point.AFTER_AGENT, occasion)
    if failure is not None:
        with contextlib.suppress(OSError), Path(order.log).open("a", encoding="utf-8", errors="replace") as log:
            log.write(f"--- {failure.what}\n")


def _tip(order: Order) -> Sha | None:
    folder = Path(order.common_dir)
    try:
        return resolve_commit(Repo(folder, folder, folder), f"refs/heads/{order.branch}")
    except (CoffeeError, OSError):  # no branch and no git is a thing to tell the hook, not to fail by
        return None
