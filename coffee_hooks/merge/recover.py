"""Finish or drop what a killed merge left, before anything new is begun."""

from __future__ import annotations

from coffee_hooks.base import output
from coffee_hooks.base.git import Repo
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import read_ref, resolve_commit, transact
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import Target, is_ancestor, read_target
from coffee_hooks.merge.checkout import Step, advance, holder
from coffee_hooks.merge.heal import drop_stale_locks, heal
from coffee_hooks.merge.land import finish, follow
from coffee_hooks.state import intent as intents


def recover(project: Project, target: Target, proof: LockProof) -> Target:
    """The target once an interrupted landing is finished, or dropped if it had not begun.

    Raises EnvironmentFailure when the remote must be asked and cannot, or when a half-updated checkout was edited
    since, so that nothing of it is lost.
    """
    assert proof.name == "merge"
    repo = project.repo
    intent = intents.pending(repo)
    if intent is None:
        return target
    output.say("finishing what an interrupted merge began")
    held = holder(repo, intent.target)
    drop_stale_locks(repo, held, [intent.target, intents.REF, *(move.ref for move in intent.moves)], intent.since)
    if project.remote is not None:
        fetch(project)
        target = read_target(project)
    if resolve_commit(repo, intent.after) is None:  # so old that git threw it away: it landed nowhere
        transact(repo, [intents.clear(intent)])
        return target
    landed = _contains(repo, target.remote, intent.after) or _contains(repo, target.local, intent.after)
    if held is not None and not held.busy and target.local == intent.before:
        begun = heal(repo, held, intent.before, intent.after)
        if begun:  # with a push the checkout follows only what the remote has, so this finishes it in any case
            landed |= advance(repo, intent.target, intent.before, intent.after) is Step.DONE
    if not landed:
        transact(repo, [intents.clear(intent)])
        return target
    local = read_ref(repo, project.target_ref)
    behind = follow(project, local, target.remote) if target.remote else None
    if behind:
        output.say(behind)
    finish(project, intent)
    return read_target(project)


def _contains(repo: Repo, newer: Sha | None, older: Sha) -> bool:
    return newer is not None and is_ancestor(repo, older, newer)
