"""``coffee spawn TASK --here``: the agent works in this checkout, and what it made is on the remote afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.project import open_project
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.sharing import share

if TYPE_CHECKING:
    from conftest import Completed, Git, Sandbox

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((ROOT / "coffee_hooks/schemas/spawn.json").read_text(encoding="utf-8"))
WORKS = (
    'echo "hello from $COFFEE_BRANCH"; echo x > "new-$COFFEE_TASK_ID.txt" && git add . && git commit -q -m "feat: Work"'
)


@pytest.fixture
def runner(sandbox: Sandbox, git: Git) -> Path:
    """A fresh clone on a detached HEAD, as a CI has it."""
    configure(sandbox, WORKS)
    git(sandbox.work.parent, "clone", "-q", str(sandbox.origin), "runner")
    git(sandbox.work.parent / "runner", "checkout", "-q", "--detach", "origin/roadmap")
    return sandbox.work.parent / "runner"


def configure(sandbox: Sandbox, script: str, **agent: Any) -> None:
    """An agent that is this script; claims are shared."""
    config = {
        "gate": {"command": ["true"]}, "shared": True,
        "agent": {"command": ["sh", "-c", script], "max-parallel": 3, **agent},
    }  # fmt: skip
    sandbox.commit({".coffee.yaml": json.dumps(config)}, "chore: Configure")
    sandbox.push("roadmap")


def here(sandbox: Sandbox, runner: Path, task: str = "US-104") -> tuple[Completed, dict[str, Any]]:
    done = sandbox.coffee("--json", "spawn", "--here", task, cwd=runner)
    answer = json.loads(done.out) if done.out else {}
    if answer:
        Draft202012Validator(SCHEMA).validate(answer)
    return done, answer


def begun(runner: Path) -> subprocess.Popen[bytes]:
    """The command at work, its agent so far that it said ``ready``."""
    command = [sys.executable, "-I", "-m", "coffee_hooks", "spawn", "--here", "US-104"]
    child = subprocess.Popen(command, cwd=runner, stderr=subprocess.PIPE)
    assert child.stderr is not None
    while b"ready" not in child.stderr.readline():
        assert child.poll() is None
    return child


def claims_of(work: Path) -> dict[str, Claim]:
    """Task -> claim, as this clone knows them."""
    return {str(task): claim for task, claim in read_claims(open_project(work).repo).items()}


def test_it_claims_works_and_pushes(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """Branch and claim are on the remote, the log was shown, and another clone lands it."""
    done, answer = here(sandbox, runner)
    assert done.rc == 0, done.err
    (spawned,) = answer["spawned"]
    branch = spawned["branch"]
    assert (spawned["task"], Path(spawned["worktree"])) == ("US-104", runner)
    assert f"hello from {branch}" in done.err
    assert git(runner, "symbolic-ref", "--short", "HEAD") == branch
    assert git(sandbox.origin, "rev-parse", branch) == git(runner, "rev-parse", "HEAD")
    landed = sandbox.coffee("merge")
    assert landed.rc == 0 and branch in landed.out, landed.err
    assert claims_of(sandbox.work)["US-104"].state is ClaimState.LANDED


def test_what_is_not_finished_is_pushed_and_does_not_land(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """The runner may be gone in a minute: commits of an agent that failed are kept, and nobody takes them for done."""
    configure(sandbox, WORKS + "; exit 3")
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    done, answer = here(sandbox, runner)
    assert done.rc == 1
    branch = answer["spawned"][0]["branch"]
    assert git(sandbox.origin, "rev-parse", branch) == git(runner, "rev-parse", "HEAD")
    assert sandbox.coffee("merge").out.splitlines()[-1] == "nothing is ready to merge"


def test_the_next_attempt_of_a_run_goes_on(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """A job that is started again takes its task up where it was left; another run does not."""
    configure(sandbox, '[ "$COFFEE_BRANCH" = "$(git symbolic-ref --short HEAD)" ] && ' + WORKS + "; [ -e ../good ]")
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    run = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/demo", "GITHUB_SERVER_URL": "https://github.com"}
    first = {**run, "GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "1"}
    assert sandbox.coffee("spawn", "--here", "US-104", cwd=runner, env=first).rc == 1
    (sandbox.work.parent / "good").touch()
    answers = []
    for name, changed in (("other", {"GITHUB_RUN_ID": "8"}), ("same", {}), ("next", {"GITHUB_RUN_ATTEMPT": "2"})):
        git(sandbox.work.parent, "clone", "-q", "-b", "roadmap", str(sandbox.origin), name)
        clone = sandbox.work.parent / name
        answers.append(sandbox.coffee("spawn", "--here", "US-104", cwd=clone, env={**first, **changed}))
    assert [answer.rc for answer in answers] == [1, 1, 0], answers
    assert all("has it on roadmap-wt1" in answer.out for answer in answers[:2])
    assert git(clone, "rev-parse", "HEAD^") == git(clone, "rev-parse", "roadmap")  # on top of what was there
    assert claims_of(clone)["US-104"].state is ClaimState.DONE


def test_a_task_is_worked_on_once(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """Whoever comes later is told who has it, and changes nothing."""
    assert here(sandbox, runner)[0].rc == 0
    git(sandbox.work.parent, "clone", "-q", str(sandbox.origin), "late")
    before = sandbox.refs("refs/", sandbox.origin)
    done, answer = here(sandbox, sandbox.work.parent / "late")
    assert done.rc == 1 and answer["skipped"][0]["reason"] == "claimed"
    assert sandbox.refs("refs/", sandbox.origin) == before


@pytest.mark.parametrize("file", ["pkg/core.py", "untracked.txt"])
def test_a_checkout_with_changes_is_refused(sandbox: Sandbox, runner: Path, file: str) -> None:
    """Before anything is claimed."""
    (runner / file).parent.mkdir(exist_ok=True)
    (runner / file).write_text("mine\n")
    done, _ = here(sandbox, runner)
    assert done.rc == 2 and "not committed" in done.err
    assert (runner / file).read_text() == "mine\n"
    assert not sandbox.refs("refs/coffee/tasks/", sandbox.origin)


def test_an_agent_that_cannot_be_started_leaves_the_task_free(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """Also on the remote; the checkout is where it was."""
    config = {"gate": {"command": ["true"]}, "shared": True, "agent": {"command": ["./no-such-agent"]}}
    sandbox.commit({".coffee.yaml": json.dumps(config)}, "chore: Configure")
    sandbox.push("roadmap")
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    done, _ = here(sandbox, runner)
    assert done.rc == 4, done.err
    assert git(runner, "rev-parse", "HEAD") == git(runner, "rev-parse", "origin/roadmap")
    assert claims_of(runner)["US-104"].state is ClaimState.RELEASED
    assert sandbox.refs("refs/coffee/tasks/", sandbox.origin) == sandbox.refs("refs/coffee/tasks/", runner)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_agent_and_pushes_what_it_made(
    sandbox: Sandbox, runner: Path, git: Git, number: signal.Signals
) -> None:
    """A run that is cancelled: no process is left, no commit is lost."""
    configure(sandbox, WORKS + "; echo ready; sleep 60")
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    child = begun(runner)
    os.kill(child.pid, number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130, said
    (branch,) = {claim.branch for claim in claims_of(runner).values()}
    assert git(sandbox.origin, "rev-parse", branch) == git(runner, "rev-parse", "HEAD")


@pytest.mark.parametrize("state", [ClaimState.CLAIMED, ClaimState.RELEASED])
def test_late_work_of_a_task_that_was_taken_over_is_kept_and_does_not_land(
    sandbox: Sandbox, runner: Path, git: Git, state: ClaimState
) -> None:
    """It may be half done, and a branch that no claim speaks for counts as a person's."""
    configure(sandbox, WORKS + "; echo ready; while ! test -e ../go; do sleep 0.1; done; exit 3")
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    child = begun(runner)
    sandbox.coffee("status")
    claim = claims_of(sandbox.work)["US-104"]
    there = "roadmap-wt9" if state is ClaimState.CLAIMED else claim.branch
    project = open_project(sandbox.work)
    assert claims_.update(project.repo, claim, owner="other@there/1", state=state, branch=there)
    assert share(project) is None
    (runner.parent / "go").touch()
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1 and f"refs/coffee/late/{claim.branch}/".encode() in said
    assert git(runner, "rev-parse", "HEAD") in sandbox.refs("refs/coffee/late/", sandbox.origin).values()
    assert sandbox.coffee("merge").out.splitlines()[-1] == "nothing is ready to merge"


