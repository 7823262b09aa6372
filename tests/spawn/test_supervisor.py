"""Agents that misbehave, each a real process, and what their supervisor makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from coffee_hooks.base.config import Seconds
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.spawn.living import at_work, living_orders
from coffee_hooks.spawn.rotate import KEPT, older
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import EndReason, all_runs, latest_run
from coffee_hooks.state.claims import ClaimState

if TYPE_CHECKING:
    from conftest import Lab

COMMIT = "echo $$ > new.py; git add new.py; git commit -qm 'feat: New'"


def processes_below(lab: Lab, task: str = "US-104") -> list[int]:
    """Every living process that works in the worktree of a task."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == lab.run(task).worktree and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_good_end_is_recorded_in_the_claim_and_in_the_database(lab: Lab) -> None:
    """Exit 0 with commits on the claimed branch makes the claim done at that commit, and the run done."""
    lab.agent = COMMIT
    lab.spawn("US-104")
    lab.wait()
    claim, run = lab.claim(), lab.run()
    assert (claim.state, claim.sha) == (ClaimState.DONE, lab.box.refs("refs/heads/")[f"refs/heads/{claim.branch}"])
    assert (run.reason, run.exit_code) == (EndReason.DONE, 0)
    assert run.pid is not None and run.start_time is not None
    assert list((lab.work / ".git/coffee/agents").iterdir()) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 0", "no-commits"),
        ("echo x > untracked.py", "no-commits"),
        ("git switch -qc roadmap-elsewhere; " + COMMIT, "not on roadmap-wt1"),
        ("git switch -q --detach; " + COMMIT, "not on roadmap-wt1"),
        (COMMIT + '; cd /; rm -rf "$COFFEE_WORKTREE"', "its worktree is gone"),
        ("git switch -q --detach; git branch -qD roadmap-wt1", "branch roadmap-wt1 is gone"),
    ],
)
def test_exit_0_alone_is_not_done(lab: Lab, script: str, reason: str) -> None:
    """Exit 0 with files uncommitted was taken for a finished task (bernstein PR#5619); each way to fool it fails."""
    lab.agent = script
    lab.spawn("US-104")
    lab.wait()
    assert (lab.claim().state, lab.run().reason, lab.run().exit_code) == (ClaimState.CLAIMED, EndReason.FAILED, 0)
    assert reason in (lab.claim().reason or "")


def test_commits_from_before_the_spawn_are_not_the_agents(lab: Lab) -> None:
    """Commits that were there before the agent started do not make it done (bernstein PR#4476)."""
    lab.box.commit({"pkg/earlier.py": "x = 1\n"})
    lab.agent = "exit 0"
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.FAILED


def test_exit_code_of_a_failing_agent_is_kept(lab: Lab) -> None:
    """An agent that commits and then fails is failed, with its exit code, and its commits stay on the branch."""
    lab.agent = COMMIT + "; exit 7"
    lab.spawn("US-104")
    lab.wait()
    assert (lab.run().reason, lab.run().exit_code, lab.claim().reason) == (EndReason.FAILED, 7, "failed")
    assert lab.claim().base != lab.box.refs()["refs/heads/roadmap-wt1"]


def test_silence_longer_than_the_idle_timeout_is_a_stall(lab: Lab) -> None:
    """An agent hung for 25 hours and nobody saw it (tomcounsell/ai#1537): silence ends it and its process is gone."""
    lab.agent = "sleep 60"
    lab.limits = replace(lab.limits, idle_timeout=Seconds(0.3))
    lab.spawn("US-104")
    lab.wait()
    assert (lab.run().reason, lab.claim().reason) == (EndReason.STALLED, "stalled")
    assert processes_below(lab) == []


@pytest.mark.parametrize("sign", ["echo .", "touch file$n", "git commit -q --allow-empty -m x"])
def test_an_agent_that_gives_signs_is_not_killed(lab: Lab, sign: str) -> None:
    """A healthy worker was killed for seeming silent (jwbron/egg#3639): output, files or commits each keep it alive."""
    lab.agent = f"for n in 1 2 3 4 5 6 7 8 9; do sleep 0.3; {sign}; done; {COMMIT}"
    lab.limits = replace(lab.limits, idle_timeout=Seconds(2.0))
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.DONE


def test_wall_clock_is_limited_whatever_the_agent_says(lab: Lab) -> None:
    """An agent that talks for ever is ended after its timeout."""
    lab.agent = "while :; do echo .; sleep 0.1; done"
    lab.limits = replace(lab.limits, timeout=Seconds(0.5))
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.TIMED_OUT


