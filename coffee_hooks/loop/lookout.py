"""The watching step of a round: tell what the radar shows, each finding once."""

from __future__ import annotations

import time

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure
from coffee_hooks.loop.findings import SUBJECT, findings, news
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.radar import scan
from coffee_hooks.notify import send
from coffee_hooks.ready.observe import Readiness
from coffee_hooks.state import notices
from coffee_hooks.state.claims import ClaimState


def keep_watch(moment: Moment, readiness: Readiness) -> CoffeeError | None:
    """Look, and notify of what is new; returns why it could not, which stops nothing."""
    try:
        radar = scan(moment.project, moment.store, readiness, moment.claims)
    except EnvironmentFailure as failed:
        return failed
    claimed = {claim.branch for claim in moment.claims.values() if claim.state is ClaimState.CLAIMED}
    found = list(findings(radar, claimed | moment.busy))
    keys = notices.dedupe_keys(moment.store, SUBJECT) if found else []
    for finding, draft in news(found, keys):
        if send(moment.store, draft, time.time()) is not None:
            output.say(finding.line)
            moment.tell(
                "finding",
                {"kind": finding.kind.value, "branches": list(finding.branches), "paths": list(finding.paths)},
            )
    return None
