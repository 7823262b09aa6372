"""Verdicts, blames and intents: small JSON under refs, replaced, forgotten and never trusted blindly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_ref, transact
from coffee_hooks.state.blame import PREFIX as BLAMES
from coffee_hooks.state.blame import Blame, blame, forgive, read_blames
from coffee_hooks.state.intent import REF, Intent, clear, declare, pending
from coffee_hooks.state.verdicts import PREFIX, Remembered, Verdict, key, recall, remember

Git = Callable[..., str]
ONE, TWO, THREE = (Sha(digit * 40) for digit in "123")
NONSENSE = ["", "{", "[]", "{}", "[" * 50_000, '{"verdict": []}', '{"verdict": "blue"}', '{"base": 1, "moves": 1}']


def write(repo: Repo, git: Git, ref: str, text: str) -> None:
    git(repo.top, "update-ref", ref, git(repo.top, "hash-object", "-w", "--stdin", input=text))


def test_a_verdict_is_remembered_and_replaced(repo: Repo) -> None:
    """The last final verdict under a key is the one that is recalled."""
    ref = key(ONE, ("pytest", "-q"), {})
    assert recall(repo, ref) is None
    for verdict in (Remembered(Verdict.RED, 1.5, 2, "/logs/caf\udce9"), Remembered(Verdict.GREEN, 0.25, 1, None)):
        remember(repo, ref, verdict)
        assert recall(repo, ref) == verdict
    assert list(list_refs(repo, PREFIX)) == [ref]


def test_the_key_of_a_verdict() -> None:
    """Tree, command and the files of the environment each make another key; the order of files does not."""
    command, files = ("pytest", "-q"), {"uv.lock": ONE, "caf\udce9": None}
    keys = [
        key(ONE, command, files), key(TWO, command, files), key(ONE, ("pytest -q",), files), key(ONE, command, {}),
        key(ONE, command, {**files, "uv.lock": TWO}), key(ONE, command, {**files, "uv.lock": None}),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert key(ONE, command, dict(reversed(files.items()))) == keys[0]
    assert keys[0].startswith(f"{PREFIX}{ONE}/")


@pytest.mark.parametrize(
    "text",
    [*NONSENSE, '{"verdict": "green", "seconds": "x"}', '{"verdict": "green", "runs": null}',
     '{"verdict": "green", "runs": 1e999}'],
)  # fmt: skip
def test_a_verdict_that_makes_no_sense_is_tested_again(repo: Repo, git: Git, text: str) -> None:
    """Nothing unreadable is green, and it can be replaced."""
    ref = key(ONE, (), {})
    write(repo, git, ref, text)
    assert recall(repo, ref) is None
    remember(repo, ref, Remembered(Verdict.GREEN, math.pi, 1, None))
    assert recall(repo, ref) == Remembered(Verdict.GREEN, 3.142, 1, None)


def test_blame_is_kept_renewed_and_forgiven(repo: Repo) -> None:
    """One blame for each commit; forgiving one, or one that was never blamed, leaves the others."""
    first, second = Blame(ONE, TWO, THREE, "/log"), Blame(TWO, ONE, THREE, None)
    for each in (Blame(ONE, THREE, THREE, None), first, second):
        blame(repo, each)
    assert read_blames(repo) == {ONE: first, TWO: second}
    forgive(repo, ONE)
    forgive(repo, THREE)
    assert read_blames(repo) == {TWO: second}


def test_a_blame_of_another_machine_counts_until_it_is_forgiven(repo: Repo, git: Git) -> None:
    """Its log is not here; forgiven here, it is gone at once and not with the next fetch; our own goes first."""
    blame(repo, Blame(ONE, TWO, THREE, "/there/log"))
    here, there = BLAMES + ONE, f"refs/coffee-remote/origin/verdicts/blamed/{ONE}"
    git(repo.top, "update-ref", there, here)
    assert read_blames(repo, "origin") == {ONE: Blame(ONE, TWO, THREE, "/there/log")}
    git(repo.top, "update-ref", "-d", here)
    assert (read_blames(repo), read_blames(repo, "other")) == ({}, {})
    assert read_blames(repo, "origin") == {ONE: Blame(ONE, TWO, THREE, None)}
    assert forgive(repo, ONE, "origin") == here
    assert read_blames(repo, "origin") == {}


@pytest.mark.parametrize("text", [*NONSENSE, json.dumps({"base": ONE, "tree": "x"}), json.dumps({"base": ONE})])
def test_a_blame_that_makes_no_sense_blames_nobody(repo: Repo, git: Git, text: str) -> None:
    """Rubbish under the prefix, or a good blame under a name that is no commit, is left out."""
    blame(repo, Blame(ONE, TWO, THREE, None))
    write(repo, git, BLAMES + TWO, text)
    write(repo, git, BLAMES + "main", json.dumps({"base": ONE, "tree": TWO}))
    assert list(read_blames(repo)) == [ONE]


def test_an_intent_is_declared_found_and_cleared(repo: Repo) -> None:
    """What a killed landing was about to do is read back as it was; clearing it works once."""
    moves = (Move("refs/coffee/landings", ABSENT, ONE), Move("refs/coffee/tasks/caf\udce9", TWO, THREE))
    assert pending(repo) is None
    declare(repo, "roadmap", ONE, TWO, ())
    intent = declare(repo, "caf\udce9", ONE, TWO, moves)
    assert intent == Intent("caf\udce9", ONE, TWO, moves, intent.since, intent.blob)
    assert pending(repo) == intent
    assert transact(repo, [clear(intent)])
    assert pending(repo) is None
    assert not transact(repo, [clear(intent)])


def test_an_intent_that_was_not_written_is_no_intent(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody without the lock was first: the landing stops before it changes anything."""
    theirs = declare(repo, "roadmap", ONE, TWO, ())
    monkeypatch.setattr("coffee_hooks.state.intent.read_ref", lambda *_: None)
    with pytest.raises(EnvironmentFailure, match="another landing"):
        declare(repo, "roadmap", TWO, THREE, ())
    assert read_ref(repo, REF) == theirs.blob


@pytest.mark.parametrize(
    "text",
    [*NONSENSE, json.dumps({"target": "x", "before": ONE, "after": "HEAD", "moves": [], "since": 1}),
     json.dumps({"target": "x", "before": ONE, "after": TWO, "moves": [["a", ONE]], "since": 1})],
)  # fmt: skip
def test_an_intent_that_cannot_be_read_is_not_passed_over(repo: Repo, git: Git, text: str) -> None:
    """A landing may be half done, so a person is told how to look at it and drop it."""
    write(repo, git, REF, text)
    with pytest.raises(EnvironmentFailure) as failed:
        pending(repo)
    assert f"git update-ref -d {REF}" in failed.value.hint
