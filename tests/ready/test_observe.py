"""Every reason code through real git, and what makes it go away again."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import REVIEWS, Move, transact, write_json
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.blame import Blame, blame
from coffee_hooks.state.claims import ClaimState, update
from coffee_hooks.state.landings import Landing, Member, append

if TYPE_CHECKING:
    from conftest import Watch

Git = Callable[..., str]
LINE = "feat: Implement US-104 - Feature X\n\nStatus: Ready for merge"


# --- commits and content --------------------------------------------------------------------------


def test_a_branch_of_a_person_needs_only_commits(watch: Watch) -> None:
    """No claim, no signal: whoever made it pushes when it is finished."""
    watch.branch()
    candidate = watch.candidate()
    assert candidate.ready and candidate.task is None and candidate.touched == ("roadmap-wt1.py",)


def test_no_commits(watch: Watch, git: Git) -> None:
    """A branch at the target has nothing to land; uncommitted files on it are told as well."""
    git(watch.box.work, "branch", "roadmap-wt1")
    assert watch.codes() == ["no-commits"]
    (watch.worktree() / "new.py").write_text("x = 1\n")
    assert watch.codes() == ["no-commits", "dirty"]


def test_empty_diff(watch: Watch) -> None:
    """Commits that cancel out would land as nothing (R2: the first work-in-progress commit was "ready")."""
    watch.branch()
    watch.branch(files={"roadmap-wt1.py": None})
    assert watch.codes() == ["empty-diff"]


def test_empty_diff_when_the_target_has_the_same_change(watch: Watch) -> None:
    """Somebody picked it over by hand: merging would change nothing."""
    watch.branch()
    watch.box.commit({"roadmap-wt1.py": "x = 1\n"})
    watch.box.push()
    assert watch.codes() == ["empty-diff"]


def test_conflict_names_the_paths_and_goes_with_the_target(watch: Watch, git: Git) -> None:
    """It is computed against the target of this moment, not remembered."""
    watch.branch(files={"pkg/alpha.py": "mine\n"})
    before = git(watch.box.work, "rev-parse", "roadmap")
    watch.box.commit({"pkg/alpha.py": "theirs\n"})
    watch.box.push()
    assert watch.codes() == ["conflict"]
    assert watch.candidate().conflicts == ("pkg/alpha.py",)
    git(watch.box.work, "reset", "-q", "--hard", before)
    git(watch.box.work, "push", "-q", "--force", "origin", "roadmap")
    assert watch.codes() == []


def test_unrelated_histories_are_a_conflict_not_a_crash(watch: Watch, git: Git) -> None:
    """A branch without a common ancestor cannot be merged, and must not hide the others."""
    work = watch.box.work
    tree = git(work, "mktree", input="")
    git(work, "update-ref", "refs/heads/roadmap-alien", git(work, "commit-tree", tree, "-m", "alien"))
    watch.branch()
    assert watch.codes("roadmap-alien") == ["conflict"]
    assert watch.codes() == []


# --- the checkout ---------------------------------------------------------------------------------


def test_dirty_lists_tracked_and_untracked_files(watch: Watch) -> None:
    """Changed, staged and new files all count; ignored ones do not."""
    watch.branch(files={"a.py": "1\n", "b.py": "1\n"})
    tree = watch.worktree()
    (tree / "a.py").write_text("2\n")
    watch.git(tree, "rm", "-q", "b.py")
    (tree / "new file.txt").write_text("1\n")
    (tree / ".env").write_text("SECRET=1\n")
    (reason,) = watch.candidate().reasons
    assert reason.code.value == "dirty"
    assert all(name in reason.detail for name in ("a.py", "b.py", "new file.txt"))
    assert ".env" not in reason.detail


def test_ignored_patterns_of_the_configuration_do_not_count(watch: Watch) -> None:
    """`ready.ignore` globs, at any depth."""
    watch.branch()
    tree = watch.worktree()
    (tree / "sub").mkdir()
    (tree / "sub" / "trace.log").write_text("1\n")
    assert watch.codes() == ["dirty"]
    watch.configure("ready", ignore=("*.log",))
    assert watch.codes() == []


@pytest.mark.parametrize("operation", ["merge", "rebase", "cherry-pick"])
def test_an_operation_in_progress(watch: Watch, operation: str) -> None:
    """A stopped merge, rebase or cherry-pick: its outcome is not known, even while HEAD is detached."""
    watch.branch(files={"pkg/alpha.py": "mine\n"})
    watch.branch("roadmap-wt2", {"pkg/alpha.py": "other\n"})
    tree = watch.worktree()
    watch.git(tree, operation, "roadmap-wt2", check=False)
    assert "in-progress" in watch.codes()


def test_a_broken_worktree_is_not_clean_and_hides_nobody(watch: Watch) -> None:
    """Unknown is not yes: where git cannot tell what is uncommitted, the branch is not ready."""
    watch.branch()
    watch.branch("roadmap-wt2")
    tree = watch.worktree()
    git_dir = watch.git(tree, "rev-parse", "--absolute-git-dir")
    with open(f"{git_dir}/index", "wb") as index:  # noqa: PTH123
        index.write(b"not an index")
    assert watch.codes() == ["dirty"]
    assert watch.codes("roadmap-wt2") == []


def test_a_worktree_whose_folder_is_gone_does_not_matter(watch: Watch) -> None:
    """The commits are what lands."""
    import shutil

    watch.branch()
    shutil.rmtree(watch.worktree())
    assert watch.codes() == []


def test_a_branch_in_the_main_checkout_is_judged_with_its_files(watch: Watch) -> None:
    """Where it is checked out makes no difference."""
    watch.branch()
    watch.git(watch.box.work, "checkout", "-q", "roadmap-wt1")
    (watch.box.work / "scratch.txt").write_text("1\n")
    assert watch.codes() == ["dirty"]


# --- agents and signals ---------------------------------------------------------------------------


def test_agent_running(watch: Watch) -> None:
    """While its agent is at work, even a commit with the line is not the end."""
    watch.branch(message=LINE)
    watch.claim()
    run = watch.ran(None)
    watch.store.write("UPDATE agent_runs SET pid = ?, start_time = ?, boot_id = ? WHERE id = ?", (*_me(), run))
    assert watch.codes() == ["agent-running"]


def _me() -> tuple[int, float, str]:
    from coffee_hooks.base.identity import identify

    me = identify(os.getpid())
    assert me is not None
    return me.pid, me.start_time, me.boot_id


@pytest.mark.parametrize("reason", [EndReason.FAILED, EndReason.TIMED_OUT, EndReason.STALLED, EndReason.LOST])
def test_agent_failed(watch: Watch, reason: EndReason) -> None:
    """However it failed, its commits are not taken for finished work; the reason is told."""
    watch.branch()
    watch.claim()
    watch.ran(reason, code=7)
    (why,) = watch.candidate().reasons
    assert why.code.value == "agent-failed"
    assert reason.value in why.detail or "vanished" in why.detail


def test_exit_zero_without_commits_says_why(watch: Watch, git: Git) -> None:
    """The sentence in the claim is told, not only an exit code of 0 (an agent once "completed" in 10 s)."""
    git(watch.box.work, "branch", "roadmap-wt1")
    watch.claim(reason="no-commits: the agent ended without a commit")
    watch.ran(EndReason.FAILED, code=0)
    first, second = watch.candidate().reasons
    assert (first.code.value, second.code.value) == ("agent-failed", "no-commits")
    assert "ended without a commit" in first.detail


def test_agent_failed_but_the_line_was_given(watch: Watch) -> None:
    """An agent that committed the line and then crashed had finished."""
    watch.branch(message=LINE)
    watch.claim()
    watch.ran(EndReason.LOST)
    assert watch.codes() == []


def test_a_failure_is_known_without_the_database(watch: Watch) -> None:
    """The claim keeps why the agent ended; deleting the local state loses no readiness."""
    watch.branch()
    watch.claim(reason="failed")
    assert watch.codes() == ["agent-failed"]


def test_a_claimed_branch_needs_a_signal(watch: Watch) -> None:
    """Commits of an agent that has not said that it is finished are work in progress."""
    watch.branch()
    watch.claim()
    assert watch.codes() == ["no-signal"]


def test_done_counts_at_its_commit_alone(watch: Watch) -> None:
    """A later commit cancels `done`."""
    watch.branch()
    watch.done()
    assert watch.codes() == []
    watch.branch(files={"more.py": "1\n"})
    (reason,) = watch.candidate().reasons
    assert reason.code.value == "no-signal"
    assert "earlier commit" in reason.detail


def test_the_line_in_the_last_commit_is_a_signal(watch: Watch) -> None:
    """Written by the agent, no command of ours needed; in an earlier commit it says nothing about this one."""
    watch.branch(message=LINE)
    watch.claim()
    assert watch.codes() == []
    watch.branch(files={"more.py": "1\n"}, message="wip")
    assert watch.codes() == ["no-signal"]


@pytest.mark.parametrize(("signal", "expected"), [("managed", []), ("required", ["no-signal"]), ("none", [])])
def test_modes_for_a_branch_that_nobody_claimed(watch: Watch, signal: str, expected: list[str]) -> None:
    """managed and none let it through, required wants the line from everybody."""
    watch.branch()
    watch.configure("ready", signal=signal)
    assert watch.codes() == expected


@pytest.mark.parametrize(
    ("signal", "expected"), [("managed", ["no-signal"]), ("required", ["no-signal"]), ("none", [])]
)
def test_modes_for_a_claimed_branch(watch: Watch, signal: str, expected: list[str]) -> None:
    """Only `none` lands an agent's work without its word."""
    watch.branch()
    watch.claim()
    watch.configure("ready", signal=signal)
    assert watch.codes() == expected


