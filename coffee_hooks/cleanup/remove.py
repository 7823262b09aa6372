"""Remove what was decided, one safe step after the other: park, remote branch, worktree, local branch and claim.

Every step leaves a state that the next run understands, so a kill between any two of them loses nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from coffee_hooks.base.git import ABSENT, GitFailed
from coffee_hooks.base.lock import LockProof, hold
from coffee_hooks.base.project import Project, require_identity
from coffee_hooks.base.refs import Move, transact
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.bury import Stays, bury
from coffee_hooks.cleanup.discard import discard, sweep
from coffee_hooks.cleanup.permission import ask_user
from coffee_hooks.cleanup.plan import Plan, claim_after, plan_cleanup
from coffee_hooks.cleanup.recheck import recheck
from coffee_hooks.cleanup.remote import delete_remote
from coffee_hooks.cleanup.scene import HEADS, Scene
from coffee_hooks.cleanup.values import CleanupReport, Decision, Facts, Outcome, RemotePolicy, Removal, Waive
from coffee_hooks.state.claims import ClaimState, moved
from coffee_hooks.state.facts import set_fact
from coffee_hooks.state.graveyard import Grave
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, note


def cleanup(
    project: Project,
    names: Sequence[str] = (),
    *,
    waive: Waive = Waive.NOTHING,
    remote: RemotePolicy = RemotePolicy.DELETE,
    store: Store,
    wait: float = 0.0,
) -> CleanupReport:
    """Remove the named branches with their worktrees, or without names all of ours that have landed.

    Raises what :func:`plan_cleanup` raises, and LockedError when another cleanup runs for longer than *wait* seconds.
    """
    with hold(project.repo, "cleanup", wait=wait) as proof:
        plan = plan_cleanup(project, names, waive=waive, remote=remote, store=store)
        return apply_cleanup(plan, store, proof)


def preview(plan: Plan) -> CleanupReport:
    """The report of a dry run: what would be removed, what stays, and the changes as lines."""
    return CleanupReport(tuple(_said(decision) for decision in plan.decisions), plan.changes)


def apply_cleanup(plan: Plan, store: Store, _proof: LockProof) -> CleanupReport:
    """Carry out *plan*. A branch that changed since it was decided is kept.

    Raises EnvironmentFailure when the remote cannot be reached; then nothing but graves was made.
    """
    project, removals = plan.scene.project, plan.removals
    sweep({project.worktrees_root, *(home.path.parent for d in removals for home in d.facts.homes)})
    identity = require_identity(project.repo) if removals else {}
    graves: dict[str, Grave] = {}
    results: dict[str, Removal] = {}
    for decision in removals:
        with _staying(decision, results):
            ask_user(project, decision.facts)
            graves[decision.facts.branch] = bury(plan.scene, decision.facts, identity)
    buried = [decision for decision in removals if decision.facts.branch in graves]
    refused = delete_remote(project, {d.facts.branch: tip for d in buried if (tip := d.facts.remote_tip)})
    for decision in buried:
        facts, grave = decision.facts, graves[decision.facts.branch]
        with _staying(decision, results):
            if facts.branch in refused:
                raise _refusal(refused[facts.branch])
            recheck(plan.scene, store, facts, grave, identity)
            _remove(plan.scene, store, facts)
            results[facts.branch] = replace(_said(decision), backup=next(iter(grave.kept), None))
    with contextlib.suppress(OSError):  # not there, or not empty
        project.worktrees_root.rmdir()
    if any(result.outcome is Outcome.REMOVED for result in results.values()):
        set_fact(store, "last_cleanup", str(int(time.time())))
    said = tuple(results.get(d.facts.branch, _said(d)) for d in plan.decisions)
    return CleanupReport(said, forgotten=_forget(plan))


def _remove(scene: Scene, store: Store, facts: Facts) -> None:
    """Worktree first, then branch and claim in one transaction. Raises Stays when they moved meanwhile."""
    started, repo = time.time(), scene.project.repo
    for home in facts.homes:
        discard(scene.project, home)
    moves = [Move(HEADS + facts.branch, facts.tip, ABSENT)] if facts.tip else []
    if facts.claim and (state := claim_after(facts)):
        sha = scene.target if state is ClaimState.LANDED else None
        reason = f"cleanup: {facts.landed.value if facts.landed else 'removed by name, not landed'}"
        moves.append(moved(repo, facts.claim, state=state, sha=sha, reason=reason, since=int(started))[1])
    if not transact(repo, moves, reason="coffee cleanup"):
        raise Stays(Outcome.KEPT_MOVED, "the branch or its claim moved meanwhile; only its worktree was removed")
    if facts.claim:
        ended = time.time()
        note(store, Timing(facts.claim.task, facts.branch, Phase.CLEANUP, started, ended, Outcome.REMOVED.value))


def _forget(plan: Plan) -> tuple[str, ...] | None:
    """The verdicts that went, all at once; none when one was written again meanwhile: the next cleanup will see."""
    if plan.forgotten is None:
        return None
    try:
        gone = transact(plan.scene.project.repo, plan.forgotten, reason="coffee cleanup: old verdicts")
    except GitFailed:  # a lock of somebody else, say; what was removed before must be told all the same
        gone = False
    return tuple(move.ref for move in plan.forgotten) if gone else ()


@contextlib.contextmanager
def _staying(decision: Decision, results: dict[str, Removal]) -> Iterator[None]:
    """One branch that cannot be removed must not stop the others."""
    try:
        yield
    except Stays as stays:
        kept = replace(decision, outcome=stays.outcome, detail=stays.what, hint=stays.hint)
    except (GitFailed, OSError) as failed:
        why = (failed.detail or failed.what) if isinstance(failed, GitFailed) else str(failed)
        detail = f"it cannot be removed: {printable(why)}"
        kept = replace(decision, outcome=Outcome.KEPT_LOCKED, detail=detail, hint="coffee doctor, then run this again")
    else:
        return
    results[decision.facts.branch] = _said(kept)


def _refusal(why: str) -> Stays:
    if "stale info" in why:
        return Stays(Outcome.KEPT_MOVED, "the remote branch moved meanwhile", hint="git fetch, then run this again")
    hint = "coffee cleanup --no-remote, or set cleanup.remote: false in .coffee.yaml"
    return Stays(Outcome.KEPT_FOREIGN, f"the remote does not let it go: {why}", hint=hint)


def _said(decision: Decision) -> Removal:
    facts = decision.facts
    worktree = facts.homes[0].path if facts.homes else None
    return Removal(
        facts.branch, worktree, decision.outcome, decision.detail, hint=decision.hint, named=facts.named,
    )  # fmt: skip
