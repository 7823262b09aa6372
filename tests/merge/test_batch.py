"""Several branches at once: what lands, what one commit holds, what a red one may not go together with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.state.claims import Claim, ClaimState, moved

if TYPE_CHECKING:
    from conftest import Answer, Lane

RED_FILES = "! ls | grep -q '^red'"
"""A gate that is red on every tree with a file called red..."""


def outcomes(said: Answer) -> dict[str, str]:
    """Branch number to outcome."""
    return {result["branch"].removeprefix("roadmap-wt"): result["outcome"] for result in said.json["results"]}


def names(count: int) -> list[str]:
    """The first *count* branches."""
    return [f"roadmap-wt{number}" for number in range(1, count + 1)]


def claim(lane: Lane, number: int, task: str) -> None:
    """Let *task* be done on branch *number*."""
    tip = lane.git(lane.work, "rev-parse", f"roadmap-wt{number}")
    done = Claim(
        TaskId(task), f"roadmap-wt{number}", Sha(lane.target), "me", 1, ClaimState.DONE, Sha(tip), None, number
    )
    repo = open_project(lane.work).repo
    assert transact(repo, [moved(repo, done)[1]])


def test_a_batch_is_one_tested_commit_above_a_merge_for_each_task(lane: Lane) -> None:
    """First-parent history holds the tested tree only; each task can be taken back alone; verify agrees."""
    before = lane.target
    tips = [lane.branch(number) for number in (1, 2, 3)]
    claim(lane, 1, "US-104")
    claim(lane, 2, "US-105")
    claim(lane, 3, "PRIORITY-25")
    said = lane.merge(*names(3))
    assert (said.rc, said.json["gate_runs"]) == (0, 1), said.told
    after = lane.target
    assert lane.remote_target == after == said.json["after"]
    first, chain = lane.git(lane.work, "rev-list", "--parents", "-1", after).split(" ")[1:]
    assert first == before and lane.tree(chain) == lane.tree(after)
    members = [result["merge_commit"] for result in said.json["results"]]
    assert members[-1] == chain
    for member, parent, tip in zip(members, [before, *members], tips, strict=False):
        assert lane.git(lane.work, "rev-list", "--parents", "-1", member) == f"{member} {parent} {tip}"
    message = lane.git(lane.work, "log", "-1", "--format=%B", after)
    assert message.startswith("Land US-104, US-105, PRIORITY-25 (3 tasks)\n")
    assert all(f"Coffee-Sha: {tip}" in message for tip in tips)
    one = lane.git(lane.work, "log", "-1", "--format=%B", members[0])
    assert one.startswith("Merge parallel work from roadmap-wt1: US-104 - Feature X\n")
    lane.git(lane.work, "revert", "--no-edit", "-m", "1", members[0])
    assert not (lane.work / "pkg/new1.py").exists() and (lane.work / "pkg/new2.py").exists()
    checked = lane.verify()
    assert (checked.rc, [commit["verdict"] for commit in checked.json["commits"]][1]) == (0, "tested")
    record = json.loads(lane.git(lane.box.origin, "show", "refs/coffee/landings:landing.json"))
    assert [member["merge_commit"] for member in record["members"]] == members
    lane.assert_tidy()


def test_each_task_is_marked_complete_in_its_own_merge(lane: Lane) -> None:
    """Two items of the roadmap, two commits that each change one of them."""
    lane.branch(1)
    lane.branch(2)
    claim(lane, 1, "US-104")
    claim(lane, 2, "US-105")
    said = lane.merge(*names(2))
    for result, task, title in zip(said.json["results"], ("US-104", "US-105"), ("X", "Y"), strict=True):
        merge = result["merge_commit"]
        changed = lane.git(lane.work, "diff", f"{merge}^1", merge, "--", "docs/roadmap/ROADMAP.md")
        added = [line for line in changed.splitlines() if line.startswith("+#")]
        assert added == [f"+### {task}: Feature {title} ✅ Complete"], changed


def test_two_red_of_eight_do_not_keep_the_others(lane: Lane) -> None:
    """Six land in few runs, two are blamed with the log, and the record names them."""
    lane.configure(gate={"command": ["sh", "-c", RED_FILES], "retries": 0})
    for number in range(1, 9):
        lane.branch(number, {f"red{number}": "x\n"} if number in (3, 6) else None)
    said = lane.merge(*names(8))
    assert said.rc == 1
    assert outcomes(said) == {str(n): "gate-failed" if n in (3, 6) else "landed" for n in range(1, 9)}
    assert said.json["gate_runs"] <= 10  # with the one of the target
    assert lane.target == lane.remote_target and lane.verify().rc == 0
    blamed = {ref.rpartition("/")[2] for ref in lane.box.refs("refs/coffee/verdicts/blamed/")}
    assert blamed == {lane.git(lane.work, "rev-parse", f"roadmap-wt{number}") for number in (3, 6)}
    again = lane.merge()
    assert (outcomes(again), again.json["gate_runs"]) == ({"1": "already-landed"}, 0)


def test_a_pair_that_clashes_is_told_apart_without_further_runs(lane: Lane) -> None:
    """Green alone and red together: one lands, and the report says what the other shares with it."""
    lane.configure(gate={"command": ["sh", "-c", "! { [ -e left ] && [ -e right ]; }"], "retries": 0})
    for number in range(1, 6):
        lane.branch(number)
    lane.branch(2, {"left": "def total_price(): ...\n", "pkg/new2.py": None})
    lane.branch(4, {"right": "print(total_price())\n", "pkg/new4.py": None})
    said = lane.merge(*names(5))
    assert outcomes(said) == {"1": "landed", "2": "landed", "3": "landed", "4": "gate-failed", "5": "landed"}
    red = said.json["results"][3]
    assert red["suspects"] == ["roadmap-wt2"]
    assert "it may not go together with roadmap-wt2: both name total_price" in red["reason"]


def test_a_branch_that_conflicts_with_another_of_the_batch_waits_for_it(lane: Lane) -> None:
    """The first lands with the others; the second is then in conflict with the target and says with what."""
    lane.branch(1, {"pkg/alpha.py": "one\n"})
    lane.branch(2, {"pkg/alpha.py": "two\n"})
    lane.branch(3)
    said = lane.merge(*names(3))
    assert outcomes(said) == {"1": "landed", "2": "conflict", "3": "landed"}
    assert said.json["results"][1]["conflicts"] == ["pkg/alpha.py"]
    assert said.json["gate_runs"] == 1


def test_a_stacked_branch_lands_once(lane: Lane) -> None:
    """A branch that holds another: whichever comes first, nothing is merged twice."""
    lane.branch(1)
    lane.git(lane.work, "branch", "roadmap-wt2", "roadmap-wt1")
    lane.branch(2, {"pkg/more.py": "x\n"})
    said = lane.merge("roadmap-wt2", "roadmap-wt1")
    assert outcomes(said) == {"2": "landed", "1": "already-landed"}


def test_what_comes_after_a_new_gate_is_judged_by_it(lane: Lane) -> None:
    """The branch that changes .coffee.yaml is the last of its batch."""
    lane.branch(1)
    stricter = json.dumps({"gate": {"command": ["sh", "-c", RED_FILES], "retries": 0}}) + "\n"
    lane.branch(2, {".coffee.yaml": stricter})
    lane.branch(3, {"red": "x\n"})
    said = lane.merge(*names(3))
    assert outcomes(said) == {"1": "landed", "2": "landed", "3": "gate-failed"}


@pytest.mark.parametrize("batch", ["1", "2", "auto"])
def test_the_size_of_a_batch_can_be_fixed(lane: Lane, batch: str) -> None:
    """``--batch 1`` is the plain queue: a run and a landing for each."""
    for number in range(1, 5):
        lane.branch(number)
    said = lane.merge(*names(4), "--batch", batch)
    assert (said.rc, said.json["gate_runs"]) == (0, {"1": 4, "2": 2, "auto": 1}[batch])
    assert (
        len(lane.git(lane.work, "rev-list", "--first-parent", "--merges", "roadmap").split()) == said.json["gate_runs"]
    )


@pytest.mark.parametrize("bad", ["0", "-1", "x", "1.5", ""])
def test_a_size_that_is_none_is_refused(lane: Lane, bad: str) -> None:
    """Exit 2, and nothing is done."""
    lane.branch()
    said = lane.merge("roadmap-wt1", "--batch", bad)
    assert said.rc == 2 and "--batch must be a number or auto" in said.err


def test_a_check_of_several_moves_nothing(lane: Lane) -> None:
    """All would land; the verdicts are remembered, so that the merge that follows runs no gate."""
    before = lane.target
    for number in range(1, 5):
        lane.branch(number)
    said = lane.merge(*names(4), "--check")
    assert set(outcomes(said).values()) == {"would-land"} and said.json["gate_runs"] == 1
    assert lane.target == before
    assert lane.merge(*names(4)).json["gate_runs"] == 0


def test_gates_side_by_side(lane: Lane, tmp_path: Path) -> None:
    """``--jobs 4``: at most four gates at a time, each in a clone of its own, and the same result."""
    at = tmp_path / "gates"
    at.mkdir()
    script = (
        f"trap 'rmdir {at}/$$' EXIT; trap 'exit 1' TERM; mkdir {at}/$$; "
        # The first two wait for each other, though not for ever.
        f"n=0; while [ ! -e {at}.met ] && [ $(ls {at} | wc -l) = 1 ] && [ $n -lt 500 ]; do n=$((n+1)); sleep 0.02; "
        "done; "
        f"touch {at}.met; ls {at} | wc -l >> {at}.many; pwd >> {at}.where; sleep 0.1; {RED_FILES}"
    )
    lane.configure(gate={"command": ["sh", "-c", script], "retries": 0})
    for number in range(1, 9):
        lane.branch(number, {f"red{number}": "x\n"} if number == 5 else None)
    said = lane.merge(*names(8), "--jobs", "4")
    assert outcomes(said) == {str(n): "gate-failed" if n == 5 else "landed" for n in range(1, 9)}
    many = [int(line) for line in Path(f"{at}.many").read_text().split()]
    assert 1 < max(many) <= 4
    assert 1 < len(set(Path(f"{at}.where").read_text().split())) <= 4
    assert lane.verify().rc == 0
    lane.assert_tidy()


def test_a_hung_branch_does_not_keep_the_others(lane: Lane) -> None:
    """A timeout is nobody's verdict, but the innocent land."""
    lane.configure(gate={"command": ["sh", "-c", "[ ! -e hang ] || sleep 60"], "timeout": "2s", "retries": 0})
    lane.branch(1)
    lane.branch(2, {"hang": "x\n"})
    lane.branch(3)
    said = lane.merge(*names(3))
    assert outcomes(said) == {"1": "landed", "2": "error", "3": "landed"}
    assert not lane.box.refs("refs/coffee/verdicts/blamed/")


