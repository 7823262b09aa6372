"""Somebody else moves the target or the branch while the gate runs: nothing untested lands, nothing is lost."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from conftest import Lane

RED_FILE = "[ ! -e red ]"


def clone(lane: Lane, name: str) -> Path:
    """Another clone of the origin, with a checkout of the target."""
    where = lane.work.parent / name
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(where))
    return where


def push_script(lane: Lane, times: int, file: str = "theirs$n") -> str:
    """Shell that commits a file in another clone and pushes it, the first *times* it is run."""
    other = clone(lane, "other")
    return (
        f"cd {other}; n=$(ls | grep -c ^theirs); if [ $n -lt {times} ]; then git pull -q && echo x > theirs$n &&"
        f" touch {file} && git add . && git commit -q -m 'feat: Theirs' && git push -q origin roadmap; fi"
    )


def test_a_push_during_the_gate_is_kept_and_built_upon(lane: Lane) -> None:
    """The candidate is rebuilt on what somebody pushed, tested again, and both are on the target."""
    lane.with_gate(push_script(lane, 1))
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert said.json["gate_runs"] == 2
    assert "building and testing roadmap-wt1 again" in said.err
    names = lane.git(lane.box.origin, "ls-tree", "--name-only", "roadmap", "pkg/", "theirs0")
    assert {"pkg/new1.py", "theirs0"} <= set(names.split())


def test_a_push_that_makes_the_branch_red_keeps_it_out(lane: Lane) -> None:
    """Green alone and red together: the branch is judged on what is there now."""
    script = push_script(lane, 1, "theirs")
    lane.with_gate(f"if [ -e theirs ] && [ -e pkg/new1.py ]; then exit 1; fi; {script}")
    lane.branch()
    said = lane.merge()
    assert (said.rc, said.outcome) == (1, "gate-failed")
    assert lane.git(lane.box.origin, "log", "--format=%s", "-1", "roadmap") == "feat: Theirs"


def test_a_conflict_that_appears_during_the_gate(lane: Lane) -> None:
    """What was pushed meanwhile touches the same line: conflict with its path, nothing landed."""
    other = clone(lane, "other")
    script = (
        f"cd {other}; [ -e done ] || {{ touch done; git pull -q; echo theirs > pkg/alpha.py;"
        " git commit -q -a -m Theirs; git push -q origin roadmap; }"
    )
    lane.with_gate(script)
    lane.branch(1, {"pkg/alpha.py": "ours\n"})
    said = lane.merge()
    assert (said.rc, said.outcome, said.result["conflicts"]) == (1, "conflict", ["pkg/alpha.py"])


def test_retries_are_bounded(lane: Lane) -> None:
    """Where every run of the gate loses the race, five tries are enough: moved, exit 1, nobody's push lost."""
    lane.with_gate(push_script(lane, 99))
    lane.branch()
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (1, "moved", 5)
    subjects = lane.git(lane.box.origin, "log", "--format=%s", "roadmap").splitlines()
    assert subjects.count("feat: Theirs") == 5
    lane.assert_tidy()


def test_a_local_commit_during_the_gate_is_kept(alone: Lane) -> None:
    """Without a remote the target is the local branch, and a person may commit to it meanwhile."""
    alone.with_gate(f"cd {alone.work}; [ -e mine ] || {{ touch mine; git add mine; git commit -q -m 'feat: Mine'; }}")
    alone.branch()
    said = alone.merge()
    alone.assert_landed(said)
    assert alone.git(alone.work, "log", "--format=%s", "-1", "roadmap^1") == "feat: Mine"
    assert said.json["gate_runs"] == 2


def test_a_target_that_goes_backwards_during_the_gate_is_not_forced(lane: Lane) -> None:
    """A force-push of somebody else wins: the candidate is rebuilt on it, their history is not brought back."""
    other = clone(lane, "other")
    lane.with_gate(
        f"cd {other}; [ -e done ] || {{ touch done; git fetch -q; git push -q -f origin origin/roadmap~1:roadmap; }}"
    )
    lane.branch()
    said = lane.merge()
    assert said.outcome in ("landed", "error"), said.told
    assert "diverged" not in said.err


