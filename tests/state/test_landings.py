"""The landing record: nothing is dropped from it, whoever else writes, and rubbish beside it is no landing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from coffee_hooks.base.git import ABSENT, GitFailed, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import transact
from coffee_hooks.state.landings import REF, REMOTES, Landing, Member, append, read_landings

Git = Callable[..., str]
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "coffee"), ("EMAIL", "coffee@localhost"), ("DATE", "1760900000 +0000"))
}


def landing(number: int, **changes: object) -> Landing:
    sha = Sha(f"{number:040x}")
    member = Member(f"US-{number}", f"roadmap-wt{number}", sha, sha)
    made = Landing("roadmap", sha, sha, sha, (member,), ("pytest", "-q"), "green", 1760900000 + number)
    return replace(made, **changes)  # type: ignore[arg-type]


def land(repo: Repo, value: Landing, theirs: Sha | None = None) -> Sha:
    move = append(repo, value, IDENTITY, theirs)
    assert transact(repo, [move])
    return move.new


def test_landings_are_read_in_the_order_they_were_written(repo: Repo) -> None:
    """What went in comes out, the oldest first, odd names and a task that has none included."""
    odd = landing(
        2,
        members=(
            Member(None, 'roadmap-"\n$(x)', Sha("2" * 40), Sha("3" * 40), roadmap="specs/é/tasks.md"),
            *landing(3).members,
        ),
        gate=("sh", "-c", "caf\udce9 ☕"),
        blamed=("roadmap-wt9",),
    )
    written = (landing(1), odd, landing(3))
    assert read_landings(repo) == ()
    for each in written:
        land(repo, each)
    assert read_landings(repo) == written


def test_the_clocks_of_two_machines_do_not_change_the_order(repo: Repo, git: Git) -> None:
    """A landing on top of another one is later, whatever its machine believes the time to be."""

    def at(year: int, number: int, theirs: Sha | None = None) -> Sha:
        move = append(repo, landing(number), IDENTITY | {"GIT_COMMITTER_DATE": f"{year}-01-01T00:00:00Z"}, theirs)
        git(repo.top, "update-ref", REF, move.new)
        return move.new

    start = at(2026, 1)
    theirs = at(2001, 2)
    git(repo.top, "update-ref", REF, start)
    at(2012, 3)
    at(2012, 4, theirs)
    found = read_landings(repo)
    assert (found[0], found[3], len(found)) == (landing(1), landing(4), 4)


def test_a_lost_race_is_seen(repo: Repo) -> None:
    """Two records that start from the same one: the second move does not overwrite the first."""
    one, two = (append(repo, landing(number), IDENTITY) for number in (1, 2))
    assert (one.old, two.old) == (ABSENT, ABSENT)
    assert transact(repo, [one]) and not transact(repo, [two])
    assert read_landings(repo) == (landing(1),)


def test_two_diverged_records_become_one(repo: Repo, git: Git) -> None:
    """A landing here and one on the remote: the next one contains both, and every landing counts once."""
    start = land(repo, landing(1))
    ours = land(repo, landing(2))
    git(repo.top, "update-ref", REF, start)
    theirs = land(repo, landing(3))
    git(repo.top, "update-ref", f"{REMOTES}origin/landings", theirs)
    git(repo.top, "update-ref", REF, ours)
    assert set(read_landings(repo)) == {landing(1), landing(2), landing(3)}
    assert read_landings(repo)[0] == landing(1)
    both = land(repo, landing(4), theirs)
    assert git(repo.top, "log", "-1", "--format=%P", both).split() == sorted([ours, theirs])
    assert read_landings(repo)[3] == landing(4)
    assert len(read_landings(repo)) == 4


def test_a_record_that_the_other_contains_is_no_second_parent(repo: Repo, git: Git) -> None:
    """Behind the remote, equal to it or without a record of our own, the new one has one parent: the newest."""
    one = land(repo, landing(1))
    two = land(repo, landing(2))
    for ours, theirs, parent in ((one, two, two), (two, one, two), (two, two, two), (None, two, two), (None, None, "")):
        git(repo.top, "update-ref", *([REF, ours] if ours else ["-d", REF]))
        made = append(repo, landing(3), IDENTITY, theirs)
        assert made.old == (ours or ABSENT)
        assert git(repo.top, "log", "-1", "--format=%P", made.new) == parent


def record(repo: Repo, git: Git, text: str, name: str = "landing.json") -> str:
    """A commit as the record has them, with any text in it."""
    blob = git(repo.top, "hash-object", "-w", "--stdin", input=text)
    tree = git(repo.top, "mktree", input=f"100644 blob {blob}\t{name}\n")
    return git(repo.top, "commit-tree", "-m", "x", tree)


FIELDS = json.loads(
    '{"target": "roadmap", "before": "%s", "after": "%s", "tree": "%s", "members": [], "gate": ["x"],'
    ' "verdict": "green", "when": 1}' % (("1" * 40,) * 3)
)
HOSTILE = {
    "not JSON": "{",
    "a list": "[1]",
    "deep": "[" * 100_000,
    "no members": json.dumps({**FIELDS, "members": None}),
    "members are text": json.dumps({**FIELDS, "members": ["x"]}),
    "member without sha": json.dumps({**FIELDS, "members": [{"task": None, "branch": "x"}]}),
    "member with NUL": json.dumps(
        {**FIELDS, "members": [{"task": None, "branch": "\0", "sha": "1" * 40, "merge_commit": "1" * 40}]}
    ),
    "sha is a name": json.dumps({**FIELDS, "after": "HEAD"}),
    "gate is text": json.dumps({**FIELDS, "gate": "rm -rf"}),
    "verdict is a list": json.dumps({**FIELDS, "verdict": []}),
    "endless": json.dumps({**FIELDS, "when": float("inf")}),
    "not UTF-8": json.dumps(FIELDS).replace("green", "caf\udce9"),
}


def test_the_form_of_a_hostile_record_is_right_but_for_the_fault() -> None:
    """The cases below fail for their fault alone: without it the same text is a landing."""
    from coffee_hooks.state import landings

    assert landings._decode(json.dumps(FIELDS).encode())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_record_that_makes_no_sense_is_left_out(repo: Repo, git: Git, text: str) -> None:
    """What somebody else pushed as a record neither crashes nor hides the real landings."""
    land(repo, landing(1))
    for number, commit in enumerate((record(repo, git, text), record(repo, git, text, "other.json"))):
        git(repo.top, "update-ref", f"{REMOTES}r{number}/landings", commit)
    assert read_landings(repo) == (landing(1),)


def test_a_record_that_is_no_commit_is_no_record(repo: Repo, git: Git) -> None:
    """A blob in the place of the remote's record holds no landing; the next landing is written all the same."""
    one = land(repo, landing(1))
    blob = Sha(git(repo.top, "hash-object", "-w", "--stdin", input="{}"))
    git(repo.top, "update-ref", f"{REMOTES}origin/landings", blob)
    assert read_landings(repo) == (landing(1),)
    assert git(repo.top, "log", "-1", "--format=%P", land(repo, landing(2), blob)) == one


def test_a_record_with_holes_is_an_error(repo: Repo, git: Git) -> None:
    """A lost commit in the middle could hide anything, so it is not passed over in silence."""
    one = land(repo, landing(1))
    land(repo, landing(2))
    (repo.common_dir / "objects" / one[:2] / one[2:]).unlink()
    with pytest.raises(GitFailed):
        read_landings(repo)
    assert git(repo.top, "rev-parse", REF)