MEETS = """\
import os, signal, sys, time
from coffee_hooks.boundary import main
from coffee_hooks.loop import here
from coffee_hooks.spawn import launch

def meets(module, name, number, late):
    does = getattr(module, name)
    def instead(*args):
        done = does(*args) if late else None
        os.kill(os.getpid(), number)
        time.sleep(9)
        return done
    setattr(module, name, instead)

{meets}
sys.exit(main(["spawn", "--here", "US-104"]))
"""


def meet(runner: Path, meets: str) -> int:
    """The exit code of a call that a signal meets at a chosen step."""
    script = MEETS.format(meets=meets)
    return subprocess.run([sys.executable, "-c", script], cwd=runner, check=False, capture_output=True).returncode


@pytest.mark.parametrize("step", ["launch, 'begin'", "launch, 'answered'", "here, 'launch'"])
def test_ctrl_c_while_the_agent_is_being_started_stops_it_too(
    sandbox: Sandbox, runner: Path, git: Git, step: str
) -> None:
    """Else it would go on in a checkout that was taken away under it, and its commits would be on no branch."""
    configure(sandbox, "test -e ../go || sleep 600; " + WORKS)
    git(runner, "fetch", "-q", "origin", "roadmap:roadmap")
    git(runner, "checkout", "-q", "--detach", "roadmap")
    assert meet(runner, f"meets({step}, signal.SIGINT, True)") == 130
    assert not [agent.pid for agent in psutil.process_iter(["cwd"]) if agent.info["cwd"] == str(runner)]
    (runner.parent / "go").touch()
    assert git(runner, "rev-parse", "HEAD") == git(runner, "rev-parse", "roadmap")
    assert claims_of(runner)["US-104"].state is ClaimState.RELEASED
    assert sandbox.refs("refs/coffee/tasks/", sandbox.origin) == sandbox.refs("refs/coffee/tasks/", runner)
    assert here(sandbox, runner)[0].rc == 0