def test_under_actions_a_branch_without_a_visible_claim_needs_the_line(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runner cannot see local claims, so unknown is not yes."""
    watch.branch()
    watch.branch("roadmap-wt2", message=LINE)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert watch.codes() == ["no-signal"]
    assert watch.codes("roadmap-wt2") == []


def test_a_blocked_task_is_finished_again_by_a_signal(watch: Watch) -> None:
    """A person repairs the branch and says so."""
    watch.branch()
    watch.claim(ClaimState.BLOCKED, reason="conflict: x")
    assert watch.codes() == ["no-signal"]
    watch.branch(files={"more.py": "1\n"}, message=LINE)
    assert watch.codes() == []


def test_the_recorded_task_outweighs_the_subject(watch: Watch) -> None:
    """Who was told to do what is known; what a subject says is a guess."""
    watch.branch(message="feat: Implement US-9 - other")
    watch.claim()
    assert watch.candidate().task == "US-104"


# --- verdicts -------------------------------------------------------------------------------------


def test_gate_failed_at_this_commit_only(watch: Watch) -> None:
    """Red is remembered for the commit that was red, with its log; the next commit is judged afresh."""
    tip = watch.branch()
    blame(watch.project.repo, Blame(Sha(tip), Sha(tip), Sha(tip), "/logs/red.log"))
    (reason,) = watch.candidate().reasons
    assert reason.code.value == "gate-failed"
    assert "/logs/red.log" in reason.detail
    watch.branch(files={"repair.py": "1\n"})
    assert watch.codes() == []


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, ["review-pending"]),
        ("rejected", ["review-rejected"]),
        ("pending", ["review-pending"]),
        (7, ["review-pending"]),
        ("approved", []),
    ],
)
def test_review_of_this_commit(watch: Watch, verdict: object, expected: list[str]) -> None:
    """Only where a reviewer is configured, and only its word about this very commit."""
    tip = watch.branch()
    assert watch.codes() == []
    watch.configure("review", command=("true",))
    if verdict is not None:
        repo = watch.project.repo
        assert transact(repo, [Move(REVIEWS + tip, ABSENT, write_json(repo, {"verdict": verdict}))])
    assert watch.codes() == expected


def test_needs_human_for_protected_paths(watch: Watch) -> None:
    """Workflow files by default; also a single file, and a file that a branch removes."""
    watch.branch(files={".github/workflows/ci.yml": "on: push\n", "a.py": "1\n"})
    watch.branch("roadmap-wt2", {".gitignore": None})
    assert watch.codes() == ["needs-human"]
    assert watch.codes("roadmap-wt2") == []
    watch.configure("merge", protect=(".gitignore", "*.lock"))
    assert watch.codes() == []
    assert watch.codes("roadmap-wt2") == ["needs-human"]


# --- what is listed -------------------------------------------------------------------------------


def test_landed_branches_are_not_listed(watch: Watch, git: Git) -> None:
    """They only wait for their cleanup; a new commit brings a branch back."""
    tip = watch.branch()
    claim = watch.done()
    git(watch.box.work, "merge", "-q", "--no-ff", "--no-edit", "roadmap-wt1")
    watch.box.push()
    assert update(watch.project.repo, claim, state=ClaimState.LANDED, sha=Sha(tip))
    assert watch.listed == []
    watch.branch(files={"more.py": "1\n"})
    assert watch.codes() == ["no-signal"]


def test_a_landed_branch_of_a_person_is_not_listed(watch: Watch, git: Git) -> None:
    """Nobody claimed it: the landing record knows it."""
    tip = Sha(watch.branch())
    watch.branch("roadmap-wt2")
    git(watch.box.work, "merge", "-q", "--no-ff", "--no-edit", "roadmap-wt1")
    watch.box.push()
    assert watch.listed == ["roadmap-wt1", "roadmap-wt2"]
    repo = watch.project.repo
    landing = Landing("roadmap", tip, tip, tip, (Member(None, "roadmap-wt1", tip, tip),), (), "green", 0)
    who = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    assert transact(repo, [append(repo, landing, who)])
    assert watch.listed == ["roadmap-wt2"]


def test_a_claim_whose_branch_is_gone_is_not_listed(watch: Watch) -> None:
    """There is nothing to judge, and it must not stop the others."""
    watch.branch()
    watch.claim(branch="roadmap-wt9", task="US-105")
    assert watch.listed == ["roadmap-wt1"]


def test_only_the_named_branches(watch: Watch) -> None:
    """Names narrow what is looked at."""
    watch.branch()
    watch.branch("roadmap-wt2")
    assert [c.branch.name for c in watch.look("roadmap-wt2").candidates] == ["roadmap-wt2"]


def test_the_target_that_counts_is_the_remote_one(watch: Watch, git: Git) -> None:
    """A local target that lags behind does not make landed work look new."""
    watch.branch()
    before = git(watch.box.work, "rev-parse", "roadmap")
    git(watch.box.work, "merge", "-q", "--no-ff", "--no-edit", "roadmap-wt1")
    watch.box.push()
    git(watch.box.work, "reset", "-q", "--hard", before)
    assert watch.codes() == ["no-commits"]


def test_the_attributes_of_the_target_decide_here_as_in_a_landing(watch: Watch) -> None:
    """Two branches that add a line to a union file conflict neither with the target nor with each other."""
    watch.box.commit({".gitattributes": "log.txt merge=union\n", "log.txt": "start\n"})
    watch.box.push()
    for name in ("roadmap-wt1", "roadmap-wt2"):
        watch.branch(name, {"log.txt": f"start\n{name}\n"})
    watch.box.commit({"log.txt": "start\nother\n"})
    watch.box.push()
    found = watch.look()
    assert [(c.ready, c.conflicts) for c in found.candidates] == [(True, ()), (True, ())]
    assert [(o.paths, o.conflict) for o in found.overlaps] == [(("log.txt",), False)]
