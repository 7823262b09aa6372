"""What one job tested lands in another: only the very trees, only on the very target, and whatever the file says."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.merge.record import LIMIT, OUTCOMES, Green, Other, Record, read, write
from coffee_hooks.state.verdicts import Remembered, Verdict

if TYPE_CHECKING:
    from conftest import Completed, Git, Lane

SHAS = st.text("0123456789abcdef", min_size=40, max_size=40).map(Sha)
GREENS = st.builds(
    Green,
    st.lists(st.tuples(st.text(), SHAS), min_size=1, max_size=3).map(tuple),
    SHAS,
    st.text(),
    st.builds(Remembered, st.just(Verdict.GREEN), st.floats(0, 1e6), st.integers(1, 9), st.none(), st.booleans()),
)
OTHERS = st.builds(Other, st.text(), SHAS, st.sampled_from(OUTCOMES), st.text("abc xyz", max_size=500))
RECORDS = st.builds(Record, SHAS, st.lists(GREENS, max_size=3).map(tuple), st.lists(OTHERS, max_size=3).map(tuple))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(RECORDS)
def test_it_says_what_was_written(record: Record) -> None:
    """One line of ASCII that reads as what it was."""
    text = write(record)
    assert read(text.encode()) == record
    assert text.count("\n") == 1 and text.isascii()


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_refused(text: bytes) -> None:
    """Bytes and JSON of every shape: the error for the user and no other."""
    with pytest.raises(UsageError, match="no record of a gate"):
        read(text)


@given(RECORDS, st.sampled_from(["schema", "base", "greens", "others"]), JSON)
def test_a_record_with_another_value_is_read_or_refused(record: Record, name: str, value: Any) -> None:
    """Never anything but a record or the error for the user."""
    changed = {**json.loads(write(record)), name: value}
    with suppress(UsageError):
        assert isinstance(read(json.dumps(changed).encode()), Record)


@pytest.mark.parametrize("text", [b"[" * 100_000, b" " * (LIMIT + 1), b'{"schema": 2}'])
def test_deep_and_long_ones_are_refused(text: bytes) -> None:
    """Before they cost anything."""
    with pytest.raises(UsageError):
        read(text)


@given(RECORDS.filter(lambda record: record.greens), st.sampled_from(["seconds", "runs"]), JSON | st.just(10**400))
def test_a_green_with_another_number_is_read_or_refused(record: Record, name: str, value: Any) -> None:
    """Also one that is greater than all that Python can hold in a float."""
    changed = json.loads(write(record))
    changed["greens"][0][name] = value
    with suppress(UsageError):
        assert isinstance(read(json.dumps(changed).encode()), Record)


def check(lane: Lane, file: Path, *args: str) -> Completed:
    """The first job: nothing moves."""
    return lane.box.coffee("--json", "merge", "--check", "--no-push", "--record", file, *args)


def land(lane: Lane, file: Path) -> dict[str, str]:
    """The second job, in a clone of its own; outcome by branch. It runs no gate."""
    done = lane.box.coffee("--json", "merge", "--recorded", file, cwd=lane.work.parent / "second")
    answer = json.loads(done.out)
    assert answer["gate_runs"] == 0
    return {result["branch"]: result["outcome"] for result in answer["results"]}


@pytest.fixture
def second(lane: Lane, git: Git) -> Path:
    """A target with a gate, and a second clone, made before anything else happens."""
    lane.configure(gate={"command": ["sh", "-c", "! test -e red.txt"], "retries": 0})
    git(lane.work.parent, "clone", "-q", str(lane.box.origin), "second")
    return lane.work.parent / "second"


def offer(lane: Lane, git: Git, *works: tuple[str, dict[str, str]]) -> None:
    """Branches on the origin that say they are ready."""
    for name, files in works:
        lane.box.branch(name, files, "feat: x\n\nStatus: Ready for merge")
        git(lane.work, "push", "-q", "origin", name)


def test_what_was_green_lands_and_the_rest_is_told(lane: Lane, git: Git, second: Path, tmp_path: Path) -> None:
    """Two together, one red, one that conflicts with what lands; each is what the first job said of it."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}), ("roadmap-b", {"b.txt": "1\n"}), ("roadmap-c", {"red.txt": "1"}))
    before = lane.remote_target
    assert check(lane, file).rc == 1
    assert lane.remote_target == before
    assert land(lane, file) == {"roadmap-a": "landed", "roadmap-b": "landed", "roadmap-c": "gate-failed"}
    names = git(lane.box.origin, "ls-tree", "--name-only", "roadmap").split()
    assert {"a.txt", "b.txt"} < set(names) and "red.txt" not in names
    assert lane.box.coffee("verify", cwd=second).rc == 0
    ready = json.loads(lane.box.coffee("--json", "detect-ready", cwd=second).out)["worktrees"]
    assert [r["code"] for w in ready for r in w["reasons"]] == ["gate-failed"]