@pytest.mark.parametrize("how", ["here", "there"])
def test_a_branch_that_moves_during_the_gate_does_not_land(lane: Lane, how: str) -> None:
    """What was tested is not what the branch is now: moved, exit 1, and the new commit lands with the next run."""
    if how == "here":
        move = (
            f"git -C {lane.work} update-ref refs/heads/roadmap-wt1 $(git -C {lane.work} commit-tree"
            " -p roadmap-wt1 -m more roadmap-wt1^{tree})"
        )
    else:
        other = clone(lane, "other")
        move = f"cd {other}; git fetch -q; git switch -q roadmap-wt1; git commit -q --allow-empty -m more; git push -q"
    lane.with_gate(f"[ -e {lane.work}/.git/moved ] || {{ touch {lane.work}/.git/moved; {move}; }}")
    lane.branch()
    if how == "there":
        lane.box.push("roadmap-wt1")
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome) == (1, "moved"), said.told
    assert lane.remote_target == before
    again = lane.merge()
    assert (again.rc, again.outcome) == (0, "landed"), again.told
    assert again.result["sha"] != said.result["sha"]


def test_a_branch_that_is_deleted_during_the_gate_does_not_land(lane: Lane) -> None:
    """Its owner took it back."""
    lane.with_gate(f"git -C {lane.work} update-ref -d refs/heads/roadmap-wt1")
    lane.branch()
    said = lane.merge()
    assert (said.rc, said.outcome, lane.remote_target) == (1, "moved", said.json["before"])


def reflog_trees(lane: Lane, where: Path, ref: str) -> set[str]:
    """The tree of every commit that a ref ever had."""
    shas = lane.git(where, "reflog", "show", "--format=%H", ref).split()
    return {lane.tree(sha, where) for sha in shas}


def test_a_red_candidate_is_never_visible(lane: Lane) -> None:
    """At no instant did the target, here or there, hold a tree that was not green: their reflogs say so."""
    lane.git(lane.box.origin, "config", "core.logAllRefUpdates", "always")
    lane.with_gate(f"{RED_FILE}; r=$?; {push_script(lane, 1)}; exit $r", retries=0)
    lane.branch(1, {"red": "x\n"})
    lane.branch(2)
    lane.branch(3, {"red": "y\n"})
    lane.branch(4, {"pkg/alpha.py": "four\n"})
    started = lane.tree("roadmap")
    said = lane.merge("roadmap-wt1", "roadmap-wt2", "roadmap-wt3", "roadmap-wt4")
    outcomes = [result["outcome"] for result in said.json["results"]]
    assert outcomes == ["gate-failed", "landed", "gate-failed", "landed"]
    green = {tree for tree, verdict in lane.verdicts().items() if verdict == "green"}
    theirs = {lane.tree(sha, lane.box.origin) for sha in
              lane.git(lane.box.origin, "log", "--format=%H", "--grep=Theirs", "roadmap").split()}  # fmt: skip
    seen = reflog_trees(lane, lane.box.origin, "refs/heads/roadmap") | {
        *reflog_trees(lane, lane.work, "refs/heads/roadmap"),
        *reflog_trees(lane, lane.work, "refs/remotes/origin/roadmap"),
    }
    assert len(seen) >= 4
    red = {lane.tree(sha) for sha in (lane.git(lane.work, "rev-parse", f"roadmap-wt{n}") for n in (1, 3))}
    assert not seen & red
    configured = reflog_trees(lane, lane.work, "HEAD") - green
    assert seen <= green | theirs | {started} | configured
    assert lane.verify().rc == 0