def test_a_push_during_the_gate_is_rebuilt_and_all_land(lane: Lane, tmp_path: Path) -> None:
    """Somebody pushes to the target while the batch is tested: tested again on top of it, nobody asked."""
    other = tmp_path / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    push = (
        f"[ -e {tmp_path}/done ] || {{ touch {tmp_path}/done; cd {other} && unset GIT_DIR GIT_WORK_TREE && "
        "echo x > theirs && git add theirs && git -c user.name=t -c user.email=t@t commit -qm Theirs && "
        "git push -q origin HEAD:roadmap; }"
    )
    lane.with_gate(push)
    lane.git(other, "pull", "-q")
    for number in range(1, 5):
        lane.branch(number)
    said = lane.merge(*names(4))
    assert (said.rc, set(outcomes(said).values()), said.json["gate_runs"]) == (0, {"landed"}, 2), said.told
    assert "Theirs" in lane.git(lane.box.origin, "log", "--first-parent", "--format=%s", "roadmap")


@pytest.fixture
def shared(lane: Lane) -> Lane:
    """Claims and verdicts travel with the landings."""
    lane.configure(shared=True)
    return lane


def blob(lane: Lane, where: Path, ref: str) -> dict[str, Any]:
    """The JSON in a ref."""
    value = json.loads(lane.git(where, "cat-file", "blob", ref))
    assert isinstance(value, dict)
    return value


