"""Incidents of other tools, acted out: each docstring names one, each test shows that it cannot happen here."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.cleanup.values import Outcome, Waive
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.graveyard import read_graves

if TYPE_CHECKING:
    from conftest import Git, Yard

FORCE = Waive.DIRTY | Waive.UNMERGED


def test_a_branch_without_commits_is_not_merged(yard: Yard) -> None:
    """aidevops#22606: a branch with 0 commits past its base was taken as merged, its dirty tree destroyed."""
    tree = yard.spawn(1)
    (tree / "work.py").write_text("hours of work\n")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]
    assert yard.one(1).outcome is Outcome.KEPT_DIRTY
    (tree / "work.py").unlink()
    assert yard.one(1).outcome is Outcome.KEPT_UNMERGED
    assert yard.one(1, Waive.UNMERGED).outcome is Outcome.REMOVED
    assert yard.state_of(1) is ClaimState.RELEASED


def test_a_claimed_branch_that_only_followed_the_target_is_not_merged(yard: Yard, git: Git) -> None:
    """The same trap in disguise: the agent pulled the target in before its first commit."""
    tree = yard.spawn(1)
    yard.box.commit({"other.py": "o = 1\n"})
    git(tree, "merge", "-q", "--ff-only", "roadmap")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]
    assert yard.one(1).outcome is Outcome.KEPT_UNMERGED
    git(tree, "commit", "-q", "--allow-empty", "-m", "wip")
    yard.set_claim(1, ClaimState.DONE, git(tree, "rev-parse", "HEAD"))
    assert yard.one(1).outcome is Outcome.KEPT_UNMERGED


def test_an_agent_between_two_attempts_keeps_its_branch(yard: Yard, git: Git) -> None:
    """egg#3639: work was gone on respawn. While the task is claimed, automatic cleanup leaves it alone."""
    yard.agent(1)
    git(yard.work, "merge", "-q", "--no-ff", "-m", "by hand", "roadmap-wt1")
    yard.box.push("roadmap")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]
    assert yard.one(1).outcome is Outcome.REMOVED
    assert yard.state_of(1) is ClaimState.LANDED


def test_a_finished_branch_that_a_person_merged_goes(yard: Yard, git: Git) -> None:
    """Facts beat records: the claim says done, the target has the work, so the branch goes and the claim is closed."""
    tree = yard.agent(1)
    yard.set_claim(1, ClaimState.DONE, git(tree, "rev-parse", "HEAD"))
    git(yard.work, "merge", "-q", "--ff-only", "roadmap-wt1")
    assert [r.outcome for r in yard.clean().results] == [Outcome.REMOVED]
    assert yard.state_of(1) is ClaimState.LANDED


def test_a_reverted_branch_stays_for_the_next_try(yard: Yard) -> None:
    """After a revert git still calls the branch merged; its worktree is where the fix will be made."""
    yard.landed(1)
    yard.set_claim(1, ClaimState.REVERTED)
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]
    assert yard.one(1).outcome is Outcome.REMOVED
    assert yard.state_of(1) is ClaimState.REVERTED


def test_unmerged_commits_survive_even_the_loss_of_their_branch(yard: Yard, git: Git) -> None:
    """claude-code#38287, #27753, #48131, emdash#2102: cleanup deleted unmerged commits, leaving them dangling."""
    tree = yard.agent(1)
    tip = git(tree, "rev-parse", "HEAD")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]
    yard.one(1, Waive.UNMERGED)
    git(yard.work, "reflog", "expire", "--expire=all", "--all")
    git(yard.work, "gc", "-q", "--prune=now")
    assert git(yard.work, "cat-file", "-t", tip) == "commit"


def test_a_clean_tree_with_unmerged_commits_is_kept(yard: Yard) -> None:
    """pi-subagents PR#68: the agent had committed by itself, so the status was clean and the tree was removed."""
    yard.agent(1)
    assert yard.one(1).outcome is Outcome.KEPT_UNMERGED
    assert yard.tree(1).is_dir()


def test_a_merged_branch_with_a_dirty_tree_is_kept(yard: Yard) -> None:
    """oh-my-openagent#5911: ancestry said merged, the tree was dirty."""
    tree = yard.landed(1)
    (tree / "late.py").write_text("x\n")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_DIRTY]


