"""Cleanup from end to end: every outcome, on real repositories."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.base.errors import EnvironmentFailure, LockedError, UsageError
from coffee_hooks.base.identity import boot_id, identify
from coffee_hooks.base.lock import hold
from coffee_hooks.cleanup import remove
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.remove import apply_cleanup, cleanup, preview
from coffee_hooks.cleanup.values import Outcome, RemotePolicy, Waive
from coffee_hooks.state.agents import EndReason, begin_run, end_run, note_pid
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.facts import fact
from coffee_hooks.state.graveyard import read_graves
from coffee_hooks.state.timings import timings

if TYPE_CHECKING:
    from conftest import Git, Yard


@pytest.fixture
def agent_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, as agents are."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    yield child
    child.kill()
    child.wait()


def begin(yard: Yard, number: int, tree: Path, pid: int | None) -> int:
    """Record a run of the agent of ``US-<number>``."""
    run = begin_run(
        yard.store, task=f"US-{number}", branch=f"roadmap-wt{number}", worktree=str(tree), attempt=1, agent="fake",
        command=["fake"], supervisor_pid=0, boot_id=boot_id(), log="", when=time.time(),
    )  # fmt: skip
    if pid is not None:
        identity = identify(pid)
        assert identity is not None
        note_pid(yard.store, run, pid, identity.start_time)
    return run


def test_a_landed_branch_goes_with_everything_and_is_parked(yard: Yard) -> None:
    """Worktree, local and remote branch go, the tip stays in the graveyard, claim and records say so."""
    tree = yard.landed(1)
    yard.box.push("roadmap-wt1")
    tip = yard.git(tree, "rev-parse", "HEAD")
    result = yard.one(1)
    assert (result.outcome, result.worktree) == (Outcome.REMOVED, tree)
    assert result.backup is not None
    assert yard.git(yard.work, "rev-parse", result.backup) == tip
    assert not tree.parent.exists()  # the empty root goes too
    assert yard.branches() == {"roadmap"}
    assert yard.branches(yard.box.origin) == {"roadmap", "main"}
    assert "refs/remotes/origin/roadmap-wt1" not in yard.box.refs()
    assert yard.state_of(1) is ClaimState.LANDED
    assert fact(yard.store, "last_cleanup") is not None
    assert [(t.task, t.phase.value, t.detail) for t in timings(yard.store)] == [("US-1", "cleanup", "removed")]
    assert yard.git(yard.work, "worktree", "list").count("\n") == 0
    assert yard.git(yard.work, "status", "--porcelain") == ""


def test_without_names_only_what_landed_goes(yard: Yard) -> None:
    """The rest keeps its worktree and says why; nothing that was not named makes the exit code bad."""
    yard.landed(1)
    yard.agent(2)
    yard.spawn(3)
    report = yard.clean()
    assert {r.branch: r.outcome for r in report.results} == {
        "roadmap-wt1": Outcome.REMOVED,
        "roadmap-wt2": Outcome.KEPT_UNMERGED,
        "roadmap-wt3": Outcome.KEPT_UNMERGED,
    }
    assert report.exit_code == 0
    assert yard.tree(2).is_dir()
    assert yard.tree(3).is_dir()
    assert yard.tree(2).parent.is_dir()
    assert yard.clean().results == report.results[1:]


def test_an_unmerged_branch_is_kept_until_its_loss_is_named(yard: Yard) -> None:
    """--force-delete takes an unmerged branch, parks it, and releases its claim."""
    tree = yard.agent(1)
    tip = yard.git(tree, "rev-parse", "HEAD")
    kept = yard.clean("roadmap-wt1")
    assert [r.outcome for r in kept.results] == [Outcome.KEPT_UNMERGED]
    assert kept.exit_code == 1
    assert "--force-delete" in kept.results[0].hint
    assert yard.one(1, Waive.DIRTY).outcome is Outcome.KEPT_UNMERGED
    result = yard.one(1, Waive.UNMERGED)
    assert result.outcome is Outcome.REMOVED
    assert yard.git(yard.work, "rev-parse", str(result.backup)) == tip
    assert yard.state_of(1) is ClaimState.RELEASED


def test_a_dirty_tree_is_kept_until_its_loss_is_named(yard: Yard) -> None:
    """--force saves index, files and untracked files as a commit before it removes them."""
    tree = yard.landed(1)
    (tree / "pkg/new1.py").write_text("edited\n")
    (tree / "note.txt").write_text("untracked\n")
    kept = yard.one(1)
    assert kept.outcome is Outcome.KEPT_DIRTY
    assert "note.txt" in kept.detail
    assert "--force" in kept.hint
    assert yard.one(1, Waive.UNMERGED).outcome is Outcome.KEPT_DIRTY
    assert yard.one(1, Waive.DIRTY).outcome is Outcome.REMOVED
    (grave,) = read_graves(yard.project.repo)
    assert yard.git(yard.work, "show", f"{grave.dirty}:note.txt") == "untracked"
    assert yard.git(yard.work, "show", f"{grave.dirty}:pkg/new1.py") == "edited"


def test_an_edit_in_the_moment_of_the_checkout_is_saved(yard: Yard) -> None:
    """Same size, same time as the index: a copy of the index that is younger would take the file for unchanged."""
    tree = yard.landed(1)
    file, index = tree / "pkg/new1.py", Path(yard.git(tree, "rev-parse", "--absolute-git-dir")) / "index"
    yard.git(yard.work, "config", "core.trustCtime", "false")
    os.utime(file, (1_700_000_000, 1_700_000_000))
    yard.git(tree, "update-index", "--refresh")
    edited = file.read_text().swapcase()
    file.write_text(edited)
    for path in (file, index):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    assert yard.one(1, Waive.DIRTY).outcome is Outcome.REMOVED
    (grave,) = read_graves(yard.project.repo)
    assert yard.git(yard.work, "show", f"{grave.dirty}:pkg/new1.py") == edited.strip()


def test_waivers_need_names(yard: Yard) -> None:
    """A loss is named together with the branch that suffers it: without names nothing may be waived."""
    yard.agent(1)
    with pytest.raises(UsageError):
        yard.clean(waive=Waive.UNMERGED)
    assert yard.tree(1).is_dir()


def test_a_living_agent_keeps_its_branch(yard: Yard, agent_process: subprocess.Popen[bytes]) -> None:
    """While the recorded process lives nothing waives it; its death, seen by the kernel, frees the branch."""
    tree = yard.landed(1)
    begin(yard, 1, tree, agent_process.pid)
    for waive in (Waive.NOTHING, Waive.DIRTY | Waive.UNMERGED):
        kept = yard.one(1, waive)
        assert kept.outcome is Outcome.KEPT_RUNNING
        assert "coffee stop US-1" in kept.hint
    agent_process.kill()
    agent_process.wait()
    assert yard.one(1).outcome is Outcome.REMOVED


def test_a_locked_worktree_always_wins(yard: Yard) -> None:
    """git worktree lock is a person's word; no flag of ours overrules it."""
    tree = yard.landed(1)
    yard.git(yard.work, "worktree", "lock", "--reason", "mine\nreally", str(tree))
    kept = yard.one(1, Waive.DIRTY | Waive.UNMERGED)
    assert kept.outcome is Outcome.KEPT_LOCKED
    assert kept.hint == f"git worktree unlock {tree}"
    yard.git(yard.work, "worktree", "unlock", str(tree))
    assert yard.one(1).outcome is Outcome.REMOVED