def test_shared_claims_and_verdicts_land_in_the_same_push(shared: Lane) -> None:
    """The remote's claim is ``landed`` in the transaction that moved the target; the verdict follows."""
    tip = shared.branch(1)
    claim(shared, 1, "US-104")
    said = shared.merge()
    shared.assert_landed(said)
    there = blob(shared, shared.box.origin, "refs/coffee/tasks/US-104")
    assert (there["state"], there["branch"]) == ("landed", "roadmap-wt1")
    assert there["sha"] == said.result["merge_commit"] != tip
    verdicts = shared.box.refs("refs/coffee/verdicts/", shared.box.origin)
    assert [ref.split("/")[3] for ref in verdicts] == [shared.tree(said.result["merge_commit"])]


def test_a_claim_that_changes_on_the_remote_stops_the_landing(shared: Lane, tmp_path: Path) -> None:
    """Somebody took the task over while it was tested: no push of ours passes them by, and theirs is left alone."""
    shared.branch(1)
    claim(shared, 1, "US-104")
    outside = "env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES git"
    git = f"{outside} -C {shared.box.origin}"
    hooks = shared.box.origin / "hooks" / "pre-receive"
    hooks.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/blob ] && exit 0\n"
        f"echo '{{}}' | {git} hash-object -w --stdin > {tmp_path}/blob\n"
        f"{git} update-ref refs/coffee/tasks/US-104 $(cat {tmp_path}/blob)\n"
    )
    hooks.chmod(0o755)
    said = shared.merge()
    assert said.outcome == "landed", said.told
    record = subprocess.run(
        ["git", "-C", str(shared.box.origin), "cat-file", "blob", "refs/coffee/tasks/US-104"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(record) == {}  # the first push lost its race, and after a fetch the claim is not ours to move
    assert "building and testing roadmap-wt1 again" in said.err


def test_a_verdict_of_another_machine_spares_the_run(shared: Lane, tmp_path: Path) -> None:
    """What one clone tested and pushed, another lands without a gate run."""
    shared.branch(1)
    shared.git(shared.work, "push", "-q", "origin", "roadmap-wt1")
    assert shared.merge("roadmap-wt1", "--check").json["gate_runs"] == 1
    other = tmp_path / "other"
    shared.git(shared.work, "clone", "-q", str(shared.box.origin), str(other))
    said = shared.merge(where=other)
    assert (said.outcome, said.json["gate_runs"]) == ("landed", 0), said.told


def test_a_target_that_somebody_made_red_meanwhile_blames_nobody(lane: Lane, tmp_path: Path) -> None:
    """The batch was green; the push lost its race to a red commit: that is no fault of the branches."""
    other = tmp_path / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    push = (
        f"[ -e {tmp_path}/done ] || {{ touch {tmp_path}/done; cd {other} && unset GIT_DIR GIT_WORK_TREE && "
        "echo x > red && git add red && git -c user.name=t -c user.email=t@t commit -qm Red && "
        "git push -q origin HEAD:roadmap; exit 0; }; [ ! -e red ]"
    )
    lane.with_gate(push)
    lane.git(other, "pull", "-q")
    for number in range(1, 4):
        lane.branch(number)
    said = lane.merge(*names(3))
    assert set(outcomes(said).values()) == {"error"}, said.told
    assert {r["reason"] for r in said.json["results"]} == {
        "the gate is red on the target itself, so no branch is blamed"
    }
    assert not lane.box.refs("refs/coffee/verdicts/blamed/")


def test_a_gate_that_somebody_takes_away_meanwhile_stops_the_train(lane: Lane, tmp_path: Path) -> None:
    """The push lost its race to a target without a gate: exit 2 and one line, nothing landed, nobody blamed."""
    other = tmp_path / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    lane.with_gate(
        f"[ -e {tmp_path}/done ] || {{ touch {tmp_path}/done; cd {other} && unset GIT_DIR GIT_WORK_TREE && "
        "echo 'target: roadmap' > .coffee.yaml && git add . && git -c user.name=t -c user.email=t@t commit -qm None && "
        "git push -q origin HEAD:roadmap; }"
    )
    lane.git(other, "pull", "-q")
    lane.branch(1)
    lane.branch(2)
    said = lane.merge(*names(2))
    assert (said.rc, said.json) == (2, {}), said.told
    assert "no gate is configured" in said.err
    assert not lane.box.refs("refs/coffee/verdicts/blamed/")


def test_what_killed_gates_side_by_side_leave_goes_with_the_next_merge(lane: Lane, tmp_path: Path) -> None:
    """kill -9 with three gates at work, then one: no process and no temporary folder of the others stays."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    lane.with_gate(f"echo $$ >> {tmp_path}.pids; [ -e {tmp_path}.go ] || exec sleep 60")
    for number in range(1, 4):
        lane.branch(number)
    command = [sys.executable, "-I", "-m", "coffee_hooks", "-C", str(lane.work), "merge", *names(3), "--jobs", "3"]
    killed = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)}, stderr=subprocess.DEVNULL)
    pids = Path(f"{tmp_path}.pids")
    while not pids.exists() or len(pids.read_text().split()) < 2:
        assert killed.poll() is None
        time.sleep(0.02)
    killed.kill()
    killed.wait()
    left = [int(pid) for pid in pids.read_text().split()]
    Path(f"{tmp_path}.go").touch()
    again = subprocess.run(
        [*command, "--jobs", "1"], env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert list(folder.iterdir()) == []
    assert not [pid for pid in left if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]