def test_commits_made_after_the_landing_are_kept(yard: Yard) -> None:
    """bernstein PR#4476, loom#8267: the record says landed, but the branch went on since."""
    tree = yard.landed(1)
    yard.box.commit({"more.py": "m = 1\n"}, "feat: More", tree)
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]


def test_a_rewound_target_makes_a_landed_branch_unmerged_again(yard: Yard, git: Git) -> None:
    """bernstein#2792: a record of success led to the deletion of the only copy. Facts beat records."""
    yard.agent(1)
    yard.land(1)
    git(yard.work, "reset", "-q", "--hard", "HEAD~1")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_UNMERGED]


def test_the_tree_of_another_host_is_not_ours(yard: Yard, tmp_path: Path, git: Git) -> None:
    """loom PR#5041: two hosts, one branch name; the sibling's tree was force-removed."""
    git(yard.work, "branch", "roadmap-wt1", "roadmap")
    yard.claim("roadmap-wt1", owner="somebody@else")
    git(yard.work, "worktree", "add", "-q", str(tmp_path / "theirs"), "roadmap-wt1")
    yard.box.commit({"x.py": "x = 1\n"}, cwd=tmp_path / "theirs")
    kept = yard.one(1, FORCE)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert "somebody@else" in kept.detail
    assert (tmp_path / "theirs/x.py").is_file()


def test_a_supervised_branch_is_kept_without_any_database(yard: Yard) -> None:
    """claude-code#78350, #77268: a leased or live worktree was reaped. The lock of the supervisor is the kernel's."""
    yard.landed(1)
    orders = yard.project.repo.state_dir / "agents"
    orders.mkdir()
    order = orders / "7.json"
    order.write_text(json.dumps({"branch": "roadmap-wt1", "run": 7}))
    with order.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert yard.one(1, FORCE).outcome is Outcome.KEPT_RUNNING
    assert yard.one(1).outcome is Outcome.REMOVED