def test_a_branch_that_nobody_of_ours_made_is_foreign(yard: Yard, tmp_path: Path) -> None:
    """A person's branch with its own worktree stays, named or not, forced or not."""
    yard.git(yard.work, "worktree", "add", "-q", "-b", "roadmap-mine", str(tmp_path / "mine"))
    report = yard.clean("roadmap-mine", waive=Waive.DIRTY | Waive.UNMERGED)
    assert [r.outcome for r in report.results] == [Outcome.KEPT_FOREIGN]
    assert yard.clean().results == ()
    assert (tmp_path / "mine/.git").exists()


def test_a_hand_made_branch_that_landed_goes_but_not_its_foreign_worktree(yard: Yard, tmp_path: Path) -> None:
    """The landing record makes the branch ours to delete; a worktree that coffee did not make stays a person's."""
    yard.git(yard.work, "worktree", "add", "-q", "-b", "roadmap-wt7", str(tmp_path / "mine"))
    yard.box.commit({"hand.py": "x = 1\n"}, "feat: By hand", tmp_path / "mine")
    yard.land(7, push=True)
    kept = yard.one(7)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert str(tmp_path / "mine") in kept.detail
    yard.git(yard.work, "worktree", "remove", str(tmp_path / "mine"))
    assert yard.one(7).outcome is Outcome.REMOVED
    assert "roadmap-wt7" not in yard.branches()


