"""The cleaning step of a round: worktrees and branches whose work has landed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import EnvironmentFailure, LockedError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import list_refs
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import Outcome, RemotePolicy, Removal
from coffee_hooks.loop.moment import Moment
from coffee_hooks.notify import received
from coffee_hooks.state import notices

Seen = Mapping[str, Sha | None]
"""Refs, with the commit where it matters."""

AGAIN_SECONDS = 300.0
"""How often branches are looked at again that landed and could not be cleaned up."""


def clean_up(moment: Moment) -> None:
    """Remove what has landed, when the target or the set of branches has changed since the last time."""
    project, memory = moment.project, moment.memory
    if not project.config.cleanup.after_merge or moment.trouble:
        return
    now = _seen(moment)
    if len(now) <= len(_targets(moment)) or (now == memory.cleaned and time.monotonic() < memory.clean_again):
        return
    policy = RemotePolicy.DELETE if project.config.cleanup.remote else RemotePolicy.KEEP
    try:
        report = cleanup(project, (), remote=policy, store=moment.store)
    except LockedError:
        return
    except EnvironmentFailure as failed:
        moment.trouble = failed
        return
    removed = [result for result in report.results if result.outcome is Outcome.REMOVED]
    memory.cleaned = _without(now, removed, project.remote)
    memory.clean_again = time.monotonic() + AGAIN_SECONDS
    if removed:
        _narrate(moment, removed)


def _targets(moment: Moment) -> Sequence[str]:
    return [ref for ref in (moment.project.target_ref, moment.project.remote_ref) if ref]


def _seen(moment: Moment) -> Seen:
    """Where the target is and which branches there are, wherever those are."""
    remote, targets = moment.project.remote, _targets(moment)
    branches = ["refs/heads/roadmap-*", *([f"refs/remotes/{remote}/roadmap-*"] if remote else [])]
    refs = list_refs(moment.project.repo, *targets, *branches)
    return {ref: sha if ref in targets else None for ref, sha in refs.items()}


def _without(seen: Seen, removed: Sequence[Removal], remote: str | None) -> Seen:
    gone = {f"{place}/{result.branch}" for result in removed for place in ("refs/heads", f"refs/remotes/{remote}")}
    return {ref: sha for ref, sha in seen.items() if ref not in gone}


def _narrate(moment: Moment, removed: Sequence[Removal]) -> None:
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
