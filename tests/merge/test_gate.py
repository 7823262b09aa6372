"""What a run of the gate proves, what is remembered of it, and what is never held against a branch."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import Gate
from coffee_hooks.base.process import End, Ended
from coffee_hooks.merge.gate import DISK_NEEDED, Outcome, conclude, is_final, with_run
from coffee_hooks.state.store import open_store
from coffee_hooks.state.timings import timings
from coffee_hooks.state.verdicts import Remembered, Verdict

if TYPE_CHECKING:
    from conftest import Lane

PLENTY = DISK_NEEDED * 100
LANDED_RED = '[ ! -e red ] || { echo "found red"; exit 1; }'
"""A gate that is red on every tree with a file called red."""


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has collected yet does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def concluded(rc: int | None, end: End = End.EXITED, free: int = PLENTY, said: bytes = b"") -> Outcome:
    return conclude(Ended(end, rc, 1.0), Gate(command=("x",)), free, said)[0]


@given(st.integers(-64, 255), st.binary())
def test_only_exit_0_is_green(rc: int, said: bytes) -> None:
    """Whatever else a gate says, nothing but exit code 0 lets a branch land."""
    assert (concluded(rc, said=said) is Outcome.GREEN) == (rc == 0)


@pytest.mark.parametrize("rc", [126, 127, *(n for s in (1, 2, 9, 15) for n in (-s, 128 + s)), -signal.SIGXFSZ])
def test_what_the_machine_did_blames_nobody(rc: int) -> None:
    """No command, killed from outside (by itself or under a shell), a file limit: nothing is known of the branch."""
    assert concluded(rc) is Outcome.ERROR


@pytest.mark.parametrize("rc", [1, 2, 5, 77, 125, 255, -signal.SIGSEGV, 128 + signal.SIGSEGV, -signal.SIGABRT])
def test_a_failure_or_a_crash_of_the_tests_is_red(rc: int) -> None:
    """These exit codes are the tests' own."""
    assert concluded(rc) is Outcome.RED
    assert concluded(rc, free=DISK_NEEDED - 1) is Outcome.ERROR
    assert concluded(rc, said=b"x\nOSError: [Errno 28] No space left on device\n") is Outcome.ERROR


def test_a_gate_that_did_not_end_or_start_is_an_error() -> None:
    """A timeout and a missing command are no verdict."""
    assert concluded(-9, End.TIMED_OUT) is Outcome.ERROR
    assert concluded(None, End.NOT_FOUND) is Outcome.ERROR


@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=8), st.integers(0, 3))
def test_green_is_final_and_red_only_when_confirmed(verdicts: list[Verdict], retries: int) -> None:
    """The last run counts, all runs are counted, and runs that disagree are told."""
    known: Remembered | None = None
    for verdict in verdicts:
        known = with_run(known, verdict, 1.0, None)
    assert known is not None
    assert known == Remembered(verdicts[-1], 1.0, len(verdicts), None, len(set(verdicts)) == 2)
    assert is_final(known, retries) == (verdicts[-1] is Verdict.GREEN or len(verdicts) > retries)


def test_a_red_branch_does_not_land_and_is_blamed_once(lane: Lane) -> None:
    """Exit 1 with the log; the target was tested alone before the blame; naming it again reuses the verdict."""
    lane.with_gate(LANDED_RED)
    before = lane.target
    tip = lane.branch(1, {"red": "x\n"})
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (1, "gate-failed", 3)
    assert "found red" in Path(said.result["log"]).read_text()
    assert (lane.target, lane.remote_target, said.json["after"]) == (before, before, before)
    assert sorted(lane.verdicts().values()) == ["green", "red"]
    again = lane.merge()
    assert (again.outcome, again.json["gate_runs"], again.result["log"]) == ("gate-failed", 0, said.result["log"])
    assert f"refs/coffee/verdicts/blamed/{tip}" in lane.box.refs("refs/coffee/verdicts/blamed/")


