"""A fast-forward that was killed half-way is finished, and what a person wrote since is not lost."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lane

OLD = "".join(f"line {number}\n" for number in range(200))
NEW = OLD.replace("line 1", "new line 1")
FILES = ("pkg/a.txt", "pkg/b.txt", 'pkg/q"\n.txt')


@pytest.fixture
def cut(alone: Lane) -> tuple[Lane, str, str]:
    """A landing that is declared and tested, but whose fast-forward was killed: lane, before, after."""
    alone.box.commit({"pkg/a.txt": OLD, "pkg/b.txt": OLD, "pkg/old.txt": OLD, ".gitattributes": "*.txt text\n"})
    before = alone.target
    alone.branch(1, {"pkg/a.txt": NEW, "pkg/b.txt": NEW, "pkg/new.txt": NEW, FILES[2]: NEW, "pkg/old.txt": None})
    alone.leave()
    after = alone.merge().result["merge_commit"]
    record = alone.git(alone.work, "rev-parse", "refs/coffee/landings")
    for ref in ("refs/heads/roadmap", "refs/coffee/landings"):
        alone.git(alone.work, "update-ref", *((ref, before) if "heads" in ref else ("-d", ref)))
    alone.git(alone.work, "switch", "-q", "roadmap")
    intent = {
        "target": "refs/heads/roadmap", "before": before, "after": after, "since": int(time.time()),
        "moves": [["refs/coffee/landings", "0" * 40, record]],
    }  # fmt: skip
    blob = alone.git(alone.work, "hash-object", "-w", "--stdin", input=json.dumps(intent))
    alone.git(alone.work, "update-ref", "refs/coffee/intent", blob)
    return alone, before, after


def healed(lane: Lane, after: str) -> None:
    """The landing is complete, in refs, record and checkout."""
    said = lane.merge()
    assert (said.rc, said.outcome) == (0, "already-landed"), said.told
    assert "finishing what an interrupted merge began" in said.err
    assert lane.target == after
    assert lane.git(lane.work, "status", "--porcelain") == ""
    assert (lane.work / "pkg/new.txt").read_text() == NEW
    assert not (lane.work / "pkg/old.txt").exists()
    assert lane.verify().json["commits"][0]["verdict"] == "tested"
    lane.assert_tidy()


def half(lane: Lane, how: str) -> None:
    """Leave the checkout as a killed git would."""
    pkg = lane.work / "pkg"
    (lane.work / ".git/index.lock").write_bytes(b"DIRC")
    if how == "nothing":
        return
    if how != "new-only":
        (pkg / "a.txt").write_text(NEW)
    (pkg / "new.txt").write_text(NEW)
    if how == "torn":
        (pkg / "b.txt").write_text(NEW[:100])
        (pkg / "old.txt").unlink()
    elif how == "emptied":
        (pkg / "b.txt").unlink()
    elif how == "all":
        for name in FILES:
            (lane.work / name).write_text(NEW)
        (pkg / "old.txt").unlink()
        (lane.work / ".git/index.lock").unlink()
        lane.git(lane.work, "add", "-A")


@pytest.mark.parametrize("how", ["some", "torn", "emptied", "all", "new-only"])
def test_a_half_written_checkout_is_completed(cut: tuple[Lane, str, str], how: str) -> None:
    """Whole, torn, missing and already staged files end as the landing has them; git's lock file is gone."""
    lane, _, after = cut
    half(lane, how)
    healed(lane, after)


def test_line_endings_of_the_checkout_are_not_taken_for_edits(cut: tuple[Lane, str, str]) -> None:
    """A file as the checkout writes it, with other line endings than the blob, is the new content all the same."""
    lane, _, after = cut
    lane.git(lane.work, "config", "core.autocrlf", "true")
    half(lane, "some")
    (lane.work / "pkg/a.txt").write_bytes(NEW.replace("\n", "\r\n").encode())
    (lane.work / "pkg/new.txt").write_bytes(NEW.replace("\n", "\r\n").encode())
    said = lane.merge()
    assert (said.outcome, lane.target) == ("already-landed", after), said.told
    assert lane.git(lane.work, "status", "--porcelain") == ""


def test_a_landing_that_had_not_begun_is_made_again(cut: tuple[Lane, str, str]) -> None:
    """Nothing was written yet: the intent is dropped, and the branch lands from its remembered verdict."""
    lane, before, _ = cut
    half(lane, "nothing")
    said = lane.merge()
    lane.assert_landed(said)
    assert (said.json["before"], said.json["gate_runs"]) == (before, 0)


def test_an_edit_that_has_nothing_to_do_with_it_does_not_block(cut: tuple[Lane, str, str]) -> None:
    """A person's own edit of a file that would land is no trace of a landing: target-dirty, as ever."""
    lane, before, _ = cut
    (lane.work / "pkg/a.txt").write_text("mine\n")
    said = lane.merge()
    assert (said.outcome, lane.target) == ("target-dirty", before)
    assert (lane.work / "pkg/a.txt").read_text() == "mine\n"
    lane.git(lane.work, "checkout", "-q", "pkg/a.txt")
    lane.assert_landed(lane.merge())


def test_an_edit_of_a_half_landed_checkout_is_kept(cut: tuple[Lane, str, str]) -> None:
    """Some files are new and one was edited since: exit 4, nothing is touched, and moving the file away heals."""
    lane, before, after = cut
    half(lane, "some")
    (lane.work / "pkg/b.txt").write_text("mine\n")
    said = lane.merge()
    assert (said.rc, lane.target) == (4, before)
    assert "pkg/b.txt was edited since" in said.err
    assert (lane.work / "pkg/b.txt").read_text() == "mine\n"
    (lane.work / "pkg/b.txt").unlink()
    healed(lane, after)


def test_a_lock_of_a_git_that_runs_is_respected(cut: tuple[Lane, str, str], tmp_path: Path) -> None:
    """A commit whose editor is open holds index.lock; it is not a leftover."""
    import subprocess

    lane, before, _ = cut
    script = f"touch {tmp_path}/open; while [ -e {tmp_path}/open ]; do sleep 0.02; done; echo Mine > $1"
    editor = tmp_path / "editor.sh"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(0o755)
    (lane.work / "mine").write_text("x\n")
    lane.git(lane.work, "add", "mine")
    commit = subprocess.Popen(["git", "-C", str(lane.work), "-c", f"core.editor={editor}", "commit", "-q", "-a"])
    while not (tmp_path / "open").exists():
        time.sleep(0.02)
    said = lane.merge()
    assert (said.rc, lane.target) == (4, before), said.told
    assert "git is at work" in said.err
    (tmp_path / "open").unlink()
    assert commit.wait() == 0
    said = lane.merge()
    assert (said.rc, said.outcome) == (0, "landed"), said.told
    assert lane.git(lane.work, "log", "--format=%s", "-1", "roadmap^1") == "Mine"


def test_an_intent_for_a_commit_that_git_threw_away(alone: Lane) -> None:
    """An intent so old that its commit is gone stands in nobody's way."""
    intent = {"target": "refs/heads/roadmap", "before": alone.target, "after": "1" * 40, "since": 1, "moves": []}
    blob = alone.git(alone.work, "hash-object", "-w", "--stdin", input=json.dumps(intent))
    alone.git(alone.work, "update-ref", "refs/coffee/intent", blob)
    alone.branch()
    alone.assert_landed(alone.merge())
