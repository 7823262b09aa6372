"""What is known of the work of the last weeks, read once for all figures and pictures."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.evaluate.comparison import Comparison
from coffee_hooks.loop.compared import compare_all
from coffee_hooks.report.criteria import Window
from coffee_hooks.report.timeline import Journey, Records, Spell, gate_runs, journeys
from coffee_hooks.sources.roadmap_places import roadmap_paths
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.predictions import predictions
from coffee_hooks.state.reverts import in_force
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import timings

DAYS = 30
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class History:
    """The journeys of all branches, every run of the gate, and the comparisons of the *window*.

    *beside* are the pairs of landed branches that were under way at the same time, as far as that is known.
    """

    window: Window
    journeys: tuple[Journey, ...]
    gates: tuple[Spell, ...]
    comparisons: tuple[Comparison, ...]
    beside: frozenset[frozenset[str]]


def window_of(since: str | None, now: float) -> Window:
    """From the start of the day *since* (ISO, or a moment of it), or the last `DAYS` days, to *now*.

    Raises UsageError for what is no date, and for one that is still to come.
    """
    if since is None:
        return Window(now - DAYS * _DAY, now)
    try:
        begun = datetime.fromisoformat(since.strip().replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError) as wrong:
        raise UsageError(f"--since must be a date, not {printable(since)!r}", hint="for example 2026-11-01") from wrong
    if begun > now:
        raise UsageError(f"--since {printable(since)} is still to come", hint="name a day that has been")
    return Window(begun, now)


def read_history(project: Project, store: Store, since: str | None, now: float | None = None) -> History:
    """Read it all; no network. *now* is a UNIX time, None for this moment. Raises what :func:`window_of` raises."""
    now = time.time() if now is None else now
    window = window_of(since, now)
    landings, runs = read_landings(project.repo), all_runs(store)
    alive = {run.id for run in runs if run.ended is None and look(project.repo.state_dir, run).running}
    claims = tuple(read_claims(project.repo).values())
    records = Records(project.config.target, claims, landings, timings(store), runs, alive, now)
    when = {member.merge_commit: landing.when for landing in landings for member in landing.members}
    members = [m for m in in_force(landings, project.config.target) if window.holds(when[m.merge_commit])]
    compared = compare_all(project.repo, members, predictions(store), roadmap_paths(project.config.roadmap))
    found = journeys(records)
    return History(window, found, gate_runs(records), tuple(compared), side_by_side(found))


def side_by_side(found: Iterable[Journey]) -> frozenset[frozenset[str]]:
    """The pairs of branches of which one was claimed before the other had landed. Pure."""
    known = [(each.claimed, each.landed, each.branch) for each in found if each.claimed and each.landed]
    pairs = combinations(known, 2)
    return frozenset(frozenset((a[2], b[2])) for a, b in pairs if a[0] < b[1] and b[0] < a[1])
