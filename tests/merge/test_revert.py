"""Taking a landing back is a landing too: tested, pushed, recorded; and what was taken back can land again, whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.state.claims import Claim, ClaimState, moved

if TYPE_CHECKING:
    from conftest import Answer, Lane

ROADMAP = "docs/roadmap/ROADMAP.md"
FILE = "pkg/new1.py"
Y = "feat: Implement US-105 - Feature Y"
EVERY = bool(os.environ.get("COFFEE_TEST_EVERY_KILL"))  # no test sees it: their environment is sealed


def revert(lane: Lane, *args: str) -> Answer:
    return lane.ask("revert", *(args or ("US-104",)))


def claim(lane: Lane, tip: str, number: int = 1, task: str = "US-104") -> None:
    """The claim of a finished branch."""
    made = Claim(
        TaskId(task), f"roadmap-wt{number}", Sha(lane.target), "me", 1, ClaimState.DONE, Sha(tip), None, number
    )
    repo = open_project(lane.work).repo
    assert transact(repo, [moved(repo, made)[1]])


def state(lane: Lane, task: str = "US-104") -> str:
    return str(json.loads(lane.git(lane.work, "cat-file", "blob", f"refs/coffee/tasks/{task}"))["state"])


def landed(lane: Lane, number: int = 1, **files: str) -> str:
    """A claimed branch that has landed; its merge commit."""
    claim(lane, lane.branch(number, {f"pkg/{name}.py": text for name, text in files.items()} or None), number)
    said = lane.merge(f"roadmap-wt{number}")
    assert said.outcome == "landed", said.told
    return str(said.result["merge_commit"])


def has(lane: Lane, path: str, revision: str = "roadmap") -> bool:
    return bool(lane.git(lane.work, "ls-tree", "--name-only", revision, "--", path))


def status(lane: Lane, number: int = 104) -> str:
    """The line of the roadmap that tells the status of an item."""
    text = lane.git(lane.work, "show", f"roadmap:{ROADMAP}")
    return text.partition(f"### US-{number}")[2].partition("**Status**: ")[2].split("\n")[0]


def candidate(lane: Lane, name: str = "roadmap-wt1") -> tuple[bool, list[str]]:
    """What detect-ready says of a branch: whether it is ready, and why not."""
    found = {each["branch"]: each for each in lane.ask("detect-ready").json["worktrees"]}
    return found[name]["ready"], [reason["code"] for reason in found[name]["reasons"]]


def verdicts(lane: Lane, where: Path | None = None) -> list[str]:
    said = lane.verify(where=where)
    assert said.rc == 0, said.told
    return [commit["verdict"] for commit in said.json["commits"]]


@pytest.mark.parametrize("remote", [True, False])
def test_a_landing_is_taken_back_by_one_tested_commit(lane: Lane, remote: bool) -> None:
    """Target, remote, claim, status and record agree; the commit has one parent and says what it takes back."""
    if not remote:
        lane.local_only()
    before = lane.tree("roadmap")
    merge = landed(lane)
    tip = lane.git(lane.work, "rev-parse", "roadmap-wt1")
    said = revert(lane)
    assert (said.rc, said.outcome) == (0, "landed"), said.told
    made = said.result["merge_commit"]
    assert lane.target == made == said.json["after"]
    assert said.json["pushed"] is (True if remote else None)
    if remote:
        assert lane.remote_target == made
        assert lane.box.refs("refs/coffee/landings") == lane.box.refs("refs/coffee/landings", lane.box.origin)
    assert lane.git(lane.work, "rev-list", "--parents", "-1", made) == f"{made} {merge}"
    assert lane.tree(made) == before and lane.verdicts()[before] == "green"
    assert lane.git(lane.work, "log", "-1", "--format=%B", made).splitlines() == [
        "Revert US-104 - Feature X", "", f"This reverts commit {merge}, the merge of roadmap-wt1.", "",
        "Tests: All passing (true, 0 s)", "Status: Ready for production", "",
        "Coffee-Task: US-104", "Coffee-Branch: roadmap-wt1", f"Coffee-Reverts: {merge}", f"Coffee-Sha: {tip}",
    ]  # fmt: skip
    assert said.result["reverts"] == [merge]
    assert (state(lane), status(lane)) == ("reverted", "📝 Planned")
    assert not (lane.work / FILE).exists() and lane.git(lane.work, "status", "--porcelain") == ""
    assert verdicts(lane)[:2] == ["tested", "tested"]
    lane.assert_tidy()


@pytest.mark.parametrize("name", ["US-104", "us-104", "104", "roadmap-wt1"])
def test_every_way_to_name_it(alone: Lane, name: str) -> None:
    """The task in every accepted form, or its branch, which need not be there any more."""
    landed(alone)
    alone.git(alone.work, "branch", "-D", "roadmap-wt1")
    assert revert(alone, name).outcome == "landed"
    assert not has(alone, FILE)


@pytest.mark.parametrize("name", ["US-105", "US-999", "roadmap-wt7", "$(x)", "7"])
def test_what_never_landed_is_a_usage_error(alone: Lane, name: str) -> None:
    """Exit 2, one hint, nothing moved."""
    landed(alone)
    refs = alone.box.refs()
    said = revert(alone, name)
    assert (said.rc, said.json) == (2, {})
    assert "hint: " in said.err
    assert alone.box.refs() == refs


def test_a_landing_that_the_target_lost_is_not_there(alone: Lane) -> None:
    """A person reset the target: the record knows the landing, the target does not hold it."""
    before = alone.target
    landed(alone)
    alone.git(alone.work, "reset", "-q", "--hard", before)
    assert revert(alone).rc == 2


def test_a_task_that_is_not_in_the_roadmap_any_more(alone: Lane) -> None:
    """The landing record still knows what it was called."""
    landed(alone)
    alone.box.commit({ROADMAP: "# Roadmap\n\n### US-200: Other 📝 Planned\n"})
    said = revert(alone, "104")
    assert said.result["task"] == "US-104", said.told


def test_twice_is_nothing_to_do(lane: Lane) -> None:
    """Exit 0, no gate run, and the answer names the commit that did it."""
    landed(lane)
    first = revert(lane)
    again = revert(lane)
    assert (again.rc, again.outcome, again.json["gate_runs"]) == (0, "already-landed", 0), again.told
    assert again.result["merge_commit"] == first.result["merge_commit"] == lane.target
    assert "taken back already" in again.result["reason"]


def test_taken_back_by_hand_is_nothing_to_do(alone: Lane) -> None:
    """git's own revert is not in the record, but there is nothing left to revert."""
    merge = landed(alone)
    alone.git(alone.work, "revert", "-m", "1", "--no-edit", merge)
    said = revert(alone)
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (0, "already-landed", 0), said.told


