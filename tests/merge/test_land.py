"""Landing beside a person's own work: what a checkout holds survives, and what moved is what was tested."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Lane

FILE = "pkg/alpha.py"
NEW = 'def alpha() -> str:\n    return "alpha"  # landed\n'
MINE = 'def alpha() -> str:\n    return "mine"\n'


def test_a_landing_is_a_merge_of_the_tested_tree_everywhere(lane: Lane) -> None:
    """Remote, local branch and checkout hold one two-parent commit whose tree the gate passed."""
    before, tip = lane.target, lane.branch(1, {FILE: NEW})
    said = lane.merge()
    lane.assert_landed(said)
    merged = said.result["merge_commit"]
    assert lane.target == lane.remote_target == merged
    assert lane.git(lane.work, "rev-list", "--parents", "-1", merged) == f"{merged} {before} {tip}"
    assert (lane.work / FILE).read_text() == NEW
    assert lane.git(lane.work, "status", "--porcelain") == ""
    assert said.json == {
        "schema": 1, "command": "merge", "target": "roadmap", "before": before, "after": merged, "pushed": True,
        "gate_runs": 1, "flaky": [],
        "results": [
            {"branch": "roadmap-wt1", "task": "US-104", "sha": tip, "outcome": "landed", "merge_commit": merged,
             "reason": None, "conflicts": [], "log": None, "suspects": []},
        ],
    }  # fmt: skip


def test_the_landing_record_travels_in_the_same_push(lane: Lane) -> None:
    """The origin's record names the landing, and its target never stood without it."""
    lane.branch()
    said = lane.merge()
    record = json.loads(lane.git(lane.box.origin, "show", "refs/coffee/landings:landing.json"))
    merged = said.result["merge_commit"]
    assert (record["before"], record["after"], record["tree"]) == (said.json["before"], merged, lane.tree(merged))
    assert record["verdict"] == "green"
    assert record["members"][0]["branch"] == "roadmap-wt1"
    assert lane.box.refs("refs/coffee/landings") == lane.box.refs("refs/coffee/landings", lane.box.origin)


def test_a_local_landing_is_one_transaction_when_nobody_holds_the_target(alone: Lane) -> None:
    """Target and record move together: no intent is ever needed."""
    alone.leave()
    alone.branch()
    said = alone.merge()
    alone.assert_landed(said)
    assert said.json["pushed"] is None
    assert alone.verify().rc == 0


def dirty(lane: Lane, how: str) -> None:
    """Put somebody's own work where the landing of FILE and pkg/new.py wants to go."""
    file = lane.work / FILE
    if how == "edited":
        file.write_text(MINE)
    elif how == "staged":
        file.write_text(MINE)
        lane.git(lane.work, "add", FILE)
    elif how == "deleted":
        file.unlink()
    elif how == "removed":
        lane.git(lane.work, "rm", "-q", FILE)
    elif how == "untracked":
        (lane.work / "pkg/new.py").write_text(MINE)
    elif how == "ignored":
        (lane.work / ".git/info/exclude").write_text("pkg/new.py\n")
        (lane.work / "pkg/new.py").write_text(MINE)
    elif how == "assumed":
        lane.git(lane.work, "update-index", "--assume-unchanged", FILE)
        file.write_text(MINE)
    elif how == "folder":
        (lane.work / "pkg/new.py").mkdir()
        (lane.work / "pkg/new.py/mine").write_text(MINE)