def test_the_recorded_place_counts_not_the_configured_one(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gastown PR#2397: a guard looked at a path computed from changed settings and failed silently for everyone."""
    tree = yard.landed(1)
    yard.copied(tree, {})
    (tree / "late.py").write_text("x\n")
    monkeypatch.setenv("COFFEE_WORKTREES__ROOT", str(tmp_path / "other"))
    assert yard.one(1).outcome is Outcome.KEPT_DIRTY
    (tree / "late.py").unlink()
    assert yard.one(1).outcome is Outcome.REMOVED
    assert not tree.exists()


def test_a_folder_that_is_something_else_now_is_left_alone(yard: Yard, git: Git) -> None:
    """emdash PR#588: a task's folder was not what it seemed, and the main repository could be deleted."""
    tree = yard.landed(1)
    shutil.rmtree(tree)
    git(tree.parent, "clone", "-q", str(yard.box.origin), tree.name)
    kept = yard.one(1, FORCE)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert (tree / ".git/HEAD").is_file()


def test_a_link_to_the_main_checkout_is_left_alone(yard: Yard) -> None:
    """The folder of the worktree is a symbolic link: what it points to is not ours."""
    tree = yard.landed(1)
    moved = tree.with_name("moved")
    tree.rename(moved)
    tree.symlink_to(moved)
    assert yard.one(1, FORCE).outcome is Outcome.KEPT_FOREIGN
    assert (moved / "pkg/new1.py").is_file()


def test_a_vanished_worktree_is_cleared(yard: Yard, git: Git) -> None:
    """gastown PR#3203: worktrees under /tmp vanish. The branch still goes, the entry of the dead worktree too."""
    tree = yard.landed(1)
    shutil.rmtree(tree)
    result = yard.one(1)
    assert result.outcome is Outcome.REMOVED
    assert "prunable" not in git(yard.work, "worktree", "list", "--porcelain")
    assert "roadmap-wt1" not in yard.branches()


def test_a_locked_and_missing_worktree_stays_locked(yard: Yard, git: Git) -> None:
    """gtr#180: it may be on a disk that is not mounted; its lock says to wait."""
    tree = yard.landed(1)
    git(yard.work, "worktree", "lock", str(tree))
    shutil.rmtree(tree)
    assert yard.one(1, FORCE).outcome is Outcome.KEPT_LOCKED


def test_a_detached_head_is_parked_too(yard: Yard, git: Git) -> None:
    """git worktree remove drops a detached HEAD's own commits; nothing else names them."""
    tree = yard.landed(1)
    git(tree, "switch", "-q", "--detach")
    yard.box.commit({"d.py": "d = 1\n"}, "feat: Detached", tree)
    head = git(tree, "rev-parse", "HEAD")
    kept = yard.one(1)
    assert kept.outcome is Outcome.KEPT_UNMERGED
    assert yard.one(1, Waive.UNMERGED).outcome is Outcome.REMOVED
    (grave,) = read_graves(yard.project.repo)
    assert grave.head == head
    assert not tree.exists()


def test_commits_that_only_a_reflog_names_are_parked(yard: Yard, git: Git) -> None:
    """Amended, reset and detached commits live in the worktree's reflog, which goes with it."""
    tree = yard.agent(1)
    lost = [git(tree, "rev-parse", "HEAD")]
    git(tree, "commit", "-q", "--amend", "-m", "feat: Better")
    git(tree, "switch", "-q", "--detach")
    yard.box.commit({"d.py": "d = 1\n"}, "try", tree)
    yard.box.commit({"d.py": "d = 2\n"}, "try again", tree)
    lost.append(git(tree, "rev-parse", "HEAD"))
    git(tree, "switch", "-q", "roadmap-wt1")
    yard.land(1, push=True)
    assert yard.one(1).outcome is Outcome.REMOVED
    (grave,) = read_graves(yard.project.repo)
    assert sorted(git(yard.work, "rev-parse", f"{grave.strays}^1", f"{grave.strays}^2").split()) == sorted(lost)


def test_a_rebase_in_the_middle_is_kept(yard: Yard, git: Git) -> None:
    """git worktree remove works in the middle of a rebase, and the rest of it is gone."""
    tree = yard.agent(1, {"pkg/a.py": "mine = 1\n"})
    yard.box.commit({"pkg/a.py": "theirs = 1\n"})
    git(tree, "rebase", "-q", "roadmap", check=False)
    git(tree, "checkout", "-q", "--ours", ".")
    git(tree, "reset", "-q", "--hard")
    kept = yard.one(1)
    assert (kept.outcome, kept.detail) == (Outcome.KEPT_DIRTY, "a rebase is in progress")
    tip = git(yard.work, "rev-parse", "roadmap-wt1")
    assert yard.one(1, FORCE).outcome is Outcome.REMOVED
    assert tip in yard.box.refs("refs/coffee/graveyard/").values()


def test_a_branch_that_another_worktree_holds_is_kept(yard: Yard, git: Git, tmp_path: Path) -> None:
    """A reviewer checked the branch out as well: deleting it would pull it from under them."""
    yard.landed(1)
    git(yard.work, "worktree", "add", "-q", "--force", str(tmp_path / "review"), "roadmap-wt1")
    assert yard.one(1, FORCE).outcome is Outcome.KEPT_FOREIGN
    git(yard.work, "worktree", "remove", str(tmp_path / "review"))
    assert yard.one(1).outcome is Outcome.REMOVED


def test_a_conflict_is_no_reason_to_delete(yard: Yard) -> None:
    """quantum-loop PR#9: the branch was deleted because it conflicted."""
    yard.agent(1, {"pkg/a.py": "mine = 1\n"})
    yard.box.commit({"pkg/a.py": "theirs = 1\n"})
    assert yard.one(1).outcome is Outcome.KEPT_UNMERGED


def test_what_a_killed_run_took_away_is_swept(yard: Yard) -> None:
    """A folder that was renamed to be deleted does not stay for ever, nor does the empty root."""
    tree = yard.landed(1)
    trash = tree.with_name(".coffee-removed-0123")
    tree.rename(trash)
    assert [r.outcome for r in yard.clean().results] == [Outcome.REMOVED]
    assert not tree.parent.exists()


def test_folders_without_write_permission_go(yard: Yard) -> None:
    """Module caches are read-only on purpose; half a removal would be worse than none."""
    tree = yard.landed(1)
    yard.ignore("cache/")
    (tree / "cache/mod").mkdir(parents=True)
    (tree / "cache/mod/file").write_text("x")
    (tree / "cache/mod").chmod(0o555)
    assert yard.one(1).outcome is Outcome.REMOVED
    assert not tree.parent.exists()
