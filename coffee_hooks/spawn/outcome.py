"""How an agent's end is written into its claim: exit 0 alone is not done."""

from __future__ import annotations

from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.order import Order


def record_end(order: Order, reason: EndReason) -> EndReason:
    """Move the claim of *order* to done when the end was good; returns the reason that is true after a look at git.

    Good means: exit code 0, HEAD on the branch of the claim, commits since the claimed base. Uncommitted files do
    not change this: readiness reports them.
    """
    repo = Repo(Path(order.common_dir), Path(order.worktree), Path(order.worktree))
    claim = claims_.read_claims(repo).get(TaskId(order.task))
    if claim is None or claim.branch != order.branch or claim.state not in (ClaimState.CLAIMED, ClaimState.DONE):
        return reason
    tip, why = _finished_tip(repo, order)
    if reason is EndReason.DONE and tip is not None:
        if claim.state is ClaimState.CLAIMED or claim.sha != tip:
            # A lost race means that `done` or a merge wrote first, and theirs stands.
            claims_.update(repo, claim, state=ClaimState.DONE, sha=tip, reason=None)
        return EndReason.DONE
    ended = EndReason.FAILED if reason is EndReason.DONE else reason
    claims_.update(repo, claim, reason=why or ended.value)
    return ended


def _finished_tip(repo: Repo, order: Order) -> tuple[Sha | None, str | None]:
    tip = resolve_commit(repo, f"refs/heads/{order.branch}")
    if tip is None:
        return None, f"branch {order.branch} is gone"
    said = in_worktree(Path(order.worktree), "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128))
    if said.text != f"refs/heads/{order.branch}":
        return None, f"the worktree is not on {order.branch} any more"
    ahead = repo.objects("rev-list", "--count", f"{order.base}..{tip}").text
    return (tip, None) if ahead != "0" else (None, "no-commits: the agent ended without a commit")
