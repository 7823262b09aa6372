"""The loop on a real repository, with real agents: what lands, what comes back, who is told what."""

from __future__ import annotations

import os
import signal
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.messages import Level
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.loop import retry
from coffee_hooks.loop.run import Until
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.agents import active_runs, all_runs, latest_run
from coffee_hooks.state.claims import ClaimState, moved, update
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Shop

LINE = "Status: Ready for merge"


# --- the good case --------------------------------------------------------------------------------


def test_everything_lands_and_nothing_is_left(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """Two tasks side by side, then the one that depends on them; every word of the workflow is said."""
    shop.configure(f"while [ ! -e ../go ]; do sleep 0.05; done; {_unique()}")
    assert shop.run(Until.ONE_ROUND) == 0  # they are at work when it says so
    (shop.work.parent / "work.worktrees" / "go").touch()
    assert shop.run() == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"] and shop.landed[-1] == "US-106"
    assert {"pkg/US-104.py", "pkg/US-105.py", "pkg/US-106.py"} <= shop.target_files()
    assert shop.git(shop.work, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert [ref for ref in shop.box.refs("refs/heads/") if "wt" in ref] == []
    assert [e["event"] for e in shop.events][-1] == "idle"
    assert len(shop.named("spawned")) == len(shop.named("removed")) == 3
    said = capfd.readouterr().err
    pid = shop.named("spawned")[0]["pid"]
    for line in (
        "🌿 Created worktrees for parallel execution:",
        f"🚀 code_developer spawned (PID {pid}) for US-104 in wt1",
        f"code_developer (PID {pid}) for US-104: Running (0 min elapsed)",
        "📬 Notified architect to merge roadmap-wt1 (US-104)",
        "✅ Merge complete for roadmap-wt1, notified orchestrator",
        "🧹 Cleanup requested for roadmap-wt1",
        "✅ Parallel execution complete, state saved",
    ):
        assert line in said.splitlines(), line


def test_the_messages_of_the_workflow_are_delivered(shop: Shop) -> None:
    """Architect and orchestrator get theirs, once for each landing; the orchestrator's are read when it cleaned up."""
    shop.drop("105", "106")
    shop.configure("echo >> pkg/alpha.py; git commit -qam x")  # where its spec says, or the radar had more to tell
    assert shop.run() == 0
    (ready,) = shop.notices("architect")
    (merged,) = shop.notices("orchestrator")
    assert (ready.title, ready.level.value, ready.sound) == ("Worktree Ready for Merge: roadmap-wt1", "high", False)
    assert (merged.title, merged.sender, merged.sound) == ("Merge Complete", "architect", False)
    assert merged.message == "roadmap-wt1 merged to roadmap (US-104)"
    assert merged.read_at is not None


def test_a_branch_of_a_person_lands_too(shop: Shop) -> None:
    """No claim, no agent: commits on a `roadmap-*` branch are enough."""
    shop.drop("104", "105", "106")
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    assert shop.run() == 0
    assert shop.landed == ["roadmap-mine"]
    assert "pkg/mine.py" in shop.target_files()


def test_a_branch_that_was_only_pushed_lands_too(shop: Shop) -> None:
    """Work of another machine, never fetched by hand."""
    shop.drop("104", "105", "106")
    shop.box.branch("roadmap-038", {"pkg/far.py": "1\n"}, "feat: far")
    shop.box.push("roadmap-038")
    shop.git(shop.work, "branch", "-D", "roadmap-038")
    shop.git(shop.work, "update-ref", "-d", "refs/remotes/origin/roadmap-038")
    assert shop.run() == 0
    assert "pkg/far.py" in shop.target_files()


def test_once_is_one_round(shop: Shop) -> None:
    """It starts agents and comes back; the next round lands what they did."""
    assert shop.run(Until.ONE_ROUND) == 0
    assert len(shop.named("spawned")) == 2 and not shop.landed
    shop.wait()
    assert shop.run(Until.ONE_ROUND) == 0
    assert sorted(shop.landed) == ["US-104", "US-105"]
    assert shop.named("spawned")[-1]["task"] == "US-106"


def test_never_more_agents_than_asked_for(shop: Shop) -> None:
    """`--max-parallel 1` works through them one after the other."""
    assert shop.run(most=1) == 0
    with open_store(shop.state_dir) as store:
        runs = sorted(all_runs(store), key=lambda run: run.started)
    assert len(runs) == 3
    assert all(a.ended is not None and a.ended <= b.started for a, b in pairwise(runs))


# --- failures -------------------------------------------------------------------------------------


def test_red_goes_back_with_its_log_until_the_attempts_are_used_up(shop: Shop) -> None:
    """Told what failed each time, then given to a person: one critical notification, exit 1, work kept."""
    shop.drop("105", "106")
    shop.configure('cat "$1" >> ../prompts; echo "RED $COFFEE_ATTEMPT" > pkg/a.py; git commit -qam x', retries=2)
    shop.box.commit({"pkg/a.py": ""})
    shop.box.push()
    assert shop.run() == 1
    assert [e["outcome"] for e in shop.named("merge")] == ["gate-failed"] * 3
    assert [e["attempt"] for e in shop.named("resumed")] == [2, 3]
    (blocked,) = shop.named("blocked")
    assert blocked["reason"].startswith("gate-failed: ")
    assert shop.named("idle")[0]["blocked"] == ["US-104"]
    prompts = (shop.work.parent / "work.worktrees" / "prompts").read_text()
    assert prompts.count("What failed last time") == 2 and "pkg/a.py:RED 1" in prompts and "RED 2" in prompts
    (notice,) = shop.notices("user_listener")
    assert (notice.level.value, notice.title) == ("critical", "Task blocked: US-104")
    assert shop.box.refs("refs/heads/roadmap-wt1")
    assert shop.run() == 1 and len(shop.notices("user_listener")) == 1


def test_attempts_without_a_commit_end_early(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate says no, the agent adds nothing: three times, then a person is asked, although ten were allowed. An
    attempt that commits counts from the start again.
    """
    shop.drop("105", "106")
    monkeypatch.setattr(retry, "FIRST_BACK_OFF", 0.0)
    agent = 'echo "$COFFEE_ATTEMPT" >> ../tries; case $COFFEE_ATTEMPT in 1|3) git commit -q --allow-empty -m Try;; esac'
    red = ["test", "!", "-e", "pkg/x.py"]
    shop.configure(f"echo x > pkg/x.py; git add pkg; git commit -qm x; {agent}", retries=10, gate=red)
    assert shop.run(poll=0.1) == 1
    assert (shop.work.parent / "work.worktrees/tries").read_text().split() == ["1", "2", "3", "4", "5", "6"]
    assert len(shop.named("blocked")) == 1


def test_a_repaired_branch_lands(shop: Shop) -> None:
    """The second attempt works on the first one's commits, in the same worktree."""
    shop.drop("105", "106")
    script = "[ $COFFEE_ATTEMPT = 1 ] && word=RED || word=ok; echo $word > pkg/a.py; git add -A; git commit -qm x"
    shop.configure(script, retries=1)
    assert shop.run() == 0
    assert shop.landed == ["US-104"]
    assert shop.git(shop.box.origin, "show", "roadmap:pkg/a.py") == "ok"


FIRST = "echo mine > pkg/alpha.py; git commit -qam x; touch ../first; while [ ! -e ../go ]; do sleep 0.05; done"
RESOLVE = """cp "$1" ../prompt; git merge -q "$(sed -n 's/.*git merge \\([0-9a-f]*\\).*/\\1/p' "$1")" && exit 1
printf 'theirs\\nmine\\n' > pkg/alpha.py; git add pkg/alpha.py; git commit -qm resolved"""
"""Merges the commit that its prompt allows, and keeps both sides where they conflict."""


def _conflict(shop: Shop) -> str:
    """The target changes a file under an agent that has changed it too; where both started."""
    base = shop.git(shop.work, "rev-parse", "roadmap")
    assert shop.run(Until.ONE_ROUND) == 0
    trees = shop.work.parent / "work.worktrees"
    shop.until((trees / "first").exists)
    shop.box.commit({"pkg/alpha.py": "theirs\n"})
    shop.box.push()
    (trees / "go").touch()
    return base


def test_a_conflict_goes_back_to_its_owner(shop: Shop) -> None:
    """The agent is told the files, the target and the merge base, merges the target itself, and lands."""
    shop.drop("105", "106")
    shop.configure(f"if [ $COFFEE_ATTEMPT = 1 ]; then {FIRST}; else {RESOLVE}; fi", retries=1)
    base = _conflict(shop)
    target = shop.git(shop.work, "rev-parse", "roadmap")
    assert shop.run() == 0
    assert (shop.landed, len(shop.named("resumed"))) == (["US-104"], 1)
    prompt = (shop.work.parent / "work.worktrees" / "prompt").read_text()
    assert "- pkg/alpha.py\n" in prompt
    assert f"The target roadmap is at {target}. The merge base is {base}:" in prompt
    rules = prompt.partition("## Rules")[2]
    assert f"merge anything but the target (`git merge {target}`)" in rules
    assert shop.git(shop.box.origin, "show", "roadmap:pkg/alpha.py") == "theirs\nmine"
    assert shop.notices("user_listener") == []


def test_a_conflict_that_stays_goes_to_a_person(shop: Shop) -> None:
    """As many attempts as were allowed, each told the files; then the task is blocked and the user called, once."""
    shop.drop("105", "106")
    again = 'cp "$1" ../prompt$COFFEE_ATTEMPT; echo $COFFEE_ATTEMPT >> pkg/alpha.py; git commit -qam again'
    shop.configure(f"if [ $COFFEE_ATTEMPT = 1 ]; then {FIRST}; else {again}; fi", retries=2)
    base = _conflict(shop)
    assert shop.run() == 1
    trees = shop.work.parent / "work.worktrees"
    assert [f"The merge base is {base}:" in (trees / f"prompt{n}").read_text() for n in (2, 3)] == [True, True]
    assert not (trees / "prompt4").exists()
    claim = shop.claims()["US-104"]
    assert (claim.state, claim.attempt, claim.reason) == (ClaimState.BLOCKED, 3, "conflict: conflicts in pkg/alpha.py")
    (told,) = shop.notices("user_listener")
    assert (told.level, told.title) == (Level.CRITICAL, "Task blocked: US-104")
    assert "conflicts in pkg/alpha.py" in told.message
    assert shop.run() == 1 and len(shop.notices("user_listener")) == 1
    assert shop.box.coffee("resume", "US-104").rc == 0
    shop.wait()
    prompt = (trees / "prompt4").read_text()
    assert "conflict: conflicts in pkg/alpha.py." in prompt and f"The merge base is {base}:" in prompt


def test_a_conflict_of_a_person_is_told_once(shop: Shop) -> None:
    """Nobody's agent can be sent back: the user hears of it once for each commit, however often the loop looks."""
    shop.drop("104", "105", "106")
    shop.box.branch("roadmap-mine", {"pkg/alpha.py": "mine\n"}, "feat: mine")
    shop.box.commit({"pkg/alpha.py": "theirs\n"})
    shop.box.push()
    for _ in range(3):
        assert shop.run(Until.ONE_ROUND) == 0
    (told,) = shop.notices("user_listener")
    assert told.title == "Conflict: roadmap-mine" and "pkg/alpha.py" in told.message


def test_leftovers_go_back_to_the_agent_that_left_them(shop: Shop) -> None:
    """Finished but with an untracked file: it would wait for ever without a word."""
    shop.drop("105", "106")
    shop.configure(
        f"if [ $COFFEE_ATTEMPT = 1 ]; then {_commits()}; touch scratch; else rm scratch; {_commits()}; fi", 1
    )
    assert shop.run() == 0
    assert shop.landed == ["US-104"] and len(shop.named("resumed")) == 1


def _commits() -> str:
    return 'echo x >> pkg/new.py; git add pkg; git commit -qm "feat: x"'


def test_an_agent_that_exits_without_commits_is_not_done(shop: Shop) -> None:
    """Exit 0 after nothing is a failure with a reason, and not a loop without end."""
    shop.drop("105", "106")
    shop.configure("true", retries=0)
    assert shop.run() == 1
    assert "without a commit" in shop.named("blocked")[0]["reason"]


def test_what_a_person_has_to_allow_is_told_once(shop: Shop) -> None:
    """A committed secret: the loop ends with 1 and names the branch, which lands when somebody names it."""
    shop.drop("105", "106")
    (shop.work / ".env").write_text("KEY=secret\n")
    shop.configure("git add -f .env; git commit -qm 'feat: Oops'")
    assert [shop.run(), shop.run()] == [1, 1] and shop.landed == []
    assert shop.named("idle")[-1]["held"] == ["roadmap-wt1"]
    told = [notice for notice in shop.notices("user_listener") if notice.title == "Waits for you: roadmap-wt1"]
    assert len(told) == 1 and told[0].message.endswith("Next: coffee merge roadmap-wt1")
    assert shop.box.coffee("merge", "roadmap-wt1").rc == 0
    assert ".env" in shop.target_files()


def test_a_cancelled_agent_is_not_started_again(shop: Shop) -> None:
    """A person stopped it; a person starts it again."""
    shop.drop("105", "106")
    shop.configure("sleep 600", retries=5)
    assert shop.run(Until.ONE_ROUND) == 0
    assert shop.box.coffee("stop", "US-104").rc == 0
    assert shop.run() == 0
    assert not shop.named("resumed") and not shop.named("blocked")


def test_a_claim_of_another_machine_is_not_touched(shop: Shop) -> None:
    """Neither its failure, nor its missing branch, nor its conflict is ours to act on."""
    shop.drop("104", "105", "106")
    repo = open_project(shop.work).repo
    assert shop.run(Until.ONE_ROUND) == 0
    shop.box.branch("roadmap-far", {"pkg/alpha.py": "far\n"}, f"feat: x\n\n{LINE}")
    shop.box.commit({"pkg/alpha.py": "near\n"})
    shop.box.push()
    base = shop.git(shop.work, "rev-parse", "roadmap")
    before = {}
    for task, branch, reason in (("US-104", "roadmap-far", None), ("US-105", "roadmap-gone", "failed")):
        claim = _foreign(base, task, branch, reason)
        _, move = moved(repo, claim)
        assert transact(repo, [move])
    before = shop.box.refs("refs/coffee/tasks/")
    assert shop.run() == 0
    assert shop.box.refs("refs/coffee/tasks/") == before
    assert [n.title for n in shop.notices("user_listener")] == ["Conflict: roadmap-far"]


def _foreign(base: str, task: str, branch: str, reason: str | None):  # type: ignore[no-untyped-def]
    from coffee_hooks.base.model import Sha, TaskId
    from coffee_hooks.state.claims import Claim

    return Claim(TaskId(task), branch, Sha(base), "somebody@elsewhere", 1, ClaimState.CLAIMED, None, reason, 0)


def test_a_branch_that_is_gone_blocks_its_task(shop: Shop) -> None:
    """Nothing can be started there any more: a person is told, and the loop ends."""
    shop.drop("105", "106")
    shop.configure("false", retries=5)
    assert shop.run(Until.ONE_ROUND) == 0
    shop.wait()
    shop.git(shop.work, "worktree", "remove", "--force", str(shop.work.parent / "work.worktrees" / "wt1"))
    shop.git(shop.work, "branch", "-D", "roadmap-wt1")
    assert shop.run() == 1
    assert shop.named("blocked")[0]["reason"].startswith("branch-gone: ")


def test_an_agent_command_that_vanished_blocks_the_task(shop: Shop) -> None:
    """The next attempt cannot be started: blocked with the reason, not tried for ever."""
    shop.drop("105", "106")
    shop.configure("echo RED > pkg/a.py; git add -A; git commit -qm x", retries=5)
    assert shop.run(Until.ONE_ROUND) == 0
    shop.wait()
    shop.box.commit({".coffee.yaml": _with_agent(shop, ["no-such-agent"])})
    shop.box.push()
    assert shop.run() == 1
    assert "no-such-agent" in shop.named("blocked")[0]["reason"]


def _with_agent(shop: Shop, command: list[str]) -> str:
    import json

    value = json.loads((shop.work / ".coffee.yaml").read_text())
    value["agent"]["command"] = command
    return json.dumps(value)


def test_work_that_a_person_merged_and_deleted_counts_as_landed(shop: Shop) -> None:
    """Facts beat records: the commits are in the target, whatever became of the branch."""
    shop.drop("105", "106")
    assert shop.run(Until.ONE_ROUND) == 0
    shop.wait()
    shop.git(shop.work, "merge", "-q", "--no-ff", "--no-edit", "roadmap-wt1")
    shop.box.push()
    shop.git(shop.work, "worktree", "remove", str(shop.work.parent / "work.worktrees" / "wt1"))
    shop.git(shop.work, "branch", "-D", "roadmap-wt1")
    assert shop.run() == 0
    assert shop.claims()["US-104"].state is ClaimState.LANDED


# --- lost agents and a lost database --------------------------------------------------------------


def _kill_agent(shop: Shop) -> None:
    """kill -9 of an agent and its supervisor at once."""
    with open_store(shop.state_dir) as store:
        shop.until(lambda: all(run.pid for run in active_runs(store)))
        (run,) = active_runs(store)
    os.kill(run.supervisor_pid, signal.SIGKILL)
    assert run.pid is not None
    os.killpg(run.pid, signal.SIGKILL)


def test_a_lost_agent_is_started_again(shop: Shop) -> None:
    """Nobody saw it end: its next attempt goes on in the same worktree."""
    shop.drop("105", "106")
    shop.configure(f"if [ $COFFEE_ATTEMPT = 1 ]; then sleep 600; else {_commits()}; fi", retries=1)
    assert shop.run(Until.ONE_ROUND) == 0
    _kill_agent(shop)
    loop = shop.loop()
    assert loop.run(Until.ONE_ROUND) == 0
    (lost,) = shop.named("lost")
    assert (lost["task"], lost["branch"]) == ("US-104", "roadmap-wt1")
    with open_store(shop.state_dir) as store:
        store.write("UPDATE agent_runs SET ended = ended - 1000")  # the back-off is over
    assert shop.run() == 0
    assert shop.landed == ["US-104"] and shop.claims()["US-104"].attempt == 2


def test_a_lost_agent_that_had_finished_lands(shop: Shop) -> None:
    """The line in its last commit is its word, however it ended; it is not started again."""
    shop.drop("105", "106")
    shop.configure(f'echo x > pkg/new.py; git add pkg; git commit -qm "feat: x" -m "{LINE}"; touch ../ok; sleep 600', 3)
    assert shop.run(Until.ONE_ROUND) == 0
    shop.until((shop.work.parent / "work.worktrees" / "ok").exists)
    _kill_agent(shop)
    assert shop.run() == 0
    assert shop.landed == ["US-104"] and not shop.named("resumed")


def test_deleting_the_database_in_the_middle(shop: Shop) -> None:
    """The claims and the kernel know enough: no agent is started twice, and everything lands."""
    shop.configure(f"while [ ! -e ../go ]; do sleep 0.05; done; {_unique()}")
    loop = shop.loop()
    assert loop.run(Until.ONE_ROUND) == 0
    for path in shop.state_dir.glob("state.db*"):
        path.unlink()
    assert loop.run(Until.ONE_ROUND) == 0
    assert len(list(living_orders(shop.state_dir))) == len(shop.named("spawned")) == 2
    (shop.work.parent / "work.worktrees" / "go").touch()
    assert loop.run(Until.IDLE) == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"]
    assert len(shop.named("spawned")) == 3 and not shop.named("resumed")


def _unique() -> str:
    return 'echo x > pkg/$COFFEE_TASK_ID.py; git add pkg; git commit -qm "feat: x"'


# --- told once, not every poll --------------------------------------------------------------------


def test_without_auto_merge_the_architect_is_told_once_per_commit(shop: Shop) -> None:
    """It notifies and waits; a new commit is news, another look is not (R3)."""
    shop.drop("104", "105", "106")
    shop.configure(merge={"auto": False})
    before = shop.git(shop.box.origin, "rev-parse", "roadmap")
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    for _ in range(3):
        assert shop.run(Until.ONE_ROUND) == 0
    assert len(shop.notices("architect")) == len(shop.named("ready")) == 1
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "2\n"}, "feat: mine again")
    assert shop.run(Until.ONE_ROUND) == 0
    assert len(shop.notices("architect")) == len(shop.named("ready")) == 2
    assert shop.git(shop.box.origin, "rev-parse", "roadmap") == before and not shop.named("merge")


def test_a_gate_that_cannot_run_blames_nobody(shop: Shop) -> None:
    """Exit 4 with the reason; the user is told once, the branch stays ready and is not tried in every round."""
    shop.drop("104", "105", "106")
    shop.configure(gate=["no-such-gate"])
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    loop = shop.loop()
    with pytest.raises(EnvironmentFailure, match="no-such-gate"):
        loop.run(Until.ONE_ROUND)
    assert loop.run(Until.ONE_ROUND) == 0
    assert [event["outcome"] for event in shop.named("merge")] == ["error"]
    (told,) = shop.notices("user_listener")
    assert "no-such-gate" in told.message
    shop.configure()
    assert loop.run(Until.ONE_ROUND) == 0
    assert shop.landed == ["roadmap-mine"]


def test_a_refused_branch_is_not_tried_again_until_something_changes(shop: Shop) -> None:
    """A duplicate in the roadmap is no verdict that is remembered: the loop itself does not try it twice."""
    shop.drop("104", "105", "106")
    roadmap = (shop.work / "docs/roadmap/ROADMAP.md").read_text()
    item = "### US-200: New 📝 Planned\n\n**Status**: 📝 Planned\n\nText.\n\n"
    shop.box.branch("roadmap-mine", {"docs/roadmap/ROADMAP.md": roadmap + item}, "docs: one")
    shop.box.commit({"docs/roadmap/ROADMAP.md": roadmap.replace("### US-104", item + "### US-104")})
    shop.box.push()
    loop = shop.loop()
    for _ in range(3):
        assert loop.run(Until.ONE_ROUND) == 0
    assert [event["outcome"] for event in shop.named("merge")] == ["roadmap-duplicate"]


# --- cost -----------------------------------------------------------------------------------------


def test_a_round_without_news_costs_a_handful_of_processes(shop: Shop) -> None:
    """Nothing to evaluate, clean up or merge again: a few reads and one fetch."""
    shop.configure("sleep 600")
    loop = shop.loop(poll=0.0)
    assert loop.run(Until.ONE_ROUND) == 0
    seen: list[object] = []
    gate.trace.append(seen.append)
    try:
        assert loop.run(Until.ONE_ROUND) == 0
    finally:
        gate.trace.remove(seen.append)
    assert len(seen) <= 16


# --- ends -----------------------------------------------------------------------------------------


def test_without_a_gate_nothing_is_started(shop: Shop) -> None:
    """Agents whose work could never land would be money burnt."""
    shop.box.commit({".coffee.yaml": "agent: {command: [true]}\n"})
    shop.box.push()
    with pytest.raises(UsageError, match="no gate"):
        shop.run(Until.ONE_ROUND)
    assert shop.claims() == {}


def test_a_broken_configuration_on_the_target_is_waited_for(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """Committed meanwhile: said with file and line. The last good one stays, only a gate that nobody can read lets
    nothing through; repaired, all of it lands.
    """
    shop.configure(f"while [ ! -e ../go ]; do sleep 0.05; done; {_unique()}")
    loop = shop.loop(poll=0.1)
    assert loop.run(Until.ONE_ROUND) == 0
    good = (shop.work / ".coffee.yaml").read_text()
    shop.box.commit({".coffee.yaml": "gate: [\n"})
    shop.box.push()
    (shop.work.parent / "work.worktrees" / "go").touch()
    with pytest.raises(UsageError, match=r"\.coffee\.yaml"):
        loop.run(Until.IDLE)
    said = capfd.readouterr().err
    assert said.count("this is not YAML: expected the node content, but found '<stream end>'") <= 2
    assert "; going on with what was configured before\n" in said and shop.landed == []
    with pytest.raises(UsageError, match=r"\.coffee\.yaml"):
        shop.run(Until.ONE_ROUND)
    shop.box.commit({".coffee.yaml": good})
    shop.box.push()
    assert loop.run(Until.IDLE) == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"]


def test_a_roadmap_that_is_gone_is_waited_for(shop: Shop) -> None:
    """What was started lands all the same; a loop that begins without one says so and ends."""
    shop.configure(f"while [ ! -e ../go ]; do sleep 0.05; done; {_unique()}", merge={"mark-complete": False})
    loop = shop.loop(poll=0.1)
    assert loop.run(Until.ONE_ROUND) == 0
    roadmap = shop.work / "docs/roadmap/ROADMAP.md"
    text = roadmap.read_text()
    shop.git(shop.work, "rm", "-q", "docs/roadmap/ROADMAP.md")
    shop.git(shop.work, "commit", "-q", "--no-verify", "-m", "chore: Drop the roadmap")
    shop.box.push()
    (shop.work.parent / "work.worktrees" / "go").touch()
    with pytest.raises(UsageError, match="roadmap"):
        loop.run(Until.IDLE)
    assert sorted(shop.landed) == ["US-104", "US-105"]
    shop.box.commit({"docs/roadmap/ROADMAP.md": text})
    shop.box.push()
    assert shop.run() == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"]


def test_no_agent_is_started_where_there_is_no_room(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    """Said once; a person who asks for the task is told why, and the loop starts it once there is room."""
    shop.configure(limits={"disk": "900TB"})
    loop = shop.loop()
    assert [loop.run(Until.ONE_ROUND) for _ in range(2)] == [0, 0]
    assert len(shop.named("crowded")) == 1 and shop.claims() == {}
    assert "of disk are free (limits.disk is " in capfd.readouterr().err
    asked = shop.box.coffee("spawn", "104")
    assert asked.rc == 1 and asked.out.startswith("US-104: not started (no-room): only ")
    shop.configure()
    assert loop.run(Until.IDLE) == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"]


def test_a_second_loop_is_told_about_the_first(shop: Shop) -> None:
    """Exit 75 with the holder's pid; nothing was done."""
    with hold(open_project(shop.work).repo, "run"):
        second = shop.box.coffee("run", "--once")
    assert second.rc == 75
    assert second.err.splitlines()[0] == f"error: another coffee run is running here (pid {os.getpid()})"
    assert shop.claims() == {}


def test_nothing_to_do_is_told_in_one_line(shop: Shop) -> None:
    """Exit 0, and the answer on stdout."""
    shop.drop("104", "105", "106")
    done = shop.box.coffee("run", "--until-idle")
    assert (done.rc, done.out) == (0, "nothing is left to do\n"), done.err


def test_a_blocked_task_is_named_by_the_exit_code(shop: Shop) -> None:
    """Exit 1 for every loop that ends while a person is waited for."""
    shop.drop("105", "106")
    shop.configure("false")
    assert shop.run() == 1
    assert shop.box.coffee("run", "--once").rc == 1
    assert latest_run_reason(shop) == "failed"
    claim = shop.claims()["US-104"]
    assert update(open_project(shop.work).repo, claim, state=ClaimState.RELEASED)


def latest_run_reason(shop: Shop) -> str | None:
    with open_store(shop.state_dir) as store:
        run = latest_run(store, "US-104")
        return run.reason.value if run and run.reason else None