def picture(root: Path) -> dict[str, bytes]:
    """Every file of a checkout."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


HOW = ("edited", "staged", "deleted", "removed", "untracked", "ignored", "assumed", "folder")


@pytest.mark.parametrize("how", HOW)
def test_local_work_in_the_way_stops_a_local_landing(alone: Lane, how: str) -> None:
    """Without a remote nothing moves, nothing is touched, and the answer names the file."""
    alone.branch(1, {FILE: NEW, "pkg/new.py": "x = 1\n"})
    dirty(alone, how)
    before, files = alone.box.refs("refs/heads/"), picture(alone.work)
    status = alone.git(alone.work, "status", "--porcelain")
    said = alone.merge()
    assert (said.rc, said.outcome) == (1, "target-dirty")
    assert "pkg/" in said.result["reason"]
    assert (alone.box.refs("refs/heads/"), picture(alone.work)) == (before, files)
    assert alone.git(alone.work, "status", "--porcelain") == status
    alone.assert_tidy()


@pytest.mark.parametrize("how", HOW)
def test_local_work_in_the_way_does_not_stop_a_push(lane: Lane, how: str) -> None:
    """With a remote it has landed; the local target stays behind, untouched, and is told how to catch up."""
    lane.branch(1, {FILE: NEW, "pkg/new.py": "x = 1\n"})
    dirty(lane, how)
    before, files = lane.target, picture(lane.work)
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["pushed"]) == (0, "landed", True)
    assert lane.remote_target == said.result["merge_commit"] == said.json["after"]
    assert (lane.target, picture(lane.work)) == (before, files)
    assert "stays behind" in said.err
    assert f"git -C {lane.work} merge --ff-only origin/roadmap" in said.err
    lane.assert_tidy()


def test_the_advice_to_catch_up_works(lane: Lane) -> None:
    """Once the edit is out of the way, the command that was told brings the local target forward."""
    lane.branch(1, {FILE: NEW})
    dirty(lane, "edited")
    said = lane.merge()
    lane.git(lane.work, "stash", "-q")
    command = next(line for line in said.err.splitlines() if "merge --ff-only" in line).partition("Then: git ")[2]
    lane.git(lane.work, *command.split(" ")[2:])
    assert lane.target == lane.remote_target


@pytest.mark.parametrize("remote", [True, False])
def test_unrelated_local_work_is_kept(lane: Lane, remote: bool) -> None:
    """Edits, staged edits, deletions and new files elsewhere stay as they are while the checkout follows."""
    if not remote:
        lane.local_only()
    lane.branch(1, {FILE: NEW})
    (lane.work / "pkg/beta.py").write_text(MINE)
    (lane.work / "tests/test_beta.py").unlink()
    (lane.work / "notes.txt").write_text("note\n")
    lane.git(lane.work, "add", "notes.txt")
    lane.assert_landed(lane.merge())
    assert (lane.work / FILE).read_text() == NEW
    assert lane.git(lane.work, "status", "--porcelain").splitlines() == [
        "A  notes.txt", " M pkg/beta.py", " D tests/test_beta.py",
    ]  # fmt: skip
    assert (lane.work / "pkg/beta.py").read_text() == MINE


def test_a_file_deleted_on_both_sides_is_in_nobodys_way(alone: Lane) -> None:
    """A local deletion that the landing makes too would not be undone by it."""
    alone.branch(1, {"pkg/beta.py": None, "tests/test_beta.py": None, FILE: NEW})
    (alone.work / "pkg/beta.py").unlink()
    alone.assert_landed(alone.merge())
    assert not (alone.work / "pkg/beta.py").exists()


def test_autostash_and_signature_settings_do_not_matter(alone: Lane) -> None:
    """Settings that make a fast-forward stash edits or demand signatures change neither answer nor checkout."""
    for name in ("merge.autoStash", "rebase.autoStash", "merge.verifySignatures", "commit.gpgSign"):
        alone.git(alone.work, "config", name, "true")
    alone.branch(1, {FILE: NEW})
    dirty(alone, "edited")
    assert alone.merge().outcome == "target-dirty"
    assert (alone.work / FILE).read_text() == MINE
    alone.git(alone.work, "checkout", "-q", FILE)
    alone.assert_landed(alone.merge())


@pytest.mark.parametrize("remote", [True, False])
def test_a_target_that_is_being_rebased_is_left_alone(lane: Lane, remote: bool) -> None:
    """git says detached then; moving the branch would break the end of the person's rebase."""
    if not remote:
        lane.local_only()
    lane.branch(1)
    lane.box.commit({FILE: MINE}, "feat: Mine")
    lane.git(lane.work, "reset", "-q", "--hard", "HEAD~1")
    lane.git(lane.work, "branch", "-q", "side", "HEAD@{1}")
    base = lane.box.commit({FILE: NEW}, "feat: Theirs")
    if remote:
        lane.box.push()
    lane.git(lane.work, "rebase", "side", check=False)
    assert lane.git(lane.work, "status", "--porcelain").startswith("UU")
    said = lane.merge()
    if remote:
        assert (said.outcome, lane.target) == ("landed", base)
        assert "being rebased" in said.err
    else:
        assert (said.outcome, lane.target) == ("target-dirty", base)
        assert "being rebased" in said.result["reason"]
    (lane.work / FILE).write_text(MINE + NEW)
    lane.git(lane.work, "add", FILE)
    lane.git(lane.work, "-c", "core.editor=true", "rebase", "--continue")