def test_a_call_that_was_killed_before_its_agent_is_made_up_for(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """The next one in the same clone goes on with the claim and the branch."""
    assert meet(runner, "meets(here, 'launch', signal.SIGKILL, False)") == -signal.SIGKILL
    (branch,) = {claim.branch for claim in claims_of(runner).values()}
    assert git(runner, "symbolic-ref", "--short", "HEAD") == branch
    done, answer = here(sandbox, runner)
    assert done.rc == 0, done.err
    assert answer["spawned"][0]["branch"] == branch
    assert git(sandbox.origin, "rev-parse", branch) == git(runner, "rev-parse", "HEAD")


def test_a_claim_of_a_dead_machine_is_taken_over(sandbox: Sandbox, runner: Path, git: Git) -> None:
    """Not before its time is over, not once its branch has moved; the number of its branch is not used again."""
    assert here(sandbox, runner)[0].rc == 0
    repo = open_project(sandbox.work).repo
    sandbox.coffee("status")
    claim = claims_of(sandbox.work)["US-104"]
    now = int(time.time())
    young = claims_.update(repo, claim, state=ClaimState.CLAIMED, sha=None, owner="gone@there/1", since=now)
    assert young is not None
    git(sandbox.origin, "update-ref", f"refs/heads/{claim.branch}", claim.base)
    assert sandbox.coffee("status").rc == 0
    again = sandbox.coffee("--json", "spawn", "US-104")
    assert json.loads(again.out)["skipped"][0]["reason"] == "claimed", again.err
    old = claims_.update(repo, young, since=now - 3 * 3600)
    assert old is not None
    taken = sandbox.coffee("--json", "spawn", "US-104", "--wait")
    assert taken.rc == 0 and "no word from gone@there/1" in taken.err, taken.err
    (spawned,) = json.loads(taken.out)["spawned"]
    assert spawned["branch"] != claim.branch


@pytest.mark.parametrize("args", [["--here"], ["--here", "US-104", "US-105"], ["--here", "--on", "github", "US-104"],
                                  ["--on", "mars"], ["--on", "github", "--wait"]])  # fmt: skip
def test_what_makes_no_sense_is_usage(sandbox: Sandbox, args: list[str]) -> None:
    """Exit 2 before anything is claimed."""
    assert sandbox.coffee("spawn", *args).rc == 2


def test_github_needs_shared_claims(sandbox: Sandbox) -> None:
    """Said with the way to get them."""
    done = sandbox.coffee("spawn", "--on", "github")
    assert done.rc == 2 and "shared: true" in done.err and "init --github" in done.err


def test_a_dry_run_says_what_would_be_done(sandbox: Sandbox, runner: Path) -> None:
    """Here and on GitHub; nothing is claimed."""
    here_ = sandbox.coffee("--json", "spawn", "--here", "US-104", "-n", cwd=runner)
    there = sandbox.coffee("--json", "spawn", "--on", "github", "US-104", "-n", cwd=runner)
    for done, words in ((here_, "switch this checkout"), (there, "start coffee-agents.yml on roadmap there")):
        assert done.rc == 0, done.err
        answer = json.loads(done.out)
        Draft202012Validator(SCHEMA).validate(answer)
        assert words in "\n".join(answer["changes"])
    assert not sandbox.refs("refs/coffee/tasks/", runner)