def test_a_blame_is_forgotten_when_a_retest_is_green(lane: Lane, tmp_path: Path) -> None:
    """A person who named the branch and had it tested again clears it."""
    lane.with_gate(f"[ ! -e red ] || [ -e {tmp_path}/repaired ]")
    lane.branch(1, {"red": "x\n"})
    assert lane.merge().outcome == "gate-failed"
    (tmp_path / "repaired").touch()
    assert lane.merge().outcome == "gate-failed"
    lane.assert_landed(lane.merge("roadmap-wt1", "--retest"))
    assert lane.box.refs("refs/coffee/verdicts/blamed/") == {}


def test_a_red_target_blames_nobody(lane: Lane) -> None:
    """The branch cannot be judged on a red base: error, exit 4, no red verdict, no blame."""
    lane.with_gate("exit 1")
    lane.branch()
    said = lane.merge()
    assert (said.rc, said.outcome) == (4, "error")
    assert "red on the target itself" in said.result["reason"]
    assert lane.verdicts() == {}
    assert lane.box.refs("refs/coffee/verdicts/blamed/") == {}


def test_a_red_target_freezes_the_train(lane: Lane) -> None:
    """Nobody is blamed, and nobody is tested one by one: one run of the batch, and the confirmed ones of the target."""
    lane.with_gate("[ -e repaired ]")
    for number in range(1, 6):
        lane.branch(number)
    names = [f"roadmap-wt{number}" for number in range(1, 6)]
    said = lane.merge(*names)
    assert [(result["outcome"], said.rc) for result in said.json["results"]] == [("error", 4)] * 5
    assert {result["reason"] for result in said.json["results"]} == {
        "the gate is red on the target itself, so no branch is blamed"
    }
    assert said.json["gate_runs"] == 1 + 2
    assert lane.verdicts() == {}
    assert lane.box.refs("refs/coffee/verdicts/blamed/") == {}


def test_the_branch_that_repairs_a_red_target_lands(lane: Lane) -> None:
    """Named alone, it is green."""
    lane.with_gate("[ -e repaired ]")
    lane.branch(1)
    lane.branch(3, {"repaired": "x\n"})
    assert lane.merge("roadmap-wt1").outcome == "error"
    lane.assert_landed(lane.merge("roadmap-wt3"), 3)
    lane.assert_landed(lane.merge("roadmap-wt1"))


def test_a_target_that_cannot_be_tested_says_why(lane: Lane) -> None:
    """An error of the gate on the target is not called a red target."""
    lane.with_gate("[ -e pkg/new1.py ] && exit 1; kill -9 $$")
    lane.branch()
    said = lane.merge()
    assert (said.outcome, said.result["reason"]) == ("error", "the gate was killed by signal 9")


def test_red_once_and_green_later_lands_and_is_called_flaky(lane: Lane, tmp_path: Path) -> None:
    """One retry is the default; what was seen is said and kept with the verdict."""
    lane.with_gate(f"[ -e {tmp_path}/seen ] || {{ touch {tmp_path}/seen; exit 1; }}")
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert said.json["gate_runs"] == 2
    assert "flaky: the gate was red first and then green on the same tree (roadmap-wt1)" in said.err
    (blob,) = lane.box.refs("refs/coffee/verdicts/").values()
    assert json.loads(lane.git(lane.work, "cat-file", "blob", blob))["runs"] == 2
    with open_store(lane.work / ".git" / "coffee") as store:
        noted = [(timing.phase.value, timing.detail) for timing in timings(store)]
    assert noted == [("gate", "red"), ("gate", "flaky"), ("merge", "landed")]


def test_without_retries_one_red_run_is_enough(lane: Lane) -> None:
    """``gate.retries: 0`` means that: one run of the candidate, one of the target."""
    lane.configure(gate={"command": ["sh", "-c", LANDED_RED], "retries": 0})
    lane.branch(1, {"red": "x\n"})
    assert lane.merge().json["gate_runs"] == 2