@pytest.mark.parametrize("name", ["roadmap", "main", "feature/x", "--all", "roadmap-"])
def test_the_target_and_foreign_names_are_refused(yard: Yard, name: str) -> None:
    """A claim that names the target or any branch outside the rule gives no right to it."""
    if name == "feature/x":
        yard.git(yard.work, "branch", name)
    if name in yard.branches():
        yard.claim(name, ClaimState.LANDED, task="US-666")
    before = yard.box.refs("refs/heads/")
    (result,) = yard.clean(name, waive=Waive.DIRTY | Waive.UNMERGED).results
    assert result.outcome in (Outcome.KEPT_FOREIGN, Outcome.MISSING)
    assert yard.box.refs("refs/heads/") == before
    assert not [r for r in yard.clean().results if r.outcome is Outcome.REMOVED]


def test_an_unknown_name_is_missing(yard: Yard) -> None:
    """A name that is nowhere, here or on the remote, has its own outcome."""
    report = yard.clean("roadmap-wt99")
    assert [(r.outcome, r.worktree, r.backup) for r in report.results] == [(Outcome.MISSING, None, None)]
    assert report.exit_code == 0


def test_removing_twice_says_missing(yard: Yard) -> None:
    """A second run by name finds nothing, and one without names is silent about it."""
    yard.landed(1)
    assert yard.one(1).outcome is Outcome.REMOVED
    assert yard.one(1).outcome is Outcome.MISSING
    assert yard.clean().results == ()