def test_one_of_a_batch_goes_alone(lane: Lane) -> None:
    """The tasks that landed with it stay, although their statuses stand in neighbouring items."""
    claim(lane, lane.branch(1), 1)
    claim(lane, lane.branch(2, message=Y), 2, "US-105")
    said = lane.merge("roadmap-wt1", "roadmap-wt2")
    assert {each["outcome"] for each in said.json["results"]} == {"landed"}, said.told
    assert lane.target not in {each["merge_commit"] for each in said.json["results"]}
    back = revert(lane)
    assert back.outcome == "landed", back.told
    assert (has(lane, FILE), has(lane, "pkg/new2.py")) == (False, True)
    assert (status(lane, 104), status(lane, 105)) == ("📝 Planned", "✅ Complete")
    assert (state(lane), state(lane, "US-105")) == ("reverted", "landed")
    assert verdicts(lane)[:2] == ["tested", "tested"]


def test_neighbouring_rows_of_a_table_do_not_conflict(alone: Lane) -> None:
    """A later task's status in the next line is no reason to keep the landing."""
    rows = "# Roadmap\n\n| ID | Title | Status |\n|---|---|---|\n" + "".join(
        f"| US-{n} | Feature {n} | 📝 Planned |\n" for n in (104, 105, 106)
    )
    alone.box.commit({ROADMAP: rows})
    landed(alone, 1)
    alone.branch(2, message=Y)
    alone.merge("roadmap-wt2")
    before = alone.git(alone.work, "show", f"roadmap:{ROADMAP}")
    said = revert(alone)
    assert said.outcome == "landed", said.told
    after = alone.git(alone.work, "show", f"roadmap:{ROADMAP}")
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(changed) <= 1 and all("US-104" in a and "Planned" in b for a, b in changed)