def test_a_verdict_belongs_to_the_tree(lane: Lane, tmp_path: Path) -> None:
    """A check and then a merge of the same tree run the gate once; --retest runs it again."""
    lane.with_gate(f"echo run >> {tmp_path}/runs")
    lane.branch()
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 1
    assert lane.merge("roadmap-wt1", "--check", "--retest").json["gate_runs"] == 1
    said = lane.merge()
    lane.assert_landed(said)
    assert said.json["gate_runs"] == 0
    assert (tmp_path / "runs").read_text() == "run\n" * 2


def test_a_verdict_belongs_to_the_command(lane: Lane) -> None:
    """Another gate command has not passed on this tree yet."""
    lane.branch()
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 1
    lane.box.branch("roadmap-wt2", {"pkg/new1.py": "x = 1\n"})
    os.environ["COFFEE_GATE__COMMAND"] = "[sh, -c, 'true']"
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 1
    assert lane.merge("roadmap-wt1", "--check").json["gate_runs"] == 0


ERRORS = {
    "timeout": ({"command": ["sleep", "60"], "timeout": "1s"}, "did not end within 1 s"),
    "no-command": ({"command": ["no-such-command-here"]}, "'no-such-command-here' was not found"),
    "exit-127": ({"command": ["sh", "-c", "no-such-command-here"]}, "exit code 127"),
    "not-executable": ({"command": ["sh", "-c", "./.coffee.yaml"]}, "exit code 126"),
    "killed": ({"command": ["sh", "-c", "kill -9 $$"]}, "killed by signal 9"),
    "child-killed": ({"command": ["sh", "-c", "sh -c 'kill -9 $$'; exit $?"]}, "killed by signal 9"),
    "file-limit": ({"command": ["sh", "-c", "ulimit -f 1; exec cat /dev/zero > big"]}, "limit for files"),
    "disk-full": ({"command": ["sh", "-c", "cat /dev/zero > /dev/full; exit 1"]}, "disk is full"),
    "setup": ({"command": ["true"], "setup": ["false"]}, "gate.setup failed"),
    "setup-missing": ({"command": ["true"], "setup": ["no-such-command-here"]}, "gate.setup failed"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_of_the_gate_is_never_held_against_a_branch(lane: Lane, case: str) -> None:
    """Error, exit 4, with the reason; nothing moved, nothing remembered, and the next run tries again."""
    gate, why = ERRORS[case]
    lane.configure(gate=gate)
    lane.branch()
    before = lane.target
    for _ in range(2):
        said = lane.merge()
        assert (said.rc, said.outcome, said.json["gate_runs"]) == (4, "error", 1)
        assert why in said.result["reason"]
    assert lane.target == lane.remote_target == before
    assert lane.box.refs("refs/coffee/") == {}


def test_no_gate_is_not_green(lane: Lane) -> None:
    """Without a command nothing can be tested, so nothing lands: exit 2 with what to set."""
    lane.configure(gate={})
    lane.branch()
    said = lane.merge()
    assert (said.rc, said.json) == (2, {})
    assert "no gate is configured" in said.err
    assert "gate.command" in said.err


def test_a_branch_cannot_weaken_its_gate(lane: Lane) -> None:
    """A branch that edits .coffee.yaml is judged by the target's; once landed, its gate counts for the next."""
    lane.with_gate(LANDED_RED)
    weak = json.dumps({"gate": {"command": ["true"]}})
    lane.branch(1, {".coffee.yaml": weak, "red": "x\n"})
    assert lane.merge().outcome == "gate-failed"
    lane.branch(2, {".coffee.yaml": weak})
    lane.assert_landed(lane.merge("roadmap-wt2"), 2)
    lane.branch(3, {"red": "x\n"})
    lane.assert_landed(lane.merge("roadmap-wt3"), 3)


def test_a_configuration_that_lies_about_checkouts_does_not_count(lane: Lane) -> None:
    """Neither an uncommitted .coffee.yaml in the main checkout nor a broken one on the branch changes the gate."""
    lane.with_gate(LANDED_RED)
    (lane.work / ".coffee.yaml").write_text("gate: {command: ['true']}\n")
    lane.branch(1, {".coffee.yaml": "no: [such, key\n", "red": "x\n"})
    assert lane.merge().outcome == "gate-failed"


def test_python_files_that_python_would_load_by_itself_do_not_run_before_the_gate(lane: Lane) -> None:
    """sitecustomize and usercustomize of a branch are not on the path of a gate started in its clone."""
    trick = "import os\nos._exit(0)\n"
    lane.with_gate(f"{LANDED_RED}", environment=[])
    lane.branch(1, {"sitecustomize.py": trick, "usercustomize.py": trick, "pkg/beta.py": "broken\n"})
    lane.configure(gate={"command": [os.environ.get("PYTHON", "python3"), "-m", "unittest", "-q"]})
    said = lane.merge()
    assert said.outcome == "gate-failed", said.told


def test_the_environment_of_the_gate(lane: Lane, tmp_path: Path) -> None:
    """Forge tokens are gone, the temporary folder is the run's own, and the task is named."""
    lane.with_gate(f"env -0 > {tmp_path}/env; echo x > $TMPDIR/left")
    os.environ.update(GITHUB_TOKEN="secret", GH_TOKEN="secret", COFFEE_GATE__RETRIES="1", ORDINARY="kept")
    lane.branch()
    base = lane.target
    lane.assert_landed(lane.merge())
    env = dict(item.split("=", 1) for item in (tmp_path / "env").read_text().split("\0") if item)
    assert not {"GITHUB_TOKEN", "GH_TOKEN", "COFFEE_GATE__RETRIES"} & env.keys()
    wanted = {
        "ORDINARY": "kept", "COFFEE_TASK_ID": "US-104", "COFFEE_BRANCH": "roadmap-wt1", "COFFEE_BASE_SHA": base,
        "COFFEE_ROOT": str(lane.work), "COFFEE_WORKTREE": str(lane.gate),
    }  # fmt: skip
    assert {name: env.get(name) for name in wanted} == wanted
    assert not Path(env["TMPDIR"]).exists()
    assert not [name for name in env if name.startswith("GIT_") and name not in os.environ]


def test_files_of_the_main_checkout_that_the_gate_needs(lane: Lane) -> None:
    """``worktrees.copy`` applies to the gate too, with its mode, and never over a tracked file."""
    script = '[ "$(cat .env)" = secret ] && [ "$(stat -c %a .env)" = 600 ]'
    lane.configure(gate={"command": ["sh", "-c", script]}, worktrees={"copy": [".env", "pkg/alpha.py"]})
    (lane.work / ".env").write_text("secret\n")
    (lane.work / ".env").chmod(stat.S_IRUSR | stat.S_IWUSR)
    (lane.work / "pkg/alpha.py").write_text("mine\n")
    lane.branch()
    lane.assert_landed(lane.merge())


def test_what_the_gate_leaves_running_is_ended(lane: Lane, tmp_path: Path) -> None:
    """A child in the group and a daemon in a session of its own are gone before the next candidate comes."""
    daemon = f"setsid -f sh -c 'echo $$ > {tmp_path}/daemon; exec sleep 600'"
    wait = f"while [ ! -s {tmp_path}/daemon ]; do :; done"
    script = f"sleep 600 & echo $! > {tmp_path}/child; {daemon}; {wait}"
    lane.with_gate(script)
    lane.branch()
    lane.assert_landed(lane.merge())
    for name in ("child", "daemon"):
        pid = int((tmp_path / name).read_text())
        assert not alive(pid)


def test_a_timeout_ends_everything_the_gate_started(lane: Lane, tmp_path: Path) -> None:
    """Also what left its session goes with the time limit."""
    lane.configure(
        gate={"command": ["sh", "-c", f"setsid sleep 600 & echo $! > {tmp_path}/pid; wait"], "timeout": "1s"}
    )
    lane.branch()
    assert lane.merge().outcome == "error"
    assert not alive(int((tmp_path / "pid").read_text()))