def test_a_merge_in_progress_on_the_target_is_left_alone(alone: Lane) -> None:
    """A conflicted merge of a person on the target stays exactly as it is."""
    alone.branch(1)
    alone.box.branch("side", {FILE: NEW})
    alone.box.commit({FILE: MINE}, "feat: Mine")
    alone.git(alone.work, "merge", "side", check=False)
    files = picture(alone.work)
    assert alone.merge().outcome == "target-dirty"
    assert picture(alone.work) == files
    assert (alone.work / ".git/MERGE_HEAD").exists()


def test_a_linked_worktree_that_holds_the_target_follows(lane: Lane) -> None:
    """Not the main checkout but the worktree with the target in it is brought forward; the other is not touched."""
    lane.leave()
    linked = lane.work.parent / "linked tree"
    lane.git(lane.work, "worktree", "add", "-q", str(linked), "roadmap")
    lane.branch(1, {FILE: NEW})
    files = picture(lane.work)
    lane.assert_landed(lane.merge(where=linked / "pkg"))
    assert (linked / FILE).read_text() == NEW
    assert lane.git(linked, "status", "--porcelain") == ""
    assert picture(lane.work) == files
    assert lane.git(lane.work, "status", "--porcelain") == ""


def test_a_target_that_is_checked_out_twice_is_left_alone(alone: Lane) -> None:
    """Moving one of the two checkouts would leave the other with a staged revert of the landing."""
    second = alone.work.parent / "second"
    alone.git(alone.work, "worktree", "add", "-q", "-f", str(second), "roadmap")
    alone.branch()
    said = alone.merge()
    assert said.outcome == "target-dirty"
    assert str(second) in said.result["reason"]
    assert alone.git(second, "status", "--porcelain") == ""


def test_a_locked_worktree_that_is_away_counts_and_a_lost_one_does_not(alone: Lane) -> None:
    """A checkout on a drive that is not plugged in would come back with a staged revert."""
    alone.leave()
    away = alone.work.parent / "away"
    alone.git(alone.work, "worktree", "add", "-q", "--lock", str(away), "roadmap")
    away.rename(away.with_name("elsewhere"))
    alone.branch()
    said = alone.merge()
    assert said.outcome == "target-dirty"
    assert "locked" in said.result["reason"]
    alone.git(alone.work, "worktree", "unlock", str(away))
    alone.assert_landed(alone.merge())


def test_local_commits_that_the_remote_lacks_are_tested_pushed_along_and_said(lane: Lane) -> None:
    """A target that is strictly ahead is the base: its commits land too, and nobody is surprised."""
    mine = lane.box.commit({"pkg/mine.py": "x = 1\n"}, "feat: Mine")
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert lane.git(lane.box.origin, "rev-parse", "roadmap^1") == mine
    assert "roadmap holds 1 commit that origin does not have: tested and pushed along" in said.err


def test_a_local_target_that_is_behind_follows(lane: Lane) -> None:
    """The base is what the remote has, also when nobody here has seen it yet."""
    other = lane.work.parent / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    theirs = lane.box.commit({"pkg/theirs.py": "x = 1\n"}, "feat: Theirs", other)
    lane.git(other, "push", "-q", "origin", "roadmap")
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert (said.json["before"], lane.target) == (theirs, said.json["after"])


