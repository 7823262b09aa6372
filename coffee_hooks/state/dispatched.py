"""Claims for a runner that a forge starts: made for whoever comes first, then held by one attempt of one run."""

from __future__ import annotations

import os
from collections.abc import Mapping

from coffee_hooks.state.claims import Claim

PREFIX = "actions:"
_RUN = "/runs/"


def dispatched_to(place: str) -> str:
    """The owner of a claim that waits for a runner of *place*, ``github.com/acme/demo``."""
    return PREFIX + place


def this_run(environ: Mapping[str, str] = os.environ) -> str | None:
    """The owner of what is claimed in a job of GitHub Actions: its run and the attempt; None elsewhere."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")
    server, repository, run, attempt = (environ.get(name, "") for name in names)
    if environ.get("GITHUB_ACTIONS") != "true" or not (repository and run.isdigit() and attempt.isdigit()):
        return None
    return f"{PREFIX}{server.partition('://')[2]}/{repository}{_RUN}{run}/{attempt}"


def may_take(claim: Claim, run: str | None) -> bool:
    """Whether a runner may take *claim* over: nobody has it yet, or an earlier attempt of the same *run* had it.

    A later attempt begins when the earlier one has ended. Pure.
    """
    if not claim.owner.startswith(PREFIX):
        return False
    if _RUN not in claim.owner:
        return True
    mine, _, now = (run or "").rpartition("/")
    theirs, _, then = claim.owner.rpartition("/")
    return mine == theirs and now.isdigit() and then.isdigit() and int(then) < int(now)