def test_later_work_on_the_same_lines_is_a_conflict(lane: Lane) -> None:
    """Exit 1, the path is named, no gate run and nothing moved."""
    landed(lane, new1="x = 1\n")
    lane.box.commit({FILE: "x = 2\n"})
    lane.box.push()
    before = lane.box.refs("refs/heads/")
    said = revert(lane)
    assert (said.rc, said.outcome, said.result["conflicts"]) == (1, "conflict", [FILE]), said.told
    assert said.json["gate_runs"] == 0
    assert (lane.box.refs("refs/heads/"), state(lane)) == (before, "landed")


def test_a_red_revert_stays_out_and_nobody_is_blamed(lane: Lane) -> None:
    """What needs the landing is broken by the revert: exit 1 with the log, and the branch that landed is not red."""
    lane.with_gate(
        "test ! -e needs || test -e pkg/new1.py",
    )
    landed(lane)
    lane.box.commit({"needs": "1\n"})
    lane.box.push()
    before = lane.target
    said = revert(lane)
    assert (said.rc, said.outcome) == (1, "gate-failed"), said.told
    assert said.result["log"] and "red with it" in said.result["reason"]
    assert (lane.target, lane.remote_target, state(lane)) == (before, before, "landed")
    assert not lane.box.refs("refs/coffee/verdicts/blamed")
    lane.assert_tidy()


def test_a_red_target_is_repaired_by_taking_a_landing_back(lane: Lane) -> None:
    """The revert is tested, not what it starts from."""
    lane.with_gate("test ! -e pkg/new1.py || test ! -e broken")
    landed(lane)
    lane.box.commit({"broken": "1\n"})
    lane.box.push()
    assert revert(lane).outcome == "landed"


def test_check_and_dry_run_move_nothing(lane: Lane) -> None:
    """--check runs the gate and remembers its verdict; --dry-run says what would be done."""
    landed(lane)
    before, status_ = lane.target, state(lane)
    checked, dry = revert(lane, "US-104", "--check"), revert(lane, "US-104", "--dry-run")
    assert (checked.rc, checked.outcome) == (0, "would-land"), checked.told
    assert (dry.rc, dry.outcome, dry.json["gate_runs"]) == (0, "skipped", 0), dry.told
    assert len(dry.json["changes"]) == 2 and "reverts" in dry.json["changes"][1]
    assert (lane.target, lane.remote_target, state(lane)) == (before, before, status_)
    assert revert(lane, "US-104", "--no-push").json["pushed"] is False
    assert lane.remote_target == before != lane.target


def test_somebody_pushes_during_the_gate(lane: Lane) -> None:
    """Built and tested again on what they pushed, which stays."""
    landed(lane)
    other = lane.work.parent / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    push = f"cd {other} && echo theirs > theirs.txt && git add . && git commit -qm theirs && git push -q origin roadmap"
    script = f"test -e pkg/new1.py || test -e {other}/theirs.txt || (unset GIT_DIR; {push})"
    lane.with_gate(script)
    lane.git(other, "pull", "-q", "--rebase")
    said = revert(lane)
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (0, "landed", 2), said.told
    assert (has(lane, "theirs.txt"), has(lane, FILE)) == (True, False)
    assert lane.remote_target == lane.target == said.result["merge_commit"]


def test_everything_that_landed_from_the_branch_goes_at_once(lane: Lane) -> None:
    """Two landings of one branch, one commit that takes both back, the newest first."""
    before = lane.tree("roadmap")
    first = landed(lane)
    lane.branch(1, {FILE: "x = 2\n"})
    second = lane.merge().result["merge_commit"]
    said = revert(lane)
    assert (said.outcome, said.result["reverts"]) == ("landed", [second, first]), said.told
    assert lane.tree("roadmap") == before