def test_diverged_targets_stop_before_anything_is_done(lane: Lane) -> None:
    """Two histories are a person's to bring together: exit 2, with the command for it."""
    lane.branch()
    lane.box.commit({"pkg/mine.py": "x = 1\n"}, "feat: Mine")
    other = lane.work.parent / "other"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(other))
    lane.box.commit({"pkg/theirs.py": "x = 1\n"}, "feat: Theirs", other)
    lane.git(other, "push", "-q", "origin", "roadmap")
    before = lane.target, lane.remote_target
    said = lane.merge()
    assert (said.rc, said.json) == (2, {})
    assert "have diverged" in said.err
    assert "hint: " in said.err
    assert (lane.target, lane.remote_target) == before


def test_without_a_local_target_only_the_remote_moves(lane: Lane) -> None:
    """A clone that never checked the target out gets none; git would make one that tracks the remote's."""
    lane.branch()
    lane.leave()
    lane.git(lane.work, "branch", "-q", "-D", "roadmap")
    said = lane.merge()
    lane.assert_landed(said)
    assert "refs/heads/roadmap" not in lane.box.refs()
    assert lane.verify().rc == 0


def test_without_a_local_target_a_local_landing_makes_it(lane: Lane) -> None:
    """``--no-push`` has only the local branch to land on."""
    lane.branch()
    lane.leave()
    lane.git(lane.work, "branch", "-q", "-D", "roadmap")
    before = lane.remote_target
    said = lane.merge("roadmap-wt1", "--no-push")
    lane.assert_landed(said)
    assert (said.json["pushed"], lane.remote_target, lane.target) == (False, before, said.json["after"])


def test_the_first_push_creates_the_remote_target(lane: Lane) -> None:
    """A remote without the target gets it with the first landing, created and not overwritten."""
    lane.git(lane.box.origin, "symbolic-ref", "HEAD", "refs/heads/main")
    lane.git(lane.box.origin, "update-ref", "-d", "refs/heads/roadmap")
    lane.branch()
    lane.assert_landed(lane.merge())


def test_no_push_lands_here_and_the_next_push_takes_it_along(lane: Lane) -> None:
    """What landed with ``--no-push`` reaches the remote with the next landing, record included."""
    lane.branch(1)
    first = lane.merge("roadmap-wt1", "--no-push")
    assert (first.outcome, first.json["pushed"]) == ("landed", False)
    lane.branch(2)
    second = lane.merge("roadmap-wt2")
    lane.assert_landed(second, 2)
    assert lane.git(lane.box.origin, "rev-parse", "roadmap^1") == first.json["after"]
    fresh = lane.work.parent / "fresh"
    lane.git(lane.work, "clone", "-q", str(lane.box.origin), str(fresh))
    assert [c["verdict"] for c in lane.verify(where=fresh).json["commits"]][:2] == ["tested", "tested"]


def test_the_claim_of_a_landed_task_says_so(lane: Lane) -> None:
    """The task's claim becomes landed at the merge commit; somebody else's stays."""
    from coffee_hooks.base.model import Sha, TaskId
    from coffee_hooks.base.project import open_project
    from coffee_hooks.base.refs import transact
    from coffee_hooks.state.claims import Claim, ClaimState, moved, read_claims

    repo, tip = open_project(lane.work).repo, lane.branch()
    for task, branch in (("US-104", "roadmap-wt1"), ("US-105", "roadmap-wt2")):
        claim = Claim(TaskId(task), branch, Sha(lane.target), "me", 1, ClaimState.DONE, Sha(tip), None, 1)
        assert transact(repo, [moved(repo, claim)[1]])
    said = lane.merge()
    lane.assert_landed(said)
    claims = read_claims(repo)
    assert (claims[TaskId("US-104")].state, claims[TaskId("US-104")].sha) == (
        ClaimState.LANDED, said.result["merge_commit"],
    )  # fmt: skip
    assert claims[TaskId("US-105")].state is ClaimState.DONE