def test_the_main_worktree_and_the_one_we_run_in_stay(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the user's checkout nor the folder under the command's own feet is removed."""
    tree = yard.landed(1)
    monkeypatch.chdir(tree / "pkg")
    assert yard.one(1).outcome is Outcome.KEPT_RUNNING
    monkeypatch.chdir(yard.work)
    assert tree.is_dir()
    yard.git(yard.work, "worktree", "remove", str(tree))
    yard.git(yard.work, "switch", "-q", "roadmap-wt1")
    kept = yard.one(1)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert (yard.work / ".git").is_dir()
    assert yard.git(yard.work, "symbolic-ref", "HEAD") == "refs/heads/roadmap-wt1"


def test_a_remote_branch_that_moved_keeps_everything(yard: Yard, git: Git) -> None:
    """Somebody pushed to the branch after it landed: here and there it stays as it is."""
    yard.landed(1)
    yard.box.push("roadmap-wt1")
    later = yard.elsewhere("roadmap-wt1")
    for _ in range(2):
        assert yard.one(1, Waive.UNMERGED).outcome is Outcome.KEPT_MOVED  # also when the commits are unknown here
        assert git(yard.box.origin, "rev-parse", "roadmap-wt1") == later
        assert yard.tree(1).is_dir()
    git(yard.work, "fetch", "-q")
    assert yard.one(1).outcome is Outcome.KEPT_MOVED
    assert yard.one(1, Waive.UNMERGED).outcome is Outcome.REMOVED
    assert later in yard.box.refs("refs/coffee/graveyard/").values()


def test_a_push_between_the_question_and_the_deletion_is_seen(yard: Yard, git: Git) -> None:
    """The lease names the very commit that was judged, so a push in between wins."""
    yard.landed(1)
    yard.box.push("roadmap-wt1")
    project = yard.project
    plan = plan_cleanup(project, ["roadmap-wt1"], store=yard.store)
    other = git(yard.box.origin, "rev-parse", "roadmap")
    git(yard.box.origin, "update-ref", "refs/heads/roadmap-wt1", other)
    with hold(project.repo, "cleanup") as proof:
        (result,) = apply_cleanup(plan, yard.store, proof).results
    assert result.outcome is Outcome.KEPT_MOVED
    assert yard.tree(1).is_dir()
    assert git(yard.box.origin, "rev-parse", "roadmap-wt1") == other


def test_the_remote_branch_can_be_left_alone(yard: Yard) -> None:
    """--no-remote cleans here and touches nothing there."""
    yard.landed(1)
    yard.box.push("roadmap-wt1")
    assert yard.one(1, remote=RemotePolicy.KEEP).outcome is Outcome.REMOVED
    assert "roadmap-wt1" in yard.branches(yard.box.origin)
    assert yard.clean(remote=RemotePolicy.KEEP).results == ()
    (later,) = yard.clean().results
    assert (later.branch, later.outcome, later.worktree) == ("roadmap-wt1", Outcome.REMOVED, None)
    assert "roadmap-wt1" not in yard.branches(yard.box.origin)


def test_work_that_landed_only_here_keeps_its_remote_branch(yard: Yard) -> None:
    """Until the target is pushed, the remote branch is the remote's only copy of the work."""
    yard.agent(1)
    yard.box.push("roadmap-wt1")
    yard.land(1)
    kept = yard.one(1)
    assert kept.outcome is Outcome.KEPT_UNMERGED
    assert "coffee merge --push" in kept.hint
    yard.box.push("roadmap")
    assert yard.one(1).outcome is Outcome.REMOVED


def test_a_remote_that_refuses_keeps_everything(yard: Yard, git: Git) -> None:
    """A protected branch is no reason to fail half way: nothing is removed, and the hint says how to go on."""
    yard.landed(1)
    yard.box.push("roadmap-wt1")
    git(yard.box.origin, "config", "receive.denyDeletes", "true")
    kept = yard.one(1)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert "deletion prohibited" in kept.detail
    assert "--no-remote" in kept.hint
    assert yard.tree(1).is_dir()
    assert yard.one(1, remote=RemotePolicy.KEEP).outcome is Outcome.REMOVED


def test_a_remote_that_is_down_fails_before_anything_happens(yard: Yard) -> None:
    """Exit 4, nothing half done; --no-remote still cleans."""
    yard.landed(1)
    yard.box.origin.rename(yard.box.origin.with_name("gone.git"))
    before = yard.box.refs()
    with pytest.raises(EnvironmentFailure):
        yard.one(1)
    assert yard.box.refs() == before
    assert yard.tree(1).is_dir()
    assert yard.one(1, remote=RemotePolicy.KEEP).outcome is Outcome.REMOVED


def test_a_remote_branch_that_is_behind_or_gone_is_fine(yard: Yard, git: Git) -> None:
    """What the remote holds is contained in what landed, or the host deleted it already: both are removable."""
    tree = yard.agent(1)
    yard.box.push("roadmap-wt1")
    yard.box.commit({"more.py": "y = 2\n"}, "feat: More", tree)
    yard.land(1, push=True)
    yard.landed(2)
    yard.box.push("roadmap-wt2")
    git(yard.box.origin, "update-ref", "-d", "refs/heads/roadmap-wt2")
    assert [r.outcome for r in yard.clean().results] == [Outcome.REMOVED] * 2
    assert "roadmap-wt1" not in yard.branches(yard.box.origin)


def test_only_a_remote_branch_is_left(yard: Yard, git: Git) -> None:
    """A clone that never had the branch (CI) removes the landed remote branch of another machine's claim."""
    git(yard.work, "branch", "roadmap-wt1", "roadmap")
    yard.claim("roadmap-wt1", owner="somebody@else")
    yard.box.branch("roadmap-wt1", {"ci.py": "z = 1\n"})
    yard.box.push("roadmap-wt1")
    kept = yard.one(1, Waive.UNMERGED)
    assert kept.outcome is Outcome.KEPT_FOREIGN
    assert "somebody@else" in kept.detail
    yard.land(1, push=True)
    git(yard.work, "branch", "-D", "-q", "roadmap-wt1")
    (result,) = yard.clean().results
    assert result.outcome is Outcome.REMOVED
    assert "roadmap-wt1" not in yard.branches(yard.box.origin)


def test_a_dry_run_changes_nothing_and_names_every_change(yard: Yard) -> None:
    """The plan lists park, save, worktree, remote branch, branch and claim; no ref or file moves."""
    tree = yard.agent(1)
    yard.box.push("roadmap-wt1")
    (tree / "note.txt").write_text("x")
    before = yard.box.refs(), yard.box.refs(where=yard.box.origin), sorted(map(str, tree.rglob("*")))
    plan = plan_cleanup(yard.project, ["roadmap-wt1"], waive=Waive.DIRTY | Waive.UNMERGED, store=yard.store)
    report = preview(plan)
    assert [r.outcome for r in report.results] == [Outcome.REMOVED]
    tip = yard.git(tree, "rev-parse", "HEAD")[:10]
    grave = "refs/coffee/graveyard/roadmap-wt1/1/"
    assert report.changes == (
        f"park roadmap-wt1 under {grave}",
        f"save uncommitted work as {grave}dirty: note.txt",
        f"remove the worktree {tree}",
        f"delete roadmap-wt1 ({tip}) on origin",
        f"delete refs/heads/roadmap-wt1 ({tip})",
        "set the claim of US-1 to released",
    )
    assert before == (yard.box.refs(), yard.box.refs(where=yard.box.origin), sorted(map(str, tree.rglob("*"))))


def test_one_at_a_time(yard: Yard) -> None:
    """A second cleanup is told who holds the lock; nothing is done."""
    yard.landed(1)
    project = yard.project
    with hold(project.repo, "cleanup"), pytest.raises(LockedError):
        cleanup(project, ["roadmap-wt1"], store=yard.store)
    assert yard.tree(1).is_dir()


def test_min_age_spares_what_is_fresh_unless_named(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """cleanup.min-age holds for automatic removal only."""
    yard.landed(1)
    monkeypatch.setenv("COFFEE_CLEANUP__MIN_AGE", "1h")
    (kept,) = yard.clean().results
    assert kept.outcome is Outcome.KEPT_UNMERGED
    assert "min-age" in kept.detail
    assert yard.one(1).outcome is Outcome.REMOVED


def test_one_folder_that_cannot_go_does_not_stop_the_others(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure belongs to its branch: the next one is still cleaned, and the first loses nothing."""
    stuck = yard.landed(1)
    yard.landed(2)
    rename = Path.rename

    def busy(path: Path, to: Path) -> Path:
        if path == stuck:
            raise OSError(16, "Device or resource busy")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", busy)
    first, second = yard.clean().results
    assert (first.outcome, second.outcome) == (Outcome.KEPT_LOCKED, Outcome.REMOVED)
    assert "busy" in first.detail
    assert (stuck / "pkg/new1.py").is_file()
    assert "roadmap-wt1" in yard.branches()


def test_an_ended_run_does_not_keep_a_branch(yard: Yard) -> None:
    """A run that ended long ago, or whose process never was, is history."""
    tree = yard.landed(1)
    end_run(yard.store, begin(yard, 1, tree, None), time.time(), 0, EndReason.DONE)
    assert yard.one(1).outcome is Outcome.REMOVED


def test_an_agent_that_is_just_being_started_counts_as_running(yard: Yard) -> None:
    """Between the record of a run and its first pid nobody can be asked: unknown is not dead."""
    tree = yard.landed(1)
    begin(yard, 1, tree, None)
    assert yard.one(1).outcome is Outcome.KEPT_RUNNING


def test_what_changes_between_plan_and_removal_is_kept(yard: Yard) -> None:
    """A file, a commit, another checkout, an agent: whatever came after the decision keeps the branch."""
    changes: dict[int, tuple[Callable[[Path], object], Outcome]] = {
        1: (lambda tree: (tree / "late.txt").write_text("x"), Outcome.KEPT_DIRTY),
        2: (lambda tree: yard.box.commit({"late.py": "x\n"}, cwd=tree), Outcome.KEPT_MOVED),
        3: (lambda tree: yard.git(tree, "switch", "-q", "--detach"), Outcome.KEPT_MOVED),
        4: (lambda tree: begin(yard, 4, tree, None), Outcome.KEPT_RUNNING),
        5: (lambda tree: yard.git(yard.work, "worktree", "lock", str(tree)), Outcome.KEPT_MOVED),
        6: (Path.exists, Outcome.REMOVED),
    }
    trees = {number: yard.landed(number) for number in changes}
    project = yard.project
    plan = plan_cleanup(project, store=yard.store)
    assert len(plan.removals) == len(changes)
    for number, (change, _) in changes.items():
        change(trees[number])
    with hold(project.repo, "cleanup") as proof:
        report = apply_cleanup(plan, yard.store, proof)
    assert [r.outcome for r in report.results] == [outcome for _, outcome in changes.values()]
    assert [tree.is_dir() for tree in trees.values()] == [True] * 5 + [False]


def test_what_is_written_after_the_snapshot_is_kept(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under --force the files that go must be the very files that were saved."""
    tree = yard.agent(1)
    (tree / "early.txt").write_text("early")
    rechecked = remove.recheck

    def write_late(*args: Any) -> None:
        (tree / "early.txt").write_text("late")
        rechecked(*args)

    monkeypatch.setattr(remove, "recheck", write_late)
    kept = yard.one(1, Waive.DIRTY | Waive.UNMERGED)
    assert kept.outcome is Outcome.KEPT_DIRTY
    assert (tree / "early.txt").read_text() == "late"


def test_a_project_without_a_remote(yard: Yard, git: Git) -> None:
    """Everything works on one machine alone."""
    git(yard.work, "remote", "remove", "origin")
    yard.agent(1)
    yard.land(1)
    assert yard.one(1).outcome is Outcome.REMOVED
    assert yard.one(9).outcome is Outcome.MISSING


def test_a_local_target_that_lags_behind_does_not_keep_a_landed_branch(yard: Yard, git: Git) -> None:
    """The push was the landing; the local copy of the target may follow later."""
    yard.landed(1)
    git(yard.work, "reset", "-q", "--hard", "HEAD~1")
    assert yard.one(1).outcome is Outcome.REMOVED


def test_without_a_target_nothing_is_judged(yard: Yard, git: Git) -> None:
    """No target branch is a usage error, not "everything is unmerged"."""
    git(yard.work, "switch", "-q", "-c", "roadmap-x")
    git(yard.work, "branch", "-D", "-q", "roadmap")
    git(yard.work, "update-ref", "-d", "refs/remotes/origin/roadmap")
    with pytest.raises(UsageError):
        yard.clean()
