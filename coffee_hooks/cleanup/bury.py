"""Park everything a removal would take, in one ref transaction, before anything is removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from coffee_hooks.base.errors import RuleError
from coffee_hooks.base.git import GitFailed
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, transact
from coffee_hooks.cleanup.scene import HEADS, Scene
from coffee_hooks.cleanup.snapshot import save_work
from coffee_hooks.cleanup.strays import gather_strays
from coffee_hooks.cleanup.values import Facts, Outcome
from coffee_hooks.state.graveyard import Grave, graves_of, next_grave


class Stays(RuleError):
    """A branch that was to be removed has to stay after all, with the *outcome* that says why."""

    def __init__(self, outcome: Outcome, what: str, *, hint: str = "run this again") -> None:
        super().__init__(what, hint=hint)
        self.outcome = outcome


def bury(scene: Scene, facts: Facts, identity: Mapping[str, str]) -> Grave:
    """Park tip, detached HEAD, uncommitted work, remote tip and strays of one branch.

    A burial that an earlier run made of the same commits is used again. Raises Stays when the tip has moved or the
    uncommitted work cannot be saved.
    """
    repo = scene.project.repo
    heads = [home.head for home in facts.homes if home.head and home.head != facts.tip]
    grave = Grave(
        facts.branch,
        next_grave(scene.graves, facts.branch),
        tip=facts.tip,
        head=heads[0] if heads else None,
        dirty=save(scene, facts, identity),
        remote=facts.remote_tip if facts.remote_tip != facts.tip else None,
    )
    safe = [sha for sha in (scene.target, *grave.kept.values()) if sha]
    grave = replace(
        grave, strays=gather_strays(repo, facts.branch, [home.git_dir for home in facts.homes], safe, identity)
    )
    for earlier in graves_of(scene.graves, facts.branch):
        if list(earlier.kept.values()) == list(grave.kept.values()):
            return earlier
    unmoved = [Move(HEADS + facts.branch, facts.tip, facts.tip)] if facts.tip else []
    if not transact(repo, [*unmoved, *grave.burial()], reason="coffee cleanup: park"):
        raise Stays(Outcome.KEPT_MOVED, "the branch moved while it was being parked")
    return grave


def save(scene: Scene, facts: Facts, identity: Mapping[str, str]) -> Sha | None:
    """The commit that keeps the uncommitted work, None where there is none. Raises Stays when it cannot be saved."""
    for home in facts.homes:
        if home.tree and not home.tree.clean:
            try:
                return save_work(scene.project.repo, home, home.tree, identity)
            except (GitFailed, OSError) as failed:
                why = failed.detail if isinstance(failed, GitFailed) else str(failed)
                raise Stays(
                    Outcome.KEPT_DIRTY, f"its uncommitted work cannot be saved ({why})", hint="commit it by hand"
                ) from failed
    return None
