"""The cleaning step of a round: worktrees and branches whose work has landed."""

from __future__ import annotations

import time
from collections.abc import Sequence

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import EnvironmentFailure, LockedError
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import Point
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import Outcome, RemotePolicy, Removal
from coffee_hooks.loop.moment import NEVER, Moment
from coffee_hooks.notify import received
from coffee_hooks.ready.observe import Readiness
from coffee_hooks.state import notices

AGAIN_SECONDS = 300.0
"""How often branches are looked at again that landed and could not be removed."""


def clean_up(moment: Moment, readiness: Readiness) -> None:
    """Remove what has landed, when the target has moved since the last time."""
    project, memory = moment.project, moment.memory
    if not project.config.cleanup.after_merge or moment.trouble:
        return
    now = read_target(project) if moment.landed else moment.target
    if now == memory.cleaned and time.monotonic() < memory.clean_again:
        return
    if moment.claims or readiness.candidates:
        policy = RemotePolicy.DELETE if project.config.cleanup.remote else RemotePolicy.KEEP
        try:
            report = cleanup(project, (), remote=policy, store=moment.store)
        except LockedError:
            return
        except EnvironmentFailure as failed:
            moment.trouble = failed
            return
        removed = [result for result in report.results if result.outcome is Outcome.REMOVED]
        memory.clean_again = NEVER if len(removed) == len(report.results) else time.monotonic() + AGAIN_SECONDS
        _tell(moment, removed)
        _tell_vetoed(moment, report.results)
    memory.cleaned = now


def _tell_vetoed(moment: Moment, results: Sequence[Removal]) -> None:
    """The user's own hook keeps what has landed: only the user knows what to do about it."""
    key = f"hooks.{Point.BEFORE_REMOVE.value}"
    for result in results:
        if result.outcome.kept and result.detail.startswith(key):
            name = printable(result.branch)
            text = f"{name} has landed, and the hook keeps it: {result.detail}.\n\nNext: {result.hint}"
            moment.notify(f"Kept by a hook: {name}", text, f"kept:{result.branch}:{result.detail}")


def _tell(moment: Moment, removed: Sequence[Removal]) -> None:
    if not removed:
        return
    for result in removed:
        output.say(messages.cleanup_requested(result.branch))
        moment.tell("removed", {"branch": result.branch, "backup": result.backup})
    worktrees = [str(result.worktree) for result in removed if result.worktree]
    if worktrees:
        output.say(messages.removed_worktrees(worktrees))
    for notification in received(moment.store, "orchestrator"):
        if notification.read_at is None and notification.title == "Merge Complete":
            notices.mark_read(moment.store, notification.id, time.time())
    output.say(messages.EXECUTION_COMPLETE)
