"""The five criteria, against a count of every second of a small world."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.report.criteria import (
    Window,
    conflict_resolution_time,
    criteria,
    merge_success_rate,
    parallel_execution_rate,
    time_savings,
    worktree_lifecycle,
)
from coffee_hooks.report.timeline import Journey, Spell

ALL = Window(0, 10_000)

SECONDS = st.integers(0, 240)
OUTCOMES = st.sampled_from(("landed", "conflict", "gate-failed", "error", "moved"))


@st.composite
def spells(draw: st.DrawFn, outcome: st.SearchStrategy[str]) -> Spell:
    """A spell of whole seconds."""
    start, end = sorted((draw(SECONDS), draw(SECONDS)))
    return Spell(start, end, draw(outcome))


@st.composite
def worlds(draw: st.DrawFn) -> list[Journey]:
    """A few tasks with whatever may be recorded of them; the merge that landed one ends at its landing."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        merges = draw(st.lists(spells(OUTCOMES), max_size=3))
        last = max((m.ended for m in merges if m.outcome == "landed"), default=None)
        landed = draw(st.sampled_from((None, last, 200.0)))
        removed = draw(st.none() | spells(st.just("removed")))
        found.append(
            Journey(
                f"roadmap-wt{number}",
                f"US-{number}",
                claimed=draw(st.none() | SECONDS),
                agents=tuple(draw(st.lists(spells(st.just("done")), max_size=3))),
                merges=tuple(merges),
                landed=landed,
                cleanup=removed,
            )
        )
    return found


def ran(journey: Journey) -> set[int]:
    """The seconds in which its agent ran."""
    return {at for agent in journey.agents for at in range(int(agent.started), int(agent.ended))}


def kept(journeys: list[Journey], window: Window) -> list[Journey]:
    """Landed in the window, with the records that it takes."""
    return [j for j in journeys if j.landed is not None and window.holds(j.landed) and j.claimed is not None]


@given(worlds())
def test_the_parallel_rate_counts_seconds_beside_others(world: list[Journey]) -> None:
    """A task counts when at least sixty of its agent's seconds are seconds of another's."""
    known = [journey for journey in kept(world, ALL) if journey.agents]
    beside = [j for j in known if len(ran(j) & set().union(*(ran(o) for o in world if o is not j), set())) >= 60]
    found = parallel_execution_rate(world, ALL)
    assert found.n == len(known)
    assert found.value == (pytest.approx(100 * len(beside) / len(known)) if known else None)


@given(worlds())
def test_savings_compare_the_wall_with_the_work(world: list[Journey]) -> None:
    """Wall: the seconds with any task under way. Work: each agent's seconds, and the seconds with a merge."""
    known = [
        j for j in kept(world, ALL) if j.agents and any(m.outcome == "landed" and m.ended == j.landed for m in j.merges)
    ]
    wall = {at for j in known for at in range(int(j.claimed or 0), int(j.landed or 0))}
    agents = sum(len({at for at in ran(j) if at < (j.landed or 0)}) for j in known)
    merging = {
        at
        for j in known
        for merge in j.merges
        for at in range(int(merge.started), int(min(merge.ended, j.landed or 0)))
    }
    found, work = time_savings(world, ALL), agents + len(merging)
    assert found.n == len(known)
    assert found.value == (pytest.approx(100 * (1 - len(wall) / work)) if len(known) > 1 and work else None)


@given(worlds())
def test_only_the_first_candidate_makes_a_success(world: list[Journey]) -> None:
    """Each recorded task counts once, by what became of the first thing that was tried."""
    firsts = [
        sorted(j.merges, key=lambda merge: merge.ended)[0].outcome for j in world if j.merges and j.claimed is not None
    ]
    found = merge_success_rate(world, ALL)
    assert found.n == len(firsts)
    assert found.value == (pytest.approx(100 * firsts.count("landed") / len(firsts)) if firsts else None)


@given(worlds(), SECONDS, SECONDS)
def test_no_data_makes_no_claim(world: list[Journey], one: int, other: int) -> None:
    """In any window: a value has cases, no value has no verdict, and what is not recorded never counts."""
    window = Window(min(one, other), max(one, other))
    for figure in criteria(world, window):
        assert (figure.value is None) == (figure.met is None)
        assert figure.value is None or figure.n > 0
    nothing = criteria([replace(journey, claimed=None) for journey in world], window)
    assert [(figure.value, figure.met, figure.n) for figure in nothing] == [(None, None, 0)] * 5


@given(worlds(), worlds())
def test_what_is_lost_is_said(world: list[Journey], forgotten: list[Journey]) -> None:
    """Tasks without records change no figure but the word about how many were left out."""
    strangers = [
        replace(j, branch=f"other-{j.branch}", claimed=None, agents=(), merges=j.merges, cleanup=None)
        for j in forgotten
    ]
    before, after = criteria(world, ALL), criteria([*world, *strangers], ALL)
    assert [(f.value, f.n) for f in before] == [(f.value, f.n) for f in after]
    landed = sum(j.landed is not None for j in strangers)
    if landed and all(j.claimed is not None and j.agents for j in kept(world, ALL)):
        assert "left out" in after[0].method


def test_a_task_of_each_kind() -> None:
    """Two that ran beside each other for a minute and a half, and one that came alone, conflicted and came back."""
    one = Journey(
        "a", "A", 0, agents=(Spell(10, 100, "done"),), merges=(Spell(100, 130, "landed"),), landed=130,
        cleanup=Spell(130, 3600),
    )  # fmt: skip
    two = replace(one, branch="b", task="B", cleanup=Spell(130, 7200))
    three = Journey(
        "c", "C", 200, agents=(Spell(210, 300, "done"), Spell(360, 400, "done")),
        merges=(Spell(300, 300, "conflict"), Spell(410, 420, "landed")), landed=420,
    )  # fmt: skip
    world = [one, two, three]
    assert parallel_execution_rate(world, ALL).value == pytest.approx(200 / 3)
    wall, work = 130 + 220, 90 + 90 + 130 + 30 + 10
    assert time_savings(world, ALL).value == pytest.approx(100 * (1 - wall / work))
    assert merge_success_rate(world, ALL).value == pytest.approx(200 / 3)
    assert conflict_resolution_time(world, ALL).value == pytest.approx(2.0)
    assert worktree_lifecycle(world, ALL).value == pytest.approx(1.5)
    assert [figure.met for figure in criteria(world, ALL)] == [True, False, False, True, True]
    assert time_savings([one], ALL).value is None


def test_the_window_is_that_of_the_end() -> None:
    """A task counts in the days in which it landed, not in those in which it was claimed."""
    journey = Journey("a", "A", 0, agents=(Spell(0, 90),), merges=(Spell(90, 100, "landed"),), landed=100)
    assert [parallel_execution_rate([journey], Window(*days)).n for days in ((0, 99), (100, 100), (101, 200))] == [
        0,
        1,
        0,
    ]
