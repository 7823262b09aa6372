"""How an agent's end is written into its claim: exit 0 alone is not done."""

from __future__ import annotations

import time
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import GitFailed, Repo, in_worktree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.order import Order

TRIES, PAUSE_SECONDS = 10, 0.1


def record_end(order: Order, reason: EndReason) -> EndReason:
    """Move the claim of *order* to done when the end was good; returns the reason that is true after a look at git.

    Good means: exit code 0, HEAD on the branch of the claim, commits that the order's base does not have. Uncommitted
    files do not change this: readiness reports them. Raises EnvironmentFailure when the claim cannot be written.
    """
    repo = Repo(Path(order.common_dir), Path(order.worktree), Path(order.worktree))
    for attempt in range(TRIES):
        claim = claims_.read_claims(repo).get(TaskId(order.task))
        if claim is None or claim.branch != order.branch or claim.state not in (ClaimState.CLAIMED, ClaimState.DONE):
            return reason
        tip, why = _finished_tip(repo, order)
        good = reason is EndReason.DONE and tip is not None
        ended = EndReason.DONE if good else EndReason.FAILED if reason is EndReason.DONE else reason
        try:
            if _written(repo, claim, tip if good else None, why if why and reason is EndReason.DONE else ended.value):
                return ended
        except GitFailed:  # somebody holds the ref's lock
            if attempt == TRIES - 1:
                raise
        time.sleep(PAUSE_SECONDS)  # `coffee done` or a merge wrote at the same moment: look again
    raise EnvironmentFailure("its claim changes all the time", hint="coffee status")


def _written(repo: Repo, claim: Claim, tip: Sha | None, why: str) -> bool:
    if tip is None:
        return claims_.update(repo, claim, reason=why) is not None
    if claim.state is ClaimState.DONE and claim.sha == tip:
        return True  # it said so itself, with `coffee done`
    return claims_.update(repo, claim, state=ClaimState.DONE, sha=tip, reason=None) is not None


def _finished_tip(repo: Repo, order: Order) -> tuple[Sha | None, str | None]:
    tip = resolve_commit(repo, f"refs/heads/{order.branch}")
    if tip is None:
        return None, f"branch {order.branch} is gone"
    if not Path(order.worktree).is_dir():
        return None, "its worktree is gone"
    said = in_worktree(Path(order.worktree), "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128))
    if said.text != f"refs/heads/{order.branch}":
        return None, f"the worktree is not on {order.branch} any more"
    ahead = repo.objects("rev-list", "--count", f"{order.base}..{tip}").text
    return (tip, None) if ahead != "0" else (None, "no-commits: the agent ended without a commit")
