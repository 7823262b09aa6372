"""Look again, right before the folder goes: is everything still as it was when it was decided and parked?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.cleanup.bury import Stays, save
from coffee_hooks.cleanup.observe import look_closer
from coffee_hooks.cleanup.running import running_branches
from coffee_hooks.cleanup.scene import Scene
from coffee_hooks.cleanup.values import Facts, Outcome
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.graveyard import Grave
from coffee_hooks.state.store import Store


def recheck(scene: Scene, store: Store, facts: Facts, grave: Grave, identity: Mapping[str, str]) -> None:
    """Raises Stays when an agent was started, a worktree changed hands, or its files are not those in *grave*."""
    repo = scene.project.repo
    running = running_branches(all_runs(store), repo.state_dir, time.time()).get(facts.branch)
    if running:
        raise Stays(Outcome.KEPT_RUNNING, f"{running} was started meanwhile")
    before = {w.path: w for w in scene.worktrees}
    now = {w.path: w for w in list_worktrees(repo)}
    paths = [home.path for home in facts.homes]
    holders = [w.path for w in now.values() if facts.branch in (w.branch, w.busy_branch)]
    if any(now.get(path) != before[path] for path in paths) or not set(holders) <= set(paths):
        raise Stays(Outcome.KEPT_MOVED, "its worktree changed meanwhile")
    fresh = look_closer(scene, facts)
    if any(home.tree and home.tree.unsavable for home in fresh.homes):
        raise Stays(Outcome.KEPT_DIRTY, "its worktree changed meanwhile")
    if save(scene, replace(fresh, tip=facts.tip), identity) != grave.dirty:
        raise Stays(Outcome.KEPT_DIRTY, "files were changed meanwhile")
