"""Claims that were made for whoever comes first: a runner that a forge starts, whose name nobody knows yet."""

from __future__ import annotations

from coffee_hooks.state.claims import Claim

PREFIX = "actions:"


def dispatched_to(place: str) -> str:
    """The owner of a claim that waits for a runner of *place*."""
    return PREFIX + place


def is_dispatched(claim: Claim) -> bool:
    """Whether a runner may take it over."""
    return claim.owner.startswith(PREFIX)