def test_grandchildren_are_ended_with_the_agent(lab: Lab) -> None:
    """SIGTERM to a wrapper left the real agent running (tiann/hapi PR#440): the whole group goes, orphans included."""
    lab.agent = f"(sleep 60 & sleep 60 &) ; {COMMIT}"
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.DONE
    assert processes_below(lab) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_grandchildren_in_a_session_of_their_own_are_ended_too(lab: Lab) -> None:
    """A daemon that an agent leaves behind in its own session would write into a tree that is about to land."""
    lab.agent = f"setsid sh -c 'setsid sleep 60 & sleep 60' & sleep 0.2; {COMMIT}"
    lab.spawn("US-104")
    lab.wait()
    assert processes_below(lab) == []


def test_an_agent_that_ignores_sigterm_is_killed(lab: Lab) -> None:
    """Ending an agent does not need its consent."""
    lab.agent = "trap '' TERM; while :; do sleep 0.1; done"
    lab.limits = replace(lab.limits, timeout=Seconds(1.5))  # by then it ignores it
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.TIMED_OUT
    assert lab.run().exit_code == -signal.SIGKILL


def test_closed_and_flooded_output_stop_nobody(lab: Lab) -> None:
    """No unread pipe: an agent may close its output or write 200 MB, and still ends well."""
    lab.agent = f"head -c 200000000 /dev/zero; exec >&- 2>&-; {COMMIT}"
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.DONE
    log = Path(lab.run().log)
    assert log.stat().st_size < 1000 and older(log).stat().st_size == KEPT


def test_a_living_grandchild_that_holds_the_output_does_not_hold_the_end(lab: Lab) -> None:
    """A child's pipe held by grandchildren blocked a supervisor for hours (giuseppecrj/pi-herdr-agents#40)."""
    lab.agent = f"sleep 60 & {COMMIT}"
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.DONE


def test_done_said_by_the_agent_itself_stands(lab: Lab) -> None:
    """`coffee done` inside the agent moved the claim; a bad exit afterwards does not take that back."""
    lab.agent = f"{COMMIT}; {sys.executable} -I -m coffee_hooks -q done; exit 3"
    lab.spawn("US-104")
    lab.wait()
    claim = lab.claim()
    assert (claim.state, claim.sha) == (ClaimState.DONE, lab.box.refs()[f"refs/heads/{claim.branch}"])
    assert lab.run().reason is EndReason.FAILED


def test_commits_after_done_move_it_along(lab: Lab) -> None:
    """An agent that says done, commits once more and ends well is done at its last commit."""
    done = f"{sys.executable} -I -m coffee_hooks -q done"
    lab.agent = f"{COMMIT}; {done}; echo more > more.py; git add -A; git commit -qm m"
    lab.spawn("US-104")
    lab.wait()
    assert lab.claim().sha == lab.box.refs()["refs/heads/roadmap-wt1"]


def test_losing_the_database_loses_no_work(lab: Lab) -> None:
    """The database is local and may be deleted while an agent works: its good end still reaches the claim."""
    lab.agent = f"while [ ! -e go ]; do sleep 0.05; done; rm go; {COMMIT}"
    lab.spawn("US-104")
    worktree = Path(lab.run().worktree)
    for path in (lab.work / ".git/coffee").glob("state.db*"):
        path.unlink()
    (worktree / "go").touch()
    lab.until(lambda: not list(living_orders(lab.work / ".git/coffee")))
    assert lab.claim().state is ClaimState.DONE


def test_agents_survive_whoever_started_them(lab: Lab) -> None:
    """The spawning process and its whole session are killed; supervisor and agent go on to a good end."""
    agent = "while [ ! -e go ]; do sleep 0.05; done; rm go; echo 1 > n; git add n; git commit -qm n"
    lab.box.commit({".coffee.yaml": f'agent:\n  command: [sh, -c, "{agent}"]\n'})
    shell = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -I -m coffee_hooks spawn US-104; sleep 60"],
        cwd=lab.work, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    lab.until(lambda: (run := latest_run(lab.store, "US-104")) and run.pid)
    os.killpg(shell.pid, signal.SIGHUP)
    os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
    assert look(lab.work / ".git/coffee", lab.run()).running
    (Path(lab.run().worktree) / "go").touch()
    lab.wait()
    assert (lab.run().reason, lab.claim().state) == (EndReason.DONE, ClaimState.DONE)


def test_an_agent_goes_on_without_its_supervisor(lab: Lab) -> None:
    """kill -9 of the supervisor: the agent still counts as running, and as lost once it is gone; never as done."""
    lab.agent = "sleep 60"
    lab.spawn("US-104")
    run = lab.run()
    os.kill(run.supervisor_pid, signal.SIGKILL)
    lab.until(lambda: not list(living_orders(lab.work / ".git/coffee")))
    assert look(lab.work / ".git/coffee", lab.run()).running
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    lab.until(lambda: not at_work(lab.work / ".git/coffee", lab.store))
    assert look(lab.work / ".git/coffee", lab.run()).lost


