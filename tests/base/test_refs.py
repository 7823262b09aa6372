"""Refs over real git: exactly one winner, a real failure is never a lost race, and names cannot mislead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.discover import discover
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import ABSENT, GitFailed, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import (
    Move,
    Stored,
    encode,
    is_branch_name,
    list_refs,
    read_blobs,
    read_json,
    read_ref,
    read_stored,
    resolve_commit,
    to_sha,
    to_text,
    transact,
    write_json,
)

REF = "refs/coffee/tasks/US-1"
ODD = ["with space", 'quo"te', "new\nline", "$(touch owned)", "-n", "ünïcode ☕", "x" * 200, "caf\udce9", "tab\there"]


def blob(repo: Repo, text: str) -> Sha:
    return write_json(repo, {"text": text})


def test_transact_creates_moves_and_deletes(repo: Repo) -> None:
    """A ref goes from absent to one object, to another, and away, each only from where it is."""
    one, two = blob(repo, "1"), blob(repo, "2")
    assert transact(repo, [Move(REF, ABSENT, one)])
    assert transact(repo, [Move(REF, one, two)])
    assert read_ref(repo, REF) == two
    assert transact(repo, [Move(REF, two, ABSENT)])
    assert read_ref(repo, REF) is None


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_every_lost_race_is_false_and_moves_nothing(repo: Repo, git: Callable[..., str], packed: bool) -> None:
    """Created twice, moved from elsewhere, moved or deleted when gone: False, and the other ref stays too."""
    one, two, three = (blob(repo, text) for text in "123")
    assert transact(repo, [Move(REF, ABSENT, one)])
    if packed:
        git(repo.top, "pack-refs", "--all")
    for lost in (Move(REF, ABSENT, two), Move(REF, two, three), Move(REF, two, ABSENT)):
        assert not transact(repo, [Move("refs/coffee/other", ABSENT, one), lost])
    for gone in (Move("refs/coffee/gone", one, two), Move("refs/coffee/gone", one, ABSENT)):
        assert not transact(repo, [Move("refs/coffee/other", ABSENT, one), gone])
    assert list_refs(repo, "refs/coffee") == {REF: one}


def test_a_ref_that_came_back_is_still_a_lost_race(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the refs look right again by the time they are read, git's own words decide."""
    one, two = blob(repo, "1"), blob(repo, "2")
    assert transact(repo, [Move(REF, ABSENT, two)])
    monkeypatch.setattr("coffee_hooks.base.refs.list_refs", lambda *_: {REF: one})
    assert not transact(repo, [Move(REF, one, ABSENT)])


RACER = """
import sys
from pathlib import Path
from coffee_hooks.base.discover import discover
from coffee_hooks.base.refs import Move, transact, write_json

repo, me, ref = discover(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
print("ready", flush=True)
for line in sys.stdin:
    old = line.strip()
    mine = write_json(repo, {"me": me, "old": old})
    print(mine if transact(repo, [Move(ref, old, mine)]) else "lost", flush=True)
"""


