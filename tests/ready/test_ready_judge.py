"""The decision, as a table and as properties: a branch is ready if and only if nothing stands in its way."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.ready.judge import WAIVED_BY_NAME, AgentState, Code, Facts, Review, Signal, judge, listed

READY = Facts(branch="roadmap-wt1", target="roadmap", task="US-104", commits_ahead=1, changes=True)

OBSTACLES: dict[Code, dict[str, Any]] = {
    Code.NO_COMMITS: {"commits_ahead": 0},
    Code.EMPTY_DIFF: {"changes": False},
    Code.DIRTY: {"dirty": ["a.py"]},
    Code.IN_PROGRESS: {"in_progress": "a merge"},
    Code.AGENT_RUNNING: {"agent": AgentState.RUNNING},
    Code.AGENT_FAILED: {"agent": AgentState.FAILED},
    Code.NO_SIGNAL: {"signal": Signal.MISSING},
    Code.CONFLICT: {"conflicts": ["a.py"], "mergeable": False},
    Code.GATE_FAILED: {"red": True},
    Code.REVIEW_PENDING: {"review": Review.PENDING},
    Code.REVIEW_REJECTED: {"review": Review.REJECTED},
    Code.DIVERGED: {"diverged": True},
    Code.NEEDS_HUMAN: {"protected": [".github/workflows/x.yml"], "secrets": [".env"], "large": ["film.mp4"]},
}


def codes(facts: Facts) -> list[Code]:
    return [reason.code for reason in judge(facts)]


def test_every_code_of_the_contract_has_its_obstacle() -> None:
    """No reason code exists that nothing leads to."""
    assert set(OBSTACLES) == set(Code)


@pytest.mark.parametrize("code", list(OBSTACLES), ids=lambda code: code.value)
def test_each_obstacle_alone_is_told_with_what_to_type(code: Code) -> None:
    """One obstacle gives exactly its own code, with a sentence and a hint."""
    (reason,) = judge(replace(READY, **OBSTACLES[code]))
    assert reason.code is code
    assert reason.detail and reason.hint


def test_nothing_in_the_way_is_ready() -> None:
    """Commits, a change and a clean merge are all it takes where no signal is needed."""
    assert judge(READY) == ()


@given(st.sets(st.sampled_from(sorted(Code, key=lambda code: code.value))))
def test_ready_exactly_when_there_is_no_obstacle(chosen: set[Code]) -> None:
    """Whatever comes together: no obstacle is forgotten, none is invented, and each is told once."""
    facts = READY
    for code in chosen:
        facts = replace(facts, **OBSTACLES[code])
    found = codes(facts)
    assert (not found) == (not chosen)
    assert len(found) == len(set(found))
    agents = {Code.AGENT_RUNNING, Code.AGENT_FAILED}
    reviews = {Code.REVIEW_PENDING, Code.REVIEW_REJECTED}
    hidden: set[Code] = set()
    if Code.NO_COMMITS in chosen:  # without commits there is nothing to finish, merge, test or review
        about_commits = {Code.EMPTY_DIFF, Code.NO_SIGNAL, Code.CONFLICT, Code.GATE_FAILED, Code.NEEDS_HUMAN}
        hidden |= about_commits | reviews
    if chosen & agents:
        hidden.add(Code.NO_SIGNAL)
    if Code.CONFLICT in chosen:
        hidden.add(Code.EMPTY_DIFF)
    exclusive = [group & chosen for group in (agents, reviews)]
    assert chosen - hidden - set().union(*exclusive) <= set(found) <= chosen
    assert all(len(set(found) & group) == min(1, len(group - hidden)) for group in exclusive)


@given(
    st.builds(
        Facts,
        branch=st.text(min_size=1), target=st.just("roadmap"), task=st.none() | st.text(min_size=1),
        commits_ahead=st.integers(0, 3), changes=st.booleans(), dirty=st.lists(st.text(min_size=1)),
        unreadable=st.none() | st.text(min_size=1), in_progress=st.none() | st.just("a rebase"),
        agent=st.sampled_from(AgentState), agent_detail=st.text(), signal=st.sampled_from(Signal),
        conflicts=st.lists(st.text(min_size=1)), mergeable=st.booleans(), red_log=st.none() | st.text(),
        red=st.booleans(), review=st.sampled_from(Review), diverged=st.booleans(),
        protected=st.lists(st.text(min_size=1)), secrets=st.lists(st.text(min_size=1)),
        large=st.lists(st.text(min_size=1)), reverted=st.none() | st.just("5" * 40),
        review_detail=st.text(),
    )
)  # fmt: skip
def test_ready_needs_everything_of_the_definition(facts: Facts) -> None:
    """Against the definition in one line, whatever the facts; every word told has a sentence and a hint."""
    finished = facts.signal is Signal.GIVEN or (
        facts.signal is Signal.NOT_NEEDED and facts.agent is not AgentState.FAILED
    )
    ready = (
        facts.commits_ahead > 0 and facts.changes and facts.mergeable and not facts.conflicts
        and not facts.dirty and not facts.unreadable and facts.in_progress is None
        and facts.agent is not AgentState.RUNNING and finished and not facts.red and not facts.diverged
        and facts.review in (Review.NOT_ASKED, Review.APPROVED)
        and not (facts.protected or facts.secrets or facts.large)
    )  # fmt: skip
    reasons = judge(facts)
    assert (not reasons) == ready
    assert all(reason.detail and reason.hint for reason in reasons)


def test_a_given_signal_outweighs_a_failed_agent() -> None:
    """An agent that committed the line and then exited with an error has said that it is finished."""
    assert codes(replace(READY, agent=AgentState.FAILED, signal=Signal.GIVEN)) == []


def test_an_outdated_signal_says_so() -> None:
    """A commit after `coffee done` is told apart from a branch that nobody ever finished."""
    (reason,) = judge(replace(READY, signal=Signal.OUTDATED))
    assert reason.code is Code.NO_SIGNAL
    assert "earlier commit" in reason.detail


def test_a_reverted_branch_is_told_how_to_land_again() -> None:
    """Merging the target alone would take the work off the branch too, so that is never the advice."""
    (empty,) = judge(replace(READY, commits_ahead=0, reverted="5" * 40))
    assert empty.code is Code.NO_COMMITS and "taken back by 555555555555" in empty.detail
    assert empty.hint.endswith(f"coffee merge {READY.branch}")
    (conflict,) = judge(replace(READY, conflicts=["a"], mergeable=False, reverted="5" * 40))
    assert "git revert 555555555555" in conflict.hint


def test_naming_a_branch_waives_only_what_the_contract_says() -> None:
    """no-signal, needs-human and a remembered gate-failed; never a conflict or a dirty tree."""
    assert {code.value for code in WAIVED_BY_NAME} == {"no-signal", "needs-human", "gate-failed"}


def test_hostile_names_stay_on_their_line() -> None:
    """A file name with a line break and a colour cannot forge a second line of output."""
    assert listed(["a\n\x1b[31mb", "c", "d", "e", "f"]) == "a\\n\\x1b[31mb, c, d and 2 more"


def test_facts_have_no_field_that_the_table_forgets() -> None:
    """A new fact needs a new obstacle here, or it would be judged by nobody."""
    covered = {name for changes in OBSTACLES.values() for name in changes}
    words = {"branch", "target", "task", "agent_detail", "red_log", "unreadable", "reverted", "review_detail"}
    assert {field.name for field in fields(Facts)} == covered | words