def test_a_task_from_two_branches_must_be_named_by_branch(alone: Lane) -> None:
    """Which one is meant is for a person to say."""
    landed(alone, 1)
    alone.branch(2)
    alone.merge("roadmap-wt2")
    said = revert(alone)
    assert said.rc == 2 and "coffee revert roadmap-wt2" in said.err
    assert revert(alone, "roadmap-wt2").outcome == "landed"
    assert (has(alone, FILE), has(alone, "pkg/new2.py")) == (True, False)


@pytest.mark.parametrize("remote", [True, False])
def test_a_killed_revert_is_brought_to_its_end_by_the_next(
    lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    """kill -9 around a sample of its git calls: old or tested and new; run again it is taken back once."""
    lane.with_gate('echo run >> "$RUNS"')
    monkeypatch.setenv("RUNS", os.devnull)
    if not remote:
        lane.local_only()
    landed(lane)
    shutil.rmtree(lane.gate.parent)  # the clone knows its objects by an absolute path
    (lane.work / "notes.txt").write_text("mine\n")
    (lane.work / "pkg/beta.py").write_text("mine\n")
    driver = Path(__file__).with_name("killed_merge.py")
    argv = [sys.executable, str(driver), str(lane.work.parent), str(tmp_path.parent / f"{tmp_path.name}-kills")]
    words = ("11" if remote else "20", "1" if EVERY else "113", "revert", "US-104")
    done = subprocess.run([*argv, *words], capture_output=True, text=True, check=True, timeout=1800)
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    assert [end["killed"] for end in ends] == [-signal.SIGKILL] * (len(ends) - 1) + [0], done.stderr
    assert len(ends) > 2, ends[-1]["step"]
    for end in ends:
        before, between, after = end["before"], end["between"], end["after"]
        for target, tree, old in zip(between["targets"], between["trees"], before["targets"], strict=True):
            assert target == old or tree in between["green"], end
        (result,) = end["answer"]["results"]
        assert (end["again"], end["proof"], end["claim"]) == (0, 0, "reverted"), (end, done.stderr)
        assert set(after["targets"]) == {result["merge_commit"]}, end
        assert end["verdicts"][:2] == ["tested", "tested"] and len(end["verdicts"]) == len(ends[0]["verdicts"]), end
        assert after["left"] == [] and after["status"] == "M pkg/beta.py\n?? notes.txt", end


# --- landing it again -----------------------------------------------------------------------------


def test_without_new_commits_it_lands_again_when_a_person_names_it(lane: Lane) -> None:
    """Never by itself. Then the whole work is back, in a merge of the branch that can be taken back again."""
    merge = landed(lane)
    tree = lane.tree("roadmap")
    gone = revert(lane).result["merge_commit"]
    assert candidate(lane) == (False, ["no-commits"])
    assert lane.ask("merge").json["results"] == []
    said = lane.merge()
    lane.assert_landed(said)
    assert (lane.tree("roadmap"), state(lane), status(lane)) == (tree, "landed", "✅ Complete")
    message = lane.git(lane.work, "log", "-1", "--format=%B")
    assert f"Coffee-Restores: {gone}" in message and f"brings back what commit {gone}" in message
    assert verdicts(lane)[:3] == ["tested"] * 3
    assert lane.merge().outcome == "already-landed"
    again = revert(lane)
    assert (again.outcome, again.result["reverts"]) == ("landed", [said.result["merge_commit"]]), again.told
    assert not has(lane, FILE) and merge not in again.result["reverts"]
    lane.assert_landed(lane.merge())
    assert lane.tree("roadmap") == tree


def test_with_a_repair_it_is_ready_and_lands_whole(lane: Lane) -> None:
    """git alone would see a conflict, or land the repair without the work; both come back."""
    landed(lane, new1="x = 1\ny = 1\n", more="m = 1\n")
    revert(lane)
    tip = lane.branch(1, {FILE: "x = 2\ny = 1\n"}, message="fix: Repair US-104")
    assert candidate(lane) == (True, [])
    said = lane.ask("merge")
    lane.assert_landed(said)
    assert lane.git(lane.work, "show", f"roadmap:{FILE}") == "x = 2\ny = 1"
    assert has(lane, "pkg/more.py") and said.result["sha"] == tip
    assert (state(lane), verdicts(lane)[0]) == ("landed", "tested")
    assert "- fix: Repair US-104" in lane.git(lane.work, "log", "-1", "--format=%B")


def test_a_secret_in_a_repair_waits_for_a_person(alone: Lane) -> None:
    """What has to be allowed is asked of the commits, whatever they would be merged onto."""
    landed(alone)
    assert revert(alone).rc == 0
    alone.branch(1, {".env": "KEY=secret"})
    assert candidate(alone) == (False, ["needs-human"])


def test_a_repair_that_conflicts_says_what_to_do(lane: Lane) -> None:
    """Somebody made the same file meanwhile; the advice, followed, lands the work."""
    lane.leave()
    landed(lane)
    gone = revert(lane).result["merge_commit"]
    lane.git(lane.work, "switch", "-q", "roadmap")
    lane.box.commit({FILE: "theirs = 1\n"})
    lane.box.push()
    said = lane.merge()
    assert (said.rc, said.outcome, said.result["conflicts"]) == (1, "conflict", [FILE]), said.told
    lane.branch(1, {"pkg/other.py": "1\n"})
    assert candidate(lane) == (False, ["conflict"])
    lane.git(lane.work, "switch", "-q", "roadmap-wt1")
    lane.git(lane.work, "merge", "-q", "--no-edit", "roadmap")
    lane.git(lane.work, "revert", gone, check=False)
    lane.box.commit({FILE: "theirs = 1\nx = 1\n"}, "fix: Both")
    lane.git(lane.work, "switch", "-q", "elsewhere")
    assert candidate(lane) == (True, [])
    again = lane.merge()
    lane.assert_landed(again)
    assert lane.git(lane.work, "show", f"roadmap:{FILE}") == "theirs = 1\nx = 1"
    assert "lands as it is" in again.err


def test_a_branch_nobody_claimed(lane: Lane) -> None:
    """The record alone tells: not landed any more, not complete, and cleanup does not take the only branch away."""
    lane.branch(1)
    lane.merge()
    assert lane.ask("detect-ready").json["worktrees"] == []
    assert revert(lane).outcome == "landed"
    assert candidate(lane) == (False, ["no-commits"])
    kept = lane.ask("cleanup").json["results"]
    assert [(each["branch"], each["outcome"]) for each in kept] == [("roadmap-wt1", "kept-unmerged")]
    lane.branch(1, {"pkg/fix.py": "1\n"}, message="fix: US-104")
    assert candidate(lane) == (True, [])
    lane.assert_landed(lane.merge())
    assert has(lane, FILE) and has(lane, "pkg/fix.py")


def test_in_another_clone(lane: Lane) -> None:
    """The record travels: a clone that took no part lands the branch again, whole."""
    landed(lane)
    lane.box.push("roadmap-wt1")
    tree = lane.tree("roadmap")
    revert(lane)
    fresh = lane.work.parent / "fresh"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(fresh))
    assert lane.ask("revert", "US-104", where=fresh).outcome == "already-landed"
    said = lane.merge(where=fresh)
    assert said.outcome == "landed", said.told
    assert lane.tree("roadmap", lane.box.origin) == tree
    assert verdicts(lane, fresh)[:3] == ["tested"] * 3


def test_a_branch_that_is_gone_comes_back_first(lane: Lane) -> None:
    """The hint names the way."""
    landed(lane)
    revert(lane)
    lane.git(lane.work, "branch", "-D", "roadmap-wt1")
    said = lane.merge()
    assert (said.rc, said.json) == (2, {}) and "coffee restore roadmap-wt1" in said.err
