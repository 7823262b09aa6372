"""The remote's answer is read right: landed is landed, refused is refused, and not knowing is neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.push import Pushed, read_answer

if TYPE_CHECKING:
    from conftest import Lane

HEAD, RECORD = "refs/heads/roadmap", "refs/coffee/landings"
SHA = "1" * 40
ATOMIC = "atomic transaction failed"


def line(flag: str, ref: str, summary: str) -> str:
    return f"{flag}\t{SHA}:{ref}\t{summary}\n"


def told(*lines: str, err: str = "", refs: tuple[str, ...] = (HEAD, RECORD)) -> Pushed:
    return read_answer("To origin\n" + "".join(lines) + "Done\n", err, refs).pushed


@given(st.text(), st.text())
def test_silence_is_never_success(out: str, err: str) -> None:
    """Only a line for each pushed ref with a good flag counts as accepted."""
    if f":{HEAD}\t" not in out:
        assert read_answer(out, err, [HEAD]).pushed is not Pushed.ACCEPTED


@pytest.mark.parametrize(
    ("head", "record", "wanted"),
    [
        (" ", "+", Pushed.ACCEPTED),
        ("=", "=", Pushed.ACCEPTED),
        ("*", "*", Pushed.ACCEPTED),
        ("stale info", ATOMIC, Pushed.MOVED),
        (ATOMIC, "stale info", Pushed.MOVED),
        ("cannot lock ref 'x': is at 1 but expected 2", ATOMIC, Pushed.MOVED),
        ("protected branch hook declined", ATOMIC, Pushed.REFUSED),
        (ATOMIC, "hook declined", Pushed.NO_OTHER_REFS),
        ("pre-receive hook declined", "pre-receive hook declined", Pushed.NO_OTHER_REFS),
        ("hook declined", "hook declined", Pushed.REFUSED),
        ("remote failed to report status", "remote failed to report status", Pushed.UNREACHABLE),
    ],
)
def test_the_flags_decide(head: str, record: str, wanted: Pushed) -> None:
    """Each pair of flags as git and the hosts send them."""
    lines = [
        line(said, ref, "x..y") if len(said) == 1 else line("!", ref, f"[remote rejected] ({said})")
        for said, ref in ((head, HEAD), (record, RECORD))
    ]
    assert told(*lines) is wanted


def test_a_refused_target_alone_is_refused() -> None:
    """Without other refs in the push there is nobody else to blame."""
    assert told(line("!", HEAD, "[remote rejected] (pre-receive hook declined)"), refs=(HEAD,)) is Pushed.REFUSED


def test_no_flag_at_all_is_unknown() -> None:
    """A connection that broke, whatever it said; a server without atomic pushes is another case."""
    assert told(err="fatal: the remote end hung up unexpectedly") is Pushed.UNREACHABLE
    assert told(err="fatal: the receiving end does not support --atomic push") is Pushed.NO_OTHER_REFS


def fresh(lane: Lane) -> Path:
    """A new clone of the origin."""
    where = lane.work.parent / "fresh"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(where))
    return where


Hook = Callable[[str, str], None]

NO_COFFEE = {
    "pre-receive": """
        while read old new ref; do
            case $ref in refs/coffee/*) echo "only heads and tags" >&2; exit 1;; esac
        done""",
    "update": 'case $1 in refs/coffee/*) echo "only heads and tags" >&2; exit 1;; esac',
}


@pytest.mark.parametrize("name", NO_COFFEE)
def test_a_host_without_our_refs_gets_the_target_alone(lane: Lane, server_hook: Hook, name: str) -> None:
    """It has landed and that is said; the record is kept here, and a second landing works just the same."""
    server_hook(name, NO_COFFEE[name])
    for number in (1, 2):
        lane.branch(number)
        said = lane.merge(f"roadmap-wt{number}")
        lane.assert_landed(said, number)
        assert "takes no refs/coffee/*" in said.err
    assert not lane.box.refs("refs/coffee/", lane.box.origin)
    assert not lane.box.refs("refs/coffee-remote/")
    assert [c["verdict"] for c in lane.verify().json["commits"]][:2] == ["tested", "tested"]


def test_two_branches_in_one_merge_on_a_host_without_our_refs(lane: Lane, server_hook: Hook) -> None:
    """The second landing of the same run does not wait for a record that the host never took."""
    server_hook("pre-receive", NO_COFFEE["pre-receive"])
    lane.branch(1)
    lane.branch(2)
    said = lane.merge("roadmap-wt1", "roadmap-wt2", "--batch", "1")
    assert (said.rc, said.json["gate_runs"]) == (0, 2), said.told


def test_a_server_without_atomic_pushes(lane: Lane) -> None:
    """The target is landed alone, by compare-and-swap."""
    lane.git(lane.box.origin, "config", "receive.advertiseAtomic", "false")
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert not lane.box.refs("refs/coffee/", lane.box.origin)


@pytest.mark.parametrize("name", ["pre-receive", "update"])
def test_a_protected_target_refuses_once(lane: Lane, server_hook: Hook, name: str, tmp_path: Path) -> None:
    """Error, exit 4, nothing moved here or there, the gate is not run again, and the server's words are told."""
    server_hook(
        name,
        f"echo try >> {tmp_path}/tries\n"
        'if [ $# = 3 ]; then set -- "$1"; else set -- $(cat); fi\n'
        'case "$*" in *refs/heads/roadmap*) echo "GH006: protected branch" >&2; exit 1;; esac',
    )
    lane.branch()
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (4, "error", 1)
    assert "GH006: protected branch" in said.result["reason"]
    assert (lane.target, lane.remote_target, said.json["after"]) == (before, before, before)
    assert len((tmp_path / "tries").read_text().split()) <= 2
    assert not lane.box.refs("refs/coffee/landings")
    lane.assert_tidy()


def test_a_remote_that_is_down_before(lane: Lane) -> None:
    """Nothing is tested against a target that may be old: exit 4, and the remedy."""
    lane.branch()
    lane.box.origin.rename(lane.box.origin.with_name("away.git"))
    said = lane.merge()
    assert (said.rc, said.json) == (4, {})
    assert "the remote origin cannot be read" in said.err
    assert lane.box.refs("refs/coffee/") == {}


def test_a_remote_that_goes_down_between(lane: Lane) -> None:
    """Tested but not landed: error, exit 4; when it is back the verdict still counts, so it lands at once."""
    lane.branch()
    away = lane.box.origin.with_name("away.git")
    lane.with_gate(f"mv {lane.box.origin} {away}")
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome) == (4, "error")
    assert lane.target == before
    away.rename(lane.box.origin)
    again = lane.merge()
    lane.assert_landed(again)
    assert again.json["gate_runs"] == 0


LOST = {
    "after": '[ "$1" = committed ] || exit 0; cat > /dev/null; kill -9 $PPID',
    "before": '[ "$1" = prepared ] || exit 0; cat > /dev/null; kill -9 $PPID',
}


def test_a_push_whose_answer_is_lost_has_landed(lane: Lane, server_hook: Hook) -> None:
    """The server dies after it moved the refs: the remote is asked and says so; claims and checkout follow."""
    server_hook("reference-transaction", LOST["after"])
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert lane.target == said.result["merge_commit"]
    assert lane.box.refs("refs/coffee/landings") == lane.box.refs("refs/coffee/landings", lane.box.origin)


def test_a_push_that_died_on_the_server_has_not_landed(lane: Lane, server_hook: Hook) -> None:
    """The server dies before it moved anything: error, nothing moved; it lands once the server is well."""
    server_hook("reference-transaction", LOST["before"])
    lane.branch()
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome) == (4, "error")
    assert (lane.target, lane.remote_target) == (before, before)
    lane.assert_tidy()
    (lane.box.origin / "hooks/reference-transaction").unlink()
    for lock in lane.box.origin.rglob("*.lock"):  # the server's own affair
        lock.unlink()
    lane.assert_landed(lane.merge())


def test_a_remote_that_cannot_be_asked_again_is_asked_by_the_next_run(lane: Lane, server_hook: Hook) -> None:
    """Pushed, answer lost, remote gone: an error now, and the next run finds that it had landed and finishes it."""
    away = lane.box.origin.with_name("away.git")
    server_hook(
        "reference-transaction",
        f'[ "$1" = committed ] || exit 0; cat > /dev/null; mv {lane.box.origin} {away}; kill -9 $PPID',
    )
    lane.branch()
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome) == (4, "error"), said.told
    assert "may have landed or not" in said.result["reason"]
    assert lane.target == before
    assert lane.merge().rc == 4
    away.rename(lane.box.origin)
    (lane.box.origin / "hooks/reference-transaction").unlink()
    again = lane.merge()
    assert (again.rc, again.outcome, again.json["gate_runs"]) == (0, "already-landed", 0), again.told
    assert lane.target == lane.remote_target == again.result["merge_commit"]
    assert "finishing what an interrupted merge began" in again.err
    assert lane.verify().rc == 0
    lane.assert_tidy()


def test_settings_of_the_user_do_not_change_what_is_pushed(lane: Lane) -> None:
    """Tags, other branches, signatures and the user's pre-push hook have no part in a landing."""
    hook = lane.work / ".git/hooks/pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    for name, value in (("push.followTags", "true"), ("push.gpgSign", "if-asked"), ("remote.origin.mirror", "false")):
        lane.git(lane.work, "config", name, value)
    lane.git(lane.work, "tag", "-m", "x", "v1")
    lane.branch()
    lane.assert_landed(lane.merge())
    assert not lane.box.refs("refs/tags/", lane.box.origin)
    assert set(lane.box.refs("refs/heads/", lane.box.origin)) == {"refs/heads/main", "refs/heads/roadmap"}


def test_a_fresh_clone_proves_the_landing(lane: Lane) -> None:
    """``verify`` in a clone that has never heard of coffee reads the remote's record."""
    lane.branch()
    merged = lane.merge().result["merge_commit"]
    where = fresh(lane)
    said = lane.verify(where=where)
    assert said.rc == 0
    assert said.json["commits"][0] == {
        "sha": merged, "tree": lane.tree(merged), "by": "coffee", "verdict": "tested",
    }  # fmt: skip


def test_a_lost_race_inside_the_servers_transaction_is_a_lost_race() -> None:
    """Two atomic pushes at the same instant: the flags say only that the transaction failed, the server says why."""
    refs = ["refs/heads/roadmap", "refs/coffee/landings"]
    out = "".join(f"!\t1:{ref}\t[remote rejected] (atomic transaction failed)\n" for ref in refs)
    lost = "remote: error: cannot lock ref 'refs/heads/roadmap': is at 1 but expected 2\n"
    assert read_answer(out, lost, refs).pushed is Pushed.MOVED
    assert read_answer(out, "remote: error: cannot lock ref 'x': Permission denied\n", refs).pushed is Pushed.REFUSED


def test_a_remote_that_is_a_relative_path(lane: Lane) -> None:
    """``git remote add origin ../origin.git`` means: beside the checkout."""
    lane.git(lane.work, "remote", "set-url", "origin", "../origin.git")
    lane.branch()
    lane.assert_landed(lane.merge())
    assert lane.target == lane.remote_target


def test_who_was_denied_is_passed_on() -> None:
    """The server's own words say more than git's: they are in the detail where nothing was even tried."""
    said = "remote: Write access to repository not granted to bot.\nfatal: unable to access 'https://x/': error: 403\n"
    answer = read_answer("", said, ["refs/heads/roadmap"])
    assert answer.pushed is Pushed.UNREACHABLE
    assert answer.detail.endswith("error: 403; Write access to repository not granted to bot.")
