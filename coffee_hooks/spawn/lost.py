"""Claims whose machine is gone: free again for everybody, by compare-and-swap."""

from __future__ import annotations

import time

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.text import printable
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState

MARGIN_SECONDS = 600.0
"""Clocks differ, and the word of an agent that ran into its time limit takes its time."""


def lost(claim: Claim, owner: str, tip: Sha | None, now: float, timeout: float) -> bool:
    """Whether nobody can still be at work on *claim*: it is another's, too old, and its branch never moved. Pure.

    *tip* is the branch on the remote; *now* and the claim's *since* are UNIX times.
    """
    if claim.state is not ClaimState.CLAIMED or claim.owner == owner or tip not in (None, claim.base):
        return False
    return now - claim.since > timeout + MARGIN_SECONDS


def release_lost(project: Project, proof: LockProof) -> tuple[Claim, ...]:
    """Release the lost claims of other machines as far as they were fetched; the next push tells the remote.

    Whoever else changes one meanwhile is first.
    """
    assert proof.name == "spawn"
    if not project.config.shared or project.remote is None:
        return ()
    repo, owner, timeout = project.repo, claims_.owner_here(project), longest_timeout(project.config)
    claims = claims_.read_claims(repo).values()
    names = {f"refs/remotes/{project.remote}/{claim.branch}": claim for claim in claims}
    tips = list_refs(repo, *names) if names else {}
    freed = []
    for ref, claim in names.items():
        if lost(claim, owner, tips.get(ref), time.time(), timeout):
            why = f"no word from {claim.owner}"
            if changed := claims_.update(repo, claim, state=ClaimState.RELEASED, reason=why):
                output.say(f"{claim.task} is free again: {printable(why)} within the time limit of its agent")
                freed.append(changed)
    return tuple(freed)


def longest_timeout(config: Config) -> float:
    """How long an agent may run here at most, in seconds."""
    return max(agent.timeout for agent in (config.agent, *config.agents.values()))