def start(where: Path, *args: str) -> subprocess.Popen[bytes]:
    """``coffee merge`` in a process of its own."""
    command = [sys.executable, "-I", "-m", "coffee_hooks", "-C", str(where), "--json", "merge", *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def landed_once(lane: Lane, names: list[str]) -> None:
    """Each branch has exactly one merge on the remote, and verify calls every first-parent commit of ours tested."""
    where = clone(lane, "proof")
    subjects = lane.git(where, "log", "--merges", "--format=%s", "roadmap").splitlines()
    for name in names:
        assert sum(f"from {name}:" in subject for subject in subjects) == 1, subjects
    said = lane.verify(where=where)
    assert said.rc == 0
    landings = lane.git(where, "log", "--first-parent", "--merges", "--format=%H", "roadmap").split()
    tested = [commit["sha"] for commit in said.json["commits"] if commit["verdict"] == "tested"]
    assert tested == landings


def test_several_merges_in_one_clone(lane: Lane) -> None:
    """With --wait they take turns and all land; without it, whoever comes second is told so: 75, nothing done."""
    names = [f"roadmap-wt{number}" for number in range(1, 5)]
    for number in range(1, 5):
        lane.branch(number)
    running = [start(lane.work, name, "--wait", "120s") for name in names]
    assert [(process.communicate(), process.returncode)[1] for process in running] == [0] * 4
    landed_once(lane, names)
    lane.with_gate(f"touch {lane.work}/.git/busy; while [ -e {lane.work}/.git/busy ]; do sleep 0.02; done")
    lane.branch(5)
    holder = start(lane.work, "roadmap-wt5")
    while not (lane.work / ".git/busy").exists():
        assert holder.poll() is None
        time.sleep(0.02)
    before = lane.box.refs()
    said = lane.merge("roadmap-wt5")
    assert (said.rc, said.json) == (75, {})
    assert str(holder.pid) in said.err
    assert "--wait" in said.err
    assert lane.box.refs() == before
    (lane.work / ".git/busy").unlink()
    assert (holder.communicate(), holder.returncode)[1] == 0


def test_two_clones_against_one_origin(lane: Lane) -> None:
    """Nobody shares a lock, compare-and-swap alone decides: each branch lands exactly once."""
    names = [f"roadmap-wt{number}" for number in range(1, 5)]
    for number in range(1, 5):
        lane.branch(number)
    lane.box.push(*names)
    second = clone(lane, "second")
    running = [start(lane.work, *names[:3]), start(second, *names[1:])]
    said = [(process.communicate(), process.returncode) for process in running]
    assert [rc for _, rc in said] == [0, 0], said
    landed_once(lane, names)


def test_ctrl_c_during_the_gate_leaves_nothing_running(lane: Lane) -> None:
    """Exit 130, the gate is ended, nothing moved; the next run starts from the beginning and lands."""
    pid = lane.work / ".git/gate-pid"
    lane.with_gate(f"[ -e {pid} ] || {{ echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600; }}")
    lane.branch()
    before = lane.target
    running = start(lane.work, "roadmap-wt1")
    while not pid.exists():
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert (running.communicate(), running.returncode)[1] == 130
    gate = int(pid.read_text())
    assert not psutil.pid_exists(gate) or psutil.Process(gate).status() == psutil.STATUS_ZOMBIE
    assert (lane.target, lane.remote_target) == (before, before)
    lane.assert_landed(lane.merge())


def test_a_gate_that_outlived_a_killed_merge_is_ended_first(lane: Lane) -> None:
    """kill -9 of the merge alone leaves its gate at work in the clone; the next run does not share it."""
    pid = lane.work / ".git/gate-pid"
    lane.with_gate(f"[ -e {pid} ] || {{ echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600; }}")
    lane.branch()
    running = start(lane.work, "roadmap-wt1")
    while not pid.exists():
        assert running.poll() is None
        time.sleep(0.02)
    running.kill()
    running.communicate()
    gate = int(pid.read_text())
    assert psutil.Process(gate).name() == "sleep"
    lane.assert_landed(lane.merge())
    assert not psutil.pid_exists(gate) or psutil.Process(gate).status() == psutil.STATUS_ZOMBIE


def test_eight_merges_in_two_clones_and_a_person_who_pushes(lane: Lane) -> None:
    """Batches race batches, and somebody pushes by hand all the while: each branch lands once, no push is lost."""
    names = [f"roadmap-wt{number}" for number in range(1, 7)]
    for number in range(1, 7):
        lane.branch(number)
        lane.git(lane.work, "push", "-q", "origin", f"roadmap-wt{number}")
    lane.with_gate("sleep 0.2")
    other, person = clone(lane, "other"), clone(lane, "person")
    running = [start(where, *names, "--wait", "300s") for where in (lane.work, other) for _ in range(4)]
    pushed = 0
    while any(process.poll() is None for process in running) and pushed < 6:
        (person / f"hand{pushed}").write_text("x\n")
        lane.git(person, "add", "--all")
        lane.git(person, "commit", "-qm", f"By hand {pushed}")
        while True:
            lane.git(person, "pull", "-q", "--no-rebase", "--no-edit")
            with contextlib.suppress(AssertionError):  # somebody was faster
                lane.git(person, "push", "-q", "origin", "HEAD:roadmap")
                break
        pushed += 1
        time.sleep(0.3)
    for process in running:
        process.communicate()
    again = lane.merge(*names)
    assert {result["outcome"] for result in again.json["results"]} <= {"landed", "already-landed"}, again.told
    merges = lane.git(lane.box.origin, "log", "--merges", "--format=%s", "roadmap").splitlines()
    assert [sum(f"from {name}:" in subject for subject in merges) for name in names] == [1] * 6
    subjects = lane.git(lane.box.origin, "log", "--format=%s", "roadmap").splitlines()
    assert all(f"By hand {number}" in subjects for number in range(pushed)) and pushed
    assert lane.verify(where=clone(lane, "judge")).rc == 0
