"""The decision is pure: any facts whatever, and nothing goes while anything protects it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.cleanup.judge import judge
from coffee_hooks.cleanup.values import (
    Decision,
    Facts,
    Home,
    Integration,
    Outcome,
    Ownership,
    Place,
    Remote,
    Tree,
    Waive,
    Work,
)
from coffee_hooks.state.claims import Claim, ClaimState

SHA = Sha("a" * 40)
TREES = st.builds(
    Tree,
    dirty=st.sampled_from([(), ("a.py",)]),
    in_progress=st.sampled_from([None, "a rebase"]),
    precious=st.sampled_from([(), (".env",)]),
    hidden=st.sampled_from([(), ("h.py",)]),
    unsavable=st.sampled_from([(), ("x/ is another repository",)]),
)
HOMES = st.builds(
    Home,
    path=st.just(Path("/wt/wt1")),
    git_dir=st.just(Path("/repo/.git/worktrees/wt1")),
    place=st.sampled_from([Place.OURS, *Place]),
    head=st.sampled_from([SHA, None]),
    locked=st.sampled_from([False, False, True]),
    missing=st.booleans(),
    restored=st.sampled_from([False, False, True]),
    tree=st.one_of(st.just(Tree()), st.none(), TREES),
)
CLAIM = Claim(TaskId("US-1"), "roadmap-wt1", SHA, "me@here", 1, ClaimState.DONE, None, None, 0)
FACTS = st.builds(
    Facts,
    branch=st.just("roadmap-wt1"),
    named=st.booleans(),
    ownership=st.sampled_from([Ownership.OURS, Ownership.OURS, *Ownership]),
    tip=st.sampled_from([SHA, SHA, None]),
    homes=st.one_of(st.just(()), HOMES.map(lambda home: (home,)), st.tuples(HOMES, HOMES)),
    claim=st.sampled_from([None, CLAIM]),
    work=st.sampled_from([Work.OVER, Work.OVER, *Work]),
    running=st.sampled_from([None, None, "its agent (PID 7)"]),
    landed=st.sampled_from([None, *Integration]),
    remote=st.sampled_from([Remote.UNWANTED, Remote.SAFE, *Remote]),
    remote_tip=st.none(),
    tracking=st.none(),
    age=st.sampled_from([0.0, 100.0]),
)
WAIVERS = st.sampled_from([Waive.NOTHING, Waive.DIRTY, Waive.UNMERGED, Waive.DIRTY | Waive.UNMERGED])
MIN_AGE = 50.0


def protections(facts: Facts, waive: Waive) -> list[str]:
    """The promises of the contract, one by one: why these facts forbid a removal."""
    waived = waive if facts.named else Waive.NOTHING
    trees = [home.tree or Tree(unsavable=("never looked at",)) for home in facts.homes]
    forbidden = {
        "not ours": facts.ownership is not Ownership.OURS,
        "not our worktree": any(home.place is not Place.OURS for home in facts.homes),
        "more than one worktree": len(facts.homes) > 1,
        "running": facts.running is not None,
        "locked": any(home.locked for home in facts.homes),
        "unsavable": any(tree.unsavable for tree in trees),
        "dirty": Waive.DIRTY not in waived and any(not tree.clean for tree in trees),
        "unmerged": Waive.UNMERGED not in waived and (facts.landed is None or facts.work is Work.EMPTY),
        "still claimed": not facts.named and facts.work in (Work.OPEN, Work.REVERTED),
        "remote unknown": facts.remote in (Remote.UNASKED, Remote.MOVED),
        "remote ahead": Waive.UNMERGED not in waived and facts.remote in (Remote.AHEAD, Remote.UNPUSHED),
        "restored": not facts.named and any(home.restored for home in facts.homes),
        "young": not facts.named and facts.age < MIN_AGE,
        "nothing there": not facts.tip and not facts.homes and facts.remote in (Remote.ABSENT, Remote.UNWANTED),
    }
    return [name for name, holds in forbidden.items() if holds]


@given(FACTS, WAIVERS)
def test_nothing_goes_while_a_protecting_fact_holds(facts: Facts, waive: Waive) -> None:
    """A removal is decided exactly when no promise forbids it; every "no" has a reason and a next command."""
    decision = judge(facts, waive, MIN_AGE)
    removed = decision is not None and decision.outcome is Outcome.REMOVED
    assert removed == (not protections(facts, waive))
    if decision is not None:
        assert decision.detail
        assert bool(decision.hint) != removed


@given(FACTS, WAIVERS)
def test_looking_closer_never_turns_a_no_into_a_yes(facts: Facts, waive: Waive) -> None:
    """What is decided without a look into the worktree stays kept after it; only an open question may become a yes."""
    blind = replace(facts, homes=tuple(replace(home, tree=None) for home in facts.homes))
    first = judge(blind, waive)
    looked = judge(replace(facts, homes=tuple(replace(home, tree=Tree()) for home in facts.homes)), waive)
    if first is not None and first.outcome is not Outcome.REMOVED:
        assert looked is not None
        assert looked.outcome is first.outcome


@given(FACTS)
def test_waiving_more_never_removes_less(facts: Facts) -> None:
    """Flags only ever permit; none of them protects."""
    plain, forced = judge(facts), judge(facts, Waive.DIRTY | Waive.UNMERGED)
    if plain is not None and plain.outcome is Outcome.REMOVED:
        assert forced is not None
        assert forced.outcome is Outcome.REMOVED


def test_the_first_reason_is_the_most_important_one() -> None:
    """Ownership before a running agent, that before a lock, dirt, and what is not merged."""
    home = Home(Path("/wt/wt1"), Path("/g"), Place.OURS, SHA, True, False, False, Tree(dirty=("a\x1b[31m.py",)))
    facts = Facts("roadmap-wt1", True, Ownership.NOBODYS, SHA, (home,), CLAIM, running="its agent (PID 7)")

    def outcome(facts: Facts, waive: Waive = Waive.NOTHING) -> Outcome:
        decision = judge(facts, waive)
        assert isinstance(decision, Decision)
        assert decision.detail.isprintable()
        return decision.outcome

    assert outcome(facts) is Outcome.KEPT_FOREIGN
    facts = replace(facts, ownership=Ownership.OURS)
    assert outcome(facts) is Outcome.KEPT_RUNNING
    facts = replace(facts, running=None)
    assert outcome(facts) is Outcome.KEPT_LOCKED
    facts = replace(facts, homes=(replace(home, locked=False),))
    assert outcome(facts) is Outcome.KEPT_DIRTY
    assert outcome(facts, Waive.DIRTY) is Outcome.KEPT_UNMERGED
    assert outcome(facts, Waive.DIRTY | Waive.UNMERGED) is Outcome.REMOVED
