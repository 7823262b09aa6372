"""Claims over real refs: created once, changed by compare-and-swap, and hostile ones are nobody's."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.refs import list_refs, transact
from coffee_hooks.state.claims import PREFIX, Claim, ClaimState, moved, owner_name, read_claims, update

Git = Callable[..., str]
BASE = Sha("1" * 40)


def claim(task: str = "US-104", branch: str = "roadmap-wt1") -> Claim:
    return Claim(TaskId(task), branch, BASE, owner_name(), 1, ClaimState.CLAIMED, None, None, 1760900000)


@pytest.mark.parametrize("branch", ["roadmap-wt1", "roadmap-caf\udce9", "roadmap-$(x)", 'roadmap-quo"te', "ünï☕"])
@pytest.mark.parametrize("task", ["US-104", "PRIORITY-25", "odd task/é\n"])
def test_a_claim_is_read_as_it_was_written(repo: Repo, task: str, branch: str) -> None:
    """Odd names of task and branch, bytes that are not UTF-8 among them, survive the round trip."""
    made, move = moved(repo, dataclasses.replace(claim(task, branch), reason="why\n", roadmap="specs/é/tasks.md"))
    assert transact(repo, [move])
    assert read_claims(repo) == {task: made}


def test_two_claims_of_the_same_bytes_are_two(repo: Repo) -> None:
    """The nonce keeps apart what two owners write in the same second: one of them loses."""
    (one, first), (two, second) = moved(repo, claim()), moved(repo, claim())
    assert first.new != second.new
    assert transact(repo, [first])
    assert not transact(repo, [second])
    assert read_claims(repo) == {"US-104": one}
    assert dataclasses.replace(one, nonce="", blob=ABSENT) == dataclasses.replace(two, nonce="", blob=ABSENT)


def test_a_change_needs_the_claim_as_it_is(repo: Repo) -> None:
    """An update gives the changed claim, the next one starts from that; from the old one it is lost."""
    created = update(repo, claim())
    assert created
    done = update(repo, created, state=ClaimState.DONE, sha=BASE)
    assert done and (done.state, done.sha, done.open) == (ClaimState.DONE, BASE, True)
    assert update(repo, created, state=ClaimState.BLOCKED) is None
    landed = update(repo, done, state=ClaimState.LANDED)
    assert landed and not landed.open
    assert read_claims(repo) == {"US-104": landed}


GOOD = {"task": "US-1", "branch": "roadmap-wt1", "base": BASE, "state": "claimed"}
HOSTILE: dict[str, object] = {
    "no object": [],
    "empty": {},
    "other task": {**GOOD, "task": "US-2"},
    "no branch": {**GOOD, "branch": None},
    "option": {**GOOD, "branch": "--all"},
    "newline": {**GOOD, "branch": "a\nb"},
    "nul": {**GOOD, "branch": "a\0b"},
    "half character": {**GOOD, "branch": "\ud800"},
    "base is a name": {**GOOD, "base": "HEAD"},
    "base is a list": {**GOOD, "base": [BASE]},
    "state": {**GOOD, "state": "finished"},
    "state is a list": {**GOOD, "state": []},
    "sha": {**GOOD, "sha": "--force"},
    "attempt": {**GOOD, "attempt": "many"},
    "endless": {**GOOD, "since": float("inf")},
    "reason": {**GOOD, "reason": {"a": 1}},
    "owner": {**GOOD, "owner": 7},
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_claim_that_makes_no_sense_is_not_acted_on(repo: Repo, git: Git, value: object) -> None:
    """Whatever somebody pushed under a task's name, the other claims are read, and nothing crashes."""
    good = update(repo, claim())
    blob = git(repo.top, "hash-object", "-w", "--stdin", input=json.dumps(value))
    git(repo.top, "update-ref", PREFIX + "US-1", blob)
    assert read_claims(repo) == {"US-104": good}


def test_a_claim_of_a_later_version_is_understood(repo: Repo, git: Git) -> None:
    """The least a claim must say is enough, and fields that we do not know are no obstacle."""
    blob = git(repo.top, "hash-object", "-w", "--stdin", input=json.dumps({**GOOD, "priority": [1]}))
    git(repo.top, "update-ref", PREFIX + "US-1", blob)
    expected = Claim(TaskId("US-1"), "roadmap-wt1", BASE, "", 1, ClaimState.CLAIMED, None, None, 0, "", Sha(blob))
    assert read_claims(repo) == {"US-1": expected}


def test_a_claim_cannot_stand_in_for_another_task(repo: Repo, git: Git) -> None:
    """JSON that says US-104 under the ref of US-1 does not hide the claim of US-104."""
    real = update(repo, claim())
    assert real
    git(repo.top, "update-ref", PREFIX + "US-1", real.blob)
    git(repo.top, "update-ref", PREFIX + "ZZ-1", real.blob)
    assert read_claims(repo) == {"US-104": real}
    assert len(list_refs(repo, PREFIX)) == 3


def test_the_owner_has_a_name_without_a_password_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container whose user is unknown, the number stands for the name."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    assert "@" in owner_name()
    monkeypatch.setattr("getpass.getuser", nobody)
    assert owner_name().partition("@")[0].isdigit()


@pytest.mark.parametrize("state", ClaimState)
def test_a_landed_name_is_free_for_the_next_list(state: ClaimState) -> None:
    """T001 of one feature landed, that of another has not; what is being worked on is free for nobody."""
    made = dataclasses.replace(claim("T001"), state=state, roadmap="specs/a/tasks.md")
    over = state in (ClaimState.RELEASED, ClaimState.REVERTED)
    assert made.is_free("specs/a/tasks.md") is over
    assert made.is_free("specs/b/tasks.md") is (over or state is ClaimState.LANDED)
    story = dataclasses.replace(made, task=TaskId("US-1"))
    assert story.is_free("specs/b/tasks.md") is over
    unknown = dataclasses.replace(made, roadmap=None)
    assert unknown.is_free("specs/b/tasks.md") is over