def test_a_race_lost_in_words_we_do_not_know(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another git may say it otherwise: what the refs say decides."""
    monkeypatch.setattr("coffee_hooks.base.refs._LOST", re.compile("(?!)"))
    one, two = blob(repo, "1"), blob(repo, "2")
    assert transact(repo, [Move(REF, ABSENT, one)])
    for lost in (Move(REF, ABSENT, two), Move(REF, two, one), Move("refs/coffee/gone", one, ABSENT)):
        assert not transact(repo, [lost])


def test_eight_processes_race_and_one_wins(repo: Repo) -> None:
    """Create-only and compare-and-swap both have exactly one winner among eight real processes."""
    argv = [sys.executable, "-c", RACER, str(repo.top)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    racers = [subprocess.Popen([*argv, str(number), REF], **pipes) for number in range(8)]  # type: ignore[call-overload]
    assert [racer.stdout.readline() for racer in racers] == ["ready\n"] * 8
    old = ABSENT
    for _ in range(2):
        for racer in racers:
            racer.stdin.write(old + "\n")
            racer.stdin.flush()
        said = [racer.stdout.readline().strip() for racer in racers]
        won = [name for name in said if name != "lost"]
        assert len(won) == 1
        assert read_ref(repo, REF) == won[0]
        old = Sha(won[0])
    for racer in racers:
        racer.communicate()


def test_a_lock_that_nobody_frees_is_a_failure(repo: Repo) -> None:
    """A ``.lock`` that a killed git left is an error that names it, not a race that one loses for ever."""
    lock = repo.common_dir / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(GitFailed) as failed:
        transact(repo, [Move(REF, ABSENT, blob(repo, "1"))])
    assert str(lock) in failed.value.detail
    assert ".lock" in failed.value.hint


def test_a_lock_that_is_freed_is_waited_for(repo: Repo) -> None:
    """Another git that holds the same ref for a moment costs no failure."""
    lock = repo.common_dir / f"{REF}.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    with subprocess.Popen(["sh", "-c", 'sleep 0.2; rm "$0"', str(lock)]):
        assert transact(repo, [Move(REF, ABSENT, blob(repo, "1"))])


def test_names_that_stand_in_each_others_way_are_a_failure(repo: Repo) -> None:
    """``a`` and ``a/b`` cannot both be refs, and nobody took ``a/b``: not a lost race."""
    one = blob(repo, "1")
    assert transact(repo, [Move("refs/coffee/a", ABSENT, one)])
    with pytest.raises(GitFailed, match="update-ref"):
        transact(repo, [Move("refs/coffee/a/b", ABSENT, one)])


def test_a_file_where_refs_must_go_is_a_failure(repo: Repo) -> None:
    """What cannot be written is an error of the environment, even for root."""
    (repo.common_dir / "refs/coffee").write_text("in the way")
    with pytest.raises(GitFailed) as failed:
        transact(repo, [Move(REF, ABSENT, blob(repo, "1"))])
    assert failed.value.exit_code == 4


@pytest.mark.parametrize("trap", ["", "trap '' XFSZ; "], ids=["killed", "told"])
def test_a_full_disk_is_a_failure(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str) -> None:
    """A git that can write no byte more, dying of it or saying so, is an error and leaves no ref."""
    one = blob(repo, "1")
    real, fake = shutil.which("git"), tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n{trap}ulimit -f 0\nexec {real} "$@"\n')
    fake.chmod(0o755)
    with monkeypatch.context() as full:
        full.setenv("PATH", str(fake.parent), prepend=os.pathsep)
        with pytest.raises(GitFailed):
            transact(repo, [Move(REF, ABSENT, one)])
    assert read_ref(repo, REF) is None


def test_a_broken_ref_is_not_a_lost_race_for_ever(repo: Repo) -> None:
    """A ref file full of rubbish (a crash, a bad disk) does not read as free, and creating over it says so."""
    path = repo.common_dir / REF
    path.parent.mkdir(parents=True)
    path.write_text("rubbish")
    with pytest.raises(GitFailed) as failed:
        transact(repo, [Move(REF, ABSENT, blob(repo, "1"))])
    assert REF in failed.value.detail


@pytest.mark.parametrize("ref", ["", "refs/heads/x\0y", "refs/heads/\ud800"])
def test_a_name_that_no_ref_can_have_is_refused(repo: Repo, ref: str) -> None:
    """A NUL would smuggle a second line into the transaction."""
    with pytest.raises(UsageError):
        transact(repo, [Move(ref, ABSENT, blob(repo, "1"))])


def test_a_ref_can_be_kept_absent(repo: Repo) -> None:
    """From absent to absent is a condition on the others of the transaction, and moves nothing itself."""
    one = blob(repo, "1")
    free, other = Move(REF, ABSENT, ABSENT), Move("refs/coffee/other", ABSENT, one)
    assert transact(repo, [free, other])
    assert list_refs(repo, "refs/coffee") == {other.ref: one}
    assert transact(repo, [Move(REF, ABSENT, one)])
    assert not transact(repo, [free, Move(other.ref, one, ABSENT)])
    assert read_ref(repo, other.ref) == one


def test_a_repository_of_another_hash(git: Callable[..., str], tmp_path: Path) -> None:
    """With 64-digit names refs are created, moved and deleted in the same way."""
    git(tmp_path, "init", "-q", "--object-format=sha256")
    repo = discover(tmp_path)
    one, two = blob(repo, "1"), blob(repo, "2")
    assert to_sha(one) and len(one) == 64
    steps = [(ABSENT, one, True), (ABSENT, two, False), (one, two, True), (two, ABSENT, True), (ABSENT, ABSENT, True)]
    assert [transact(repo, [Move(REF, old, new)]) for old, new, _ in steps] == [won for _, _, won in steps]


def test_an_empty_transaction_is_won(repo: Repo) -> None:
    """Nothing to move is no failure, and asks git nothing."""
    assert transact(repo, [])


def test_reading_a_ref_never_finds_another(repo: Repo, git: Callable[..., str]) -> None:
    """git would take ``refs/heads/gone`` for a branch of that very name; we do not."""
    git(repo.top, "branch", "refs/heads/gone")
    assert git(repo.top, "rev-parse", "refs/heads/gone")
    assert read_ref(repo, "refs/heads/gone") is None
    assert read_ref(repo, "refs/heads/*") is None


def test_resolving_a_commit(repo: Repo, git: Callable[..., str]) -> None:
    """A revision of a person names a commit or nothing, an option among them."""
    tip = git(repo.top, "rev-parse", "HEAD")
    git(repo.top, "tag", "-a", "-m", "v1", "v1")
    assert [resolve_commit(repo, name) for name in ("roadmap", "v1", tip[:10])] == [tip] * 3
    odd = ("nosuch", "--all", "-x", "HEAD:a.txt", "", " ", "HEAD~9", "a\nb")
    assert [resolve_commit(repo, name) for name in odd] == [None] * len(odd)


def test_listing_leaves_symbolic_refs_out(repo: Repo, git: Callable[..., str]) -> None:
    """``origin/HEAD`` is no branch, and names that are not UTF-8 come back as they are."""
    tip = git(repo.top, "rev-parse", "HEAD")
    git(repo.top, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/caf\udce9")
    git(repo.top, "update-ref", "refs/remotes/origin/caf\udce9", tip)
    assert list_refs(repo, "refs/remotes/") == {"refs/remotes/origin/caf\udce9": tip}


def test_two_thousand_refs_cost_two_processes(repo: Repo) -> None:
    """Many refs are made in one transaction and read in one process."""
    from coffee_hooks.base import git as gate

    one = blob(repo, "1")
    names = {f"refs/coffee/tasks/US-{number}" for number in range(2000)}
    asked: list[object] = []
    gate.trace.append(asked.append)
    try:
        assert transact(repo, [Move(name, ABSENT, one) for name in names])
        assert list_refs(repo, "refs/coffee/tasks/").keys() == names
    finally:
        gate.trace.remove(asked.append)
    assert len(asked) == 2


@given(st.text())
def test_encoded_names_are_single_short_components(name: str) -> None:
    """Whatever a task is called, its ref is legal, one component and short enough for a file and its lock."""
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    text = encode(name)
    assert is_branch_name("x/" + text)
    assert "/" not in text
    assert len(text.encode()) <= 250


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_encoding_keeps_names_apart(one: bytes, two: bytes) -> None:
    """No two names share a ref, short and long ones among each other included."""
    assert (encode(os.fsdecode(one)) == encode(os.fsdecode(two))) == (one == two)


def test_a_short_name_cannot_pose_as_a_long_one() -> None:
    """A name chosen to spell the hash that ends a long name's encoding still gets a ref of its own."""
    for number in range(40):
        long = encode(f"{number}" + "x" * 300)
        head, _, tail = long.partition("%")
        for poser in (head + chr(int(tail[:2], 16)) + tail[2:] if _hex(tail[:2]) else "", head + "%" + tail, long):
            assert encode(poser) != long


def _hex(text: str) -> bool:
    return all(char in "0123456789abcdef" for char in text)


@pytest.mark.parametrize("name", [*ODD, "", ".", "..", "a..b", "a.lock", "@", "HEAD", "a/b", "%41", "A", "*", ".x."])
def test_git_accepts_encoded_names(repo: Repo, name: str) -> None:
    """Real git takes the ref for every odd name, and reads it back."""
    ref = "refs/coffee/tasks/" + encode(name)
    one = blob(repo, "1")
    assert transact(repo, [Move(ref, ABSENT, one)])
    assert list_refs(repo, "refs/coffee/tasks") == {ref: one}


BRANCHES = [
    "roadmap", "roadmap-wt1", "a/b", "-x", "a b", "a..b", "a~", "a^", "a:b", "a?", "a*", "a[", "a\\", "a@{b", "@a",
    "a@", "HEAD", "head", "a/", "/a", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a.locks", "a/b.lock", ".lock",
    "$(x)", "it's", 'a"b', "é", "caf\udce9", "x" * 200, "a\tb", "a\nb", "a\x7f", "\u00a0", "refs/heads/x", "a\x01", "",
]  # fmt: skip


def test_branch_names_are_judged_as_git_does(tmp_path: Path) -> None:
    """Every odd name gets the verdict of git-check-ref-format(1)."""
    ours = {name: is_branch_name(name) for name in BRANCHES}
    argv = ["git", "-C", str(tmp_path), "check-ref-format", "--branch"]
    theirs = {
        name: subprocess.run([*argv, name], capture_output=True, check=False).returncode == 0 for name in BRANCHES
    }
    assert ours == theirs
    # Half a character, an end of text, and what git reads as HEAD.
    assert not any(map(is_branch_name, ("\ud800", "a\0b", "@")))


def test_blobs_are_found_under_odd_names(repo: Repo, git: Callable[..., str]) -> None:
    """Spaces, quotes, newlines, shell and bytes that are not UTF-8 in a path; missing ones are left out."""
    names = [name for name in ODD if len(name) < 200] + ["HEAD missing", "x\ny missing", "dir/" + "y" * 200]
    for name in names:
        path = repo.top / os.fsdecode(os.fsencode(name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(os.fsencode(name) + b"\0\n")
    git(repo.top, "add", "--all")
    git(repo.top, "commit", "-q", "-m", "odd")
    asked = [f"HEAD:{name}" for name in names]
    mixed = [item for name in asked for item in (name, name + "\nno", name + " missing", "")]
    found = read_blobs(repo, mixed)
    assert found == {name: os.fsencode(name.removeprefix("HEAD:")) + b"\0\n" for name in asked}
    assert not (repo.top / "owned").exists()


def test_blobs_of_things_that_are_none(repo: Repo, git: Callable[..., str]) -> None:
    """A submodule's pointer and a missing object are left out; what comes after them is read all the same."""
    git(repo.top, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(repo.top, "commit", "-q", "-m", "sub")
    assert read_blobs(repo, ["HEAD:sub", "2" * 40, "0000", "HEAD:a.txt"]) == {"HEAD:a.txt": b"one\n"}
    assert read_blobs(repo, []) == {}


def test_a_large_blob_is_read_whole(repo: Repo, git: Callable[..., str]) -> None:
    """Fifty million bytes beside a small file come back to the byte."""
    (repo.top / "large").write_bytes(b"coffees\n\0\xff" * 5_000_000)
    name = git(repo.top, "-c", "core.compression=0", "hash-object", "-w", "large")
    found = read_blobs(repo, [name, "HEAD:a.txt"])
    assert len(found[Sha(name)]) == 50_000_000
    assert found[Sha(name)][-10:] == b"coffees\n\0\xff"
    assert found[Sha("HEAD:a.txt")] == b"one\n"


def test_json_survives_names_that_are_not_utf8(repo: Repo) -> None:
    """What is written is what is read, lone bytes and newlines included."""
    value = {"branch": "caf\udce9", "text": "é\n☕", "none": None}
    sha = write_json(repo, value)
    assert read_json(repo, [sha]) == {sha: value}


@pytest.mark.parametrize("data", ["[]", "nul", "", "[" * 100_000, "{'a': 1}", "caf\udce9", "9" * 5000, '"x"'])
def test_hostile_json_is_left_out(repo: Repo, git: Callable[..., str], data: str) -> None:
    """A blob that is no JSON object, however it fails, spoils no other one."""
    bad = Sha(git(repo.top, "hash-object", "-w", "--stdin", input=data))
    good = blob(repo, "1")
    assert read_json(repo, [bad, good, ABSENT]) == {good: {"text": "1"}}


JSON = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=3)


@given(JSON)
def test_only_object_names_and_text_pass(value: object) -> None:
    """The two readers of JSON fields give back what they got or raise ValueError, nothing else."""
    for read in (to_sha, to_text):
        try:
            assert read(value) == value
            assert isinstance(value, str)
        except ValueError:
            pass
    assert to_sha("a" * 40) and to_sha("0" * 64) and to_text("") == ""
    for wrong in ("A" * 40, "a" * 39, "a" * 40 + "\n"):
        with pytest.raises(ValueError, match="object name"):
            to_sha(wrong)


def test_what_refs_hold_is_read_with_them(repo: Repo, git: Callable[..., str]) -> None:
    """In one process, whatever else lies there; a blob that is missing hides no other."""
    places = ["refs/coffee/x/plain", "refs/coffee/x/\u2615"]
    for place in places:
        transact(repo, [Move(place, ABSENT, blob(repo, place))])
    odd = [b"", b"[]", b"no", b'{"a": 1}\0refs/coffee/x/b\0', b'\0\0\0{"a": 1}', b"\n" * 3]
    for number, data in enumerate(odd):
        sha = repo.objects("hash-object", "-w", "--stdin", stdin=data).text
        transact(repo, [Move(f"refs/coffee/x/odd{number}", ABSENT, Sha(sha))])
    transact(repo, [Move("refs/coffee/x/commit", ABSENT, Sha(git(repo.top, "rev-parse", "HEAD")))])
    git(repo.top, "symbolic-ref", "refs/coffee/x/symbolic", places[0])
    expected = {place: Stored(blob(repo, place), {"text": place}) for place in places}
    assert read_stored(repo, "refs/coffee/x/") == expected
    assert read_stored(repo, "refs/coffee/none/") == {}
    (repo.common_dir / "refs/coffee/x/missing").write_text("1" * 40 + "\n")
    assert read_stored(repo, "refs/coffee/x/") == expected
