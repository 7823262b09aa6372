"""The user's hook before a removal: it may keep the branch, and it may put things into safety first."""

from __future__ import annotations

from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import Occasion, Point, hook_log, run_hook
from coffee_hooks.cleanup.bury import Stays
from coffee_hooks.cleanup.values import Facts, Outcome


def ask_user(project: Project, facts: Facts) -> None:
    """Run ``hooks.before-remove`` in the worktree that shall go. Raises Stays when it fails.

    Before anything is parked: what it changes in the worktree is seen by the look that comes later.
    """
    point = Point.BEFORE_REMOVE
    worktree = next((home.path for home in facts.homes if not home.missing), None)
    task, base = (facts.claim.task, facts.claim.base) if facts.claim else (None, None)
    more = {
        "target": project.config.target, "landed": facts.landed is not None, "remote_sha": facts.remote_tip,
    }  # fmt: skip
    occasion = Occasion(
        project.repo.main, task, facts.branch, facts.tip, base, worktree, hook_log(project.repo, point), worktree, more
    )
    failure = run_hook(project.config.hooks, point, occasion)
    if failure is not None:
        raise Stays(Outcome.KEPT_LOCKED, printable(failure.what), hint=printable(failure.hint))
