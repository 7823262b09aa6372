"""From records, of which any may be missing, to the journey of each branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.report.criteria import Window, criteria
from coffee_hooks.report.timeline import Records, Spell, gate_runs, journeys
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.landings import Landing, Member
from coffee_hooks.state.timings import Phase, Timing

ONE, TWO = Sha("1" * 40), Sha("2" * 40)
BRANCH = "roadmap-wt1"

RUN = AgentRun(
    1, "US-1", BRANCH, "/w", 1, "agent", ("x",), 1, 2, 3.0, "boot", "log", 105.0, 190.0, 200.0, 0, EndReason.DONE
)
CLAIM = Claim(TaskId("US-1"), BRANCH, ONE, "me", 1, ClaimState.BLOCKED, None, "gate-failed: red", 100)
LANDING = Landing(
    "roadmap", ONE, TWO, ONE, (Member("US-1", BRANCH, ONE, TWO),), ("make",), "green", 310
)  # the gate is as old as the landing
TIMINGS = (
    Timing("US-1", BRANCH, Phase.CLAIM, 100.0, 105.0),
    Timing("US-1", BRANCH, Phase.DETECTION, 200.0, 201.0),
    Timing("US-1 US-2", f"{BRANCH} roadmap-wt2", Phase.GATE, 250.0, 300.0, "green"),
    Timing("", "", Phase.GATE, 240.0, 250.0, "green"),
    Timing("US-1", BRANCH, Phase.MERGE, 205.0, 220.0, "conflict: conflicts in a: b"),
    Timing("US-1", BRANCH, Phase.MERGE, 230.0, 310.4, "landed"),
    Timing("US-1", BRANCH, Phase.CLEANUP, 320.0, 321.0, "removed"),
)
ALL = Records("roadmap", (CLAIM,), (LANDING,), TIMINGS, (RUN,), (), 400.0)


def test_a_journey_from_claim_to_removal() -> None:
    """Each record has its place; a gate belongs to all that it tested, the target's own to no branch."""
    first, second = journeys(ALL)
    assert (first.branch, first.task, first.claimed, first.landed, first.removed) == (BRANCH, "US-1", 100, 310.4, 321)
    assert first.agents == (Spell(105, 200, "done"),)
    assert first.merges == (Spell(205, 220, "conflict", "conflicts in a: b"), Spell(230, 310.4, "landed"))
    assert (first.conflict, first.state, first.reason) == (220, "blocked", "gate-failed: red")
    assert (second.branch, second.task, second.claimed) == ("roadmap-wt2", None, None)
    assert first.gates == second.gates == (Spell(250, 300, "green"),)
    assert len(gate_runs(ALL)) == 2


def test_without_the_database_only_the_landing_is_known() -> None:
    """The landing record is in git: it says that and when a task landed, and nothing about how."""
    (found,) = journeys(replace(ALL, timings=(), runs=()))
    assert (found.task, found.landed, found.claimed, found.agents, found.merges) == ("US-1", 310, None, (), ())


def test_a_landing_that_was_taken_back_is_none() -> None:
    """Neither is one on another target."""
    back = Landing("roadmap", TWO, ONE, ONE, (Member("US-1", BRANCH, ONE, Sha("3" * 40), (TWO,)),), (), "green", 350)
    (found,) = journeys(replace(ALL, timings=(), landings=(LANDING, back)))
    assert (found.landed, found.reverted) == (None, True)
    assert journeys(replace(ALL, timings=(), target="main"))[0].landed is None


@pytest.mark.parametrize(
    ("run", "alive", "spell"),
    [
        (replace(RUN, ended=None, reason=None), (1,), Spell(105, 400, "working")),
        (replace(RUN, ended=None, reason=None), (), Spell(105, 190, "lost")),
        (replace(RUN, ended=390.0, reason=EndReason.LOST), (), Spell(105, 190, "lost")),
        (replace(RUN, ended=90.0), (), Spell(105, 105, "done")),
    ],
    ids=["at work", "vanished", "found lost later", "the clock was set back"],
)
def test_an_agent_ends_when_it_was_last_seen(run: AgentRun, alive: tuple[int, ...], spell: Spell) -> None:
    """What nobody saw does not count as work, and nothing takes less than no time."""
    assert journeys(replace(ALL, runs=(run,), alive=alive))[0].agents == (spell,)


@dataclass(frozen=True)
class Noted:
    """A record and when it was written."""

    when: float
    record: Timing | AgentRun


@st.composite
def pasts(draw: st.DrawFn) -> tuple[list[Noted], list[Landing]]:
    """Tasks with one or two attempts, what of them was noted in which order, and the landings in git."""
    noted: list[Noted] = []
    landings: list[Landing] = []
    steps = st.integers(1, 40)
    for number in range(draw(st.integers(1, 4))):
        task, branch, now = f"US-{number}", f"roadmap-wt{number}", float(draw(st.integers(0, 300)))
        claimed = now
        for attempt in range(draw(st.integers(1, 2))):
            begun = now + draw(steps)
            ended = begun + draw(st.integers(1, 200))
            run = replace(RUN, id=len(noted), task=task, branch=branch, attempt=attempt + 1, started=begun, ended=ended)
            noted.append(Noted(begun, run))
            if attempt == 0:
                noted.append(Noted(begun + 0.5, Timing(task, branch, Phase.CLAIM, claimed, begun + 0.5)))
            start = ended + draw(steps)
            now = start + draw(steps)
            outcome = draw(st.sampled_from(("landed", "conflict: x", "gate-failed")))
            noted.append(Noted(now, Timing(task, branch, Phase.MERGE, start, now, outcome)))
            if outcome == "landed":
                sha = Sha(f"{number:040d}")
                landings.append(replace(LANDING, members=(Member(task, branch, ONE, sha),), when=int(now)))
                removed = now + draw(steps)
                noted.append(Noted(removed, Timing(task, branch, Phase.CLEANUP, removed - 1, removed, "removed")))
                break
    return noted, landings


@given(pasts(), st.integers(0, 800))
def test_a_database_that_was_deleted_leaves_less_to_say_and_nothing_wrong(
    past: tuple[list[Noted], list[Landing]], deleted: int
) -> None:
    """What is left gives the figures of just the tasks that were claimed later, as if the others had never been."""
    noted, landings = past
    window = Window(0, 10_000)

    def figures(kept: list[Noted], told: list[Landing]) -> list[tuple[float | None, int]]:
        timings = [each.record for each in kept if isinstance(each.record, Timing)]
        runs = [each.record for each in kept if isinstance(each.record, AgentRun)]
        found = criteria(journeys(Records("roadmap", (), told, timings, runs, (), 10_000)), window)
        return [(figure.value, figure.n) for figure in found]

    later = {
        each.record.branch
        for each in noted
        if isinstance(each.record, AgentRun) and each.record.attempt == 1 and each.when >= deleted
    }
    rest = figures([each for each in noted if each.when >= deleted], landings)
    fresh = figures(
        [each for each in noted if each.record.branch in later],
        [landing for landing in landings if landing.members[0].branch in later],
    )
    assert rest[1:] == fresh[1:]
    assert rest[0][1] == fresh[0][1] and (rest[0][0] or 0) >= (fresh[0][0] or 0)  # who ran beside it may be known still
