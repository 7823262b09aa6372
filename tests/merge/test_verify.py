"""Promise 1 is proved on history: what was tested, what only says so, and what is other people's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Sha
from coffee_hooks.merge.verify import Commit, Proof, check
from coffee_hooks.state.landings import Landing

if TYPE_CHECKING:
    from conftest import Lane

A, B, C, TREE, OTHER = (Sha(digit * 40) for digit in "abcde")
OURS = f"Merge parallel work\n\nText\n\nCoffee-Branch: roadmap-wt1\nCoffee-Sha: {B}\n"


def landing(*, before: Sha = A, tree: Sha = TREE, verdict: str = "green") -> Landing:
    return Landing("roadmap", before, C, tree, (), ("true",), verdict, 1)


@pytest.mark.parametrize(
    ("message", "known", "wanted"),
    [
        (OURS, landing(), Proof.TESTED),
        ("Anything", landing(), Proof.TESTED),
        (OURS, landing(tree=OTHER), Proof.ALTERED),
        (OURS, landing(before=B), Proof.ALTERED),
        (OURS, landing(verdict="red"), Proof.ALTERED),
        (OURS, None, Proof.UNRECORDED),
        ("feat: Somebody else's\n", None, Proof.OTHER),
        (f"docs: Explain\n\nCoffee-Sha: {B}\n\nis a trailer of ours.\n", None, Proof.OTHER),
        (f"Quote:\n    Coffee-Sha: {B}\n", None, Proof.OTHER),
        ("x\n\nCoffee-Sha: nonsense\n", None, Proof.OTHER),
    ],
)
def test_one_commit_against_the_record(message: str, known: Landing | None, wanted: Proof) -> None:
    """Tree, parent and verdict of the record decide; without one, the trailers say whose it claims to be."""
    (found,) = check([Commit(C, TREE, A, message)], {C: known} if known else {})
    assert found.proof is wanted
    assert found.good == (wanted in (Proof.TESTED, Proof.OTHER))


@given(st.text())
def test_no_message_alone_is_proof(message: str) -> None:
    """Without a record nothing is ever called tested."""
    (found,) = check([Commit(C, TREE, A, message)], {})
    assert found.proof in (Proof.OTHER, Proof.UNRECORDED)


def verdicts(lane: Lane) -> tuple[int, list[str]]:
    said = lane.verify()
    return said.rc, [commit["verdict"] for commit in said.json["commits"]]


def test_a_healthy_history(lane: Lane) -> None:
    """Landings are tested, everything else is other people's, and that is fine."""
    lane.branch(1)
    lane.merge()
    lane.box.commit({"x": "1\n"})
    assert verdicts(lane) == (0, ["other", "tested", "other", "other"])


def test_since_limits_what_is_checked(lane: Lane) -> None:
    """Only what came after the given revision; one that is none is a usage error."""
    lane.branch(1)
    before = lane.target
    lane.merge()
    said = lane.verify("--since", before)
    assert [commit["verdict"] for commit in said.json["commits"]] == ["tested"]
    wrong = lane.verify("--since", "no-such-thing")
    assert (wrong.rc, wrong.json) == (2, {})


@pytest.mark.parametrize("how", ["message", "tree"])
def test_an_amended_landing_is_found(alone: Lane, how: str) -> None:
    """Its trailers still say that it is ours, but nobody tested this commit: exit 1."""
    alone.branch(1)
    alone.merge()
    if how == "tree":
        (alone.work / "pkg/alpha.py").write_text("broken\n")
    alone.git(alone.work, "commit", "-q", "-a", "--amend", "--no-edit", "--date=2020-01-01T00:00:00Z")
    rc, found = verdicts(alone)
    assert (rc, found[0]) == (1, "unrecorded")


def test_a_merge_by_hand_that_copies_our_trailers_is_found(alone: Lane) -> None:
    """The trailers of a landing on a merge that no gate has seen."""
    alone.branch(1)
    alone.merge()
    text = alone.git(alone.work, "log", "-1", "--format=%B")
    alone.branch(2)
    alone.git(alone.work, "merge", "-q", "--no-ff", "-m", text, "roadmap-wt2")
    assert verdicts(alone)[:1] == (1,)
    assert verdicts(alone)[1][:2] == ["unrecorded", "tested"]


def test_a_record_that_was_changed_is_found(alone: Lane) -> None:
    """A record that names another tree for a landing convicts it."""
    alone.branch(1)
    merged = alone.merge().result["merge_commit"]
    value = json.loads(alone.git(alone.work, "show", "refs/coffee/landings:landing.json"))
    value["tree"] = alone.tree(f"{merged}^1")
    blob = alone.git(alone.work, "hash-object", "-w", "--stdin", input=json.dumps(value))
    tree = alone.git(alone.work, "mktree", input=f"100644 blob {blob}\tlanding.json\n")
    forged = alone.git(alone.work, "commit-tree", tree, "-m", "x")
    alone.git(alone.work, "update-ref", "refs/coffee/landings", forged)
    rc, found = verdicts(alone)
    assert (rc, found[0]) == (1, "altered")


def test_the_remote_is_asked_only_when_something_is_not_known(lane: Lane) -> None:
    """A clone that knows its landings proves them without a network; one that does not says that it cannot tell."""
    lane.branch(1)
    lane.merge()
    fresh = lane.work.parent / "fresh"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(fresh))
    lane.box.origin.rename(lane.box.origin.with_name("away.git"))
    assert verdicts(lane)[0] == 0
    said = lane.verify(where=fresh)
    assert (said.rc, said.json) == (4, {})


def test_a_landing_that_was_reverted_by_hand_is_other_work(lane: Lane) -> None:
    """git's own revert of a landing quotes nothing that makes it ours."""
    lane.branch(1)
    lane.merge()
    lane.git(lane.work, "revert", "-m", "1", "--no-edit", "HEAD")
    assert verdicts(lane)[1][:2] == ["other", "tested"]