def test_what_conflicts_with_what_would_land_is_said_at_once(
    lane: Lane, git: Git, second: Path, tmp_path: Path
) -> None:
    """The check goes on from there, as the landing does, and no run is spent on it."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}), ("roadmap-b", {"a.txt": "2\n"}), ("roadmap-c", {"c.txt": "1\n"}))
    checked = json.loads(check(lane, file).out)
    assert {r["branch"]: r["outcome"] for r in checked["results"]} == {
        "roadmap-a": "would-land", "roadmap-b": "conflict", "roadmap-c": "would-land",
    }  # fmt: skip
    assert land(lane, file) == {"roadmap-a": "landed", "roadmap-b": "conflict", "roadmap-c": "landed"}
    assert lane.box.coffee("verify", cwd=second).rc == 0


@pytest.mark.usefixtures("second")
def test_a_target_that_moved_lands_nothing(lane: Lane, git: Git, tmp_path: Path) -> None:
    """What was tested is not what would land."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}))
    assert check(lane, file).rc == 0
    lane.box.commit({"by-hand.txt": "1\n"}, "chore: By hand")
    git(lane.work, "push", "-q", "origin", "roadmap")
    before = lane.remote_target
    assert land(lane, file) == {"roadmap-a": "moved"}
    assert lane.remote_target == before


def test_a_person_who_pushes_during_the_landing_is_first(lane: Lane, git: Git, second: Path, tmp_path: Path) -> None:
    """The push loses its race: said as it is, without a word of testing again, which cannot be done here."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}))
    assert check(lane, file).rc == 0
    by_hand = git(second, "commit-tree", "-p", "HEAD", "-m", "By hand", "HEAD^{tree}")
    git(second, "push", "-q", "origin", f"{by_hand}:refs/heads/roadmap-by-hand")
    hook = lane.box.origin / "hooks" / "pre-receive"
    outside = "env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git"
    hook.write_text(f"#!/bin/sh\n{outside} -C '{lane.box.origin}' update-ref refs/heads/roadmap {by_hand}\n")
    hook.chmod(0o755)
    done = lane.box.coffee("--json", "merge", "--recorded", file, cwd=second)
    outcomes = {result["branch"]: result["outcome"] for result in done.json["results"]}
    assert (outcomes["roadmap-a"], "building and testing" in done.err) == ("moved", False), done
    assert lane.remote_target == by_hand


def test_a_place_that_cannot_be_written_is_said_before_the_gate(lane: Lane, second: Path) -> None:
    """Exit 4, and no gate has run."""
    lane.with_gate(f"touch '{second}.ran'")
    done = lane.box.coffee("merge", "--check", "--record", second / "no" / "file")
    assert done.rc == 4 and not Path(f"{second}.ran").exists()


@pytest.mark.usefixtures("second")
def test_a_branch_that_moved_or_came_lands_nothing(lane: Lane, git: Git, tmp_path: Path) -> None:
    """Neither it nor what was tested together with it: nobody has tested what is left."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}), ("roadmap-b", {"b.txt": "1\n"}))
    assert check(lane, file).rc == 0
    offer(lane, git, ("roadmap-b", {"b.txt": "2\n"}), ("roadmap-c", {"c.txt": "1\n"}))
    before = lane.remote_target
    assert set(land(lane, file).values()) == {"not-ready"}
    assert lane.remote_target == before


@pytest.mark.parametrize("lie", ["tree", "ref", "tip", "order"])
def test_a_lie_about_a_tree_lands_nothing(lane: Lane, git: Git, second: Path, tmp_path: Path, lie: str) -> None:
    """A red branch called green needs its true tree, which its own test could have called green as well."""
    file = tmp_path / "record.json"
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}), ("roadmap-b", {"b.txt": "1\n"}))
    assert check(lane, file, "--batch", "2").rc == 0
    record = json.loads(file.read_text())
    (green,) = record["greens"]
    tree = git(second, "rev-parse", "HEAD^{tree}")
    if lie == "tree":
        green["tree"] = tree
    elif lie == "ref":
        green["ref"] = f"refs/heads/{tree}"
    elif lie == "tip":
        green["members"][0][1] = git(second, "rev-parse", "HEAD")
    else:
        green["members"] = green["members"][:1]
    file.write_text(json.dumps(record))
    before = lane.remote_target
    assert set(land(lane, file).values()) == {"not-ready"}
    assert lane.remote_target == before


@pytest.mark.usefixtures("second")
def test_a_red_target_blames_nobody(lane: Lane, git: Git, tmp_path: Path) -> None:
    """Both jobs say so."""
    file = tmp_path / "record.json"
    lane.box.commit({"red.txt": "1\n"}, "chore: Break it")
    git(lane.work, "push", "-q", "origin", "roadmap")
    offer(lane, git, ("roadmap-a", {"a.txt": "1\n"}), ("roadmap-b", {"b.txt": "1\n"}))
    assert check(lane, file).rc == 4
    assert land(lane, file) == {"roadmap-a": "error", "roadmap-b": "error"}


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["--record", "x"], "--check --record"),
        (["--recorded", "missing"], "--check --record"),
        (["--recorded", "x", "roadmap-a"], "--recorded FILE"),
        (["--recorded", "x", "--check"], "--recorded FILE"),
    ],
)
def test_what_makes_no_sense_is_usage(lane: Lane, args: list[str], hint: str) -> None:
    """Exit 2, and the call that was meant."""
    done = lane.box.coffee("merge", *args)
    assert done.rc == 2 and hint in done.err