def test_sigterm_to_the_supervisor_ends_the_agent(lab: Lab) -> None:
    """Whoever shuts the machine down politely gets a clean end, recorded as cancelled."""
    lab.agent = "sleep 60"
    lab.spawn("US-104")
    os.kill(lab.run().supervisor_pid, signal.SIGTERM)
    lab.wait()
    assert (lab.run().reason, lab.claim().reason) == (EndReason.CANCELLED, "cancelled")
    assert processes_below(lab) == []


def test_every_attempt_is_marked_in_one_log(lab: Lab) -> None:
    """The log of a task holds each attempt's output behind a line that says which it is."""
    lab.agent = f"echo hello from $COFFEE_ATTEMPT; {COMMIT}"
    lab.spawn("US-104")
    lab.wait()
    assert lab.log() == "--- attempt 1\nhello from 1\n"


def test_the_agent_finds_its_task_in_the_environment(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable of the contract is there; forge tokens and coffee's own configuration are not."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("COFFEE_POLL", "3s")
    lab.agent = "env | grep -E '^(COFFEE_|GITHUB)' | sort; cat \"$COFFEE_PROMPT_FILE\""
    lab.spawn("US-104")
    lab.wait()
    said = dict(line.split("=", 1) for line in lab.log().splitlines() if line.startswith(("COFFEE_", "GITHUB")))
    port = said.pop("COFFEE_PORT")
    prompt = said.pop("COFFEE_PROMPT_FILE")
    assert 10_000 <= int(port) < 20_000 and Path(prompt).is_file()
    assert said == {
        "COFFEE_ATTEMPT": "1",
        "COFFEE_BASE_SHA": lab.claim().base,
        "COFFEE_BRANCH": "roadmap-wt1",
        "COFFEE_ROOT": str(lab.work),
        "COFFEE_SPEC": "docs/architecture/specs/SPEC-104-feature-x.md",
        "COFFEE_TASK_ID": "US-104",
        "COFFEE_WORKTREE": lab.run().worktree,
    }
    assert "# US-104: Feature X" in lab.log()


def test_tokens_named_in_agent_env_are_passed_on(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that needs the forge gets its token when the configuration names it."""
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    lab.limits = replace(lab.limits, env=("GITHUB_TOKEN",))
    lab.agent = "echo $GITHUB_TOKEN"
    lab.spawn("US-104")
    lab.wait()
    assert "secret" in lab.log()


def test_an_agent_that_cannot_be_started_is_undone(lab: Lab) -> None:
    """A program that is there but cannot run: exit 4 of spawn, claim, branch and worktree are gone again."""
    script = lab.work.parent / "agent"
    script.write_text("#!/nowhere/at/all\n")
    script.chmod(0o755)
    lab.agent = (str(script),)
    with pytest.raises(EnvironmentFailure, match="could not be started: No such file"):
        lab.spawn("US-104")
    assert (lab.claim().state, lab.claim().reason) == (ClaimState.RELEASED, "agent-failed")
    assert (lab.branches(), lab.trees()) == (set(), {})
    assert [run.reason for run in all_runs(lab.store)] == [EndReason.FAILED]


def test_a_prompt_beyond_what_an_argument_holds_is_read_from_its_file(lab: Lab) -> None:
    """A spec of 300 kB (E2BIG) and a NUL in it: the agent starts, its argument names the file that holds it all."""
    spec = "docs/architecture/specs/SPEC-104-feature-x.md"
    lab.box.commit({spec: (lab.work / spec).read_text() + "long \0" * 50_000 + "the very end"})
    lab.agent = ("sh", "-c", f'echo "$1"; tail -c 1200 "$COFFEE_PROMPT_FILE"; {COMMIT}', "agent", "{prompt}")
    lab.spawn("US-104")
    lab.wait()
    assert "Your whole task is in the file" in lab.log() and "the very end" in lab.log()
    assert lab.run().reason is EndReason.DONE


def test_a_command_that_names_no_prompt_finds_it_on_stdin(lab: Lab) -> None:
    """All of it, however long; one that names the prompt, or the file, finds nothing there."""
    spec = "docs/architecture/specs/SPEC-104-feature-x.md"
    lab.box.commit({spec: (lab.work / spec).read_text() + "long " * 50_000 + "the very end"})
    lab.agent = ("sh", "-c", f'cmp - "$COFFEE_PROMPT_FILE" && echo the same; {COMMIT}')
    lab.spawn("US-104")
    lab.agent = ("sh", "-c", f"wc -c; {COMMIT}", "agent", "{prompt_file}")
    lab.spawn("US-105")
    lab.wait()
    assert lab.log().splitlines() == ["--- attempt 1", "the same"]
    assert lab.log("US-105").split() == ["---", "attempt", "1", "0"]
