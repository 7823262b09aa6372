"""What a killed spawn left: the decision as a table, and the states that killing at a step cannot make."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.spawn.claim import Job, claim_all
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.recover import Fate, Stranded, Tree, fate, recover
from coffee_hooks.state.claims import Claim, ClaimState, update
from coffee_hooks.state.graveyard import read_graves

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Lab

    Git = Callable[..., str]

BASE, WORK = Sha("a" * 40), Sha("b" * 40)
CLAIM = Claim(TaskId("US-104"), "roadmap-wt1", BASE, "me@here", 1, ClaimState.CLAIMED, None, None, 0)
BEGUN = Stranded(CLAIM, ours=True, busy=False, started=False, tip=BASE, tree=Tree.NONE)


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (BEGUN, Fate.GIVE_BACK),
        (replace(BEGUN, tree=Tree.THERE), Fate.CONTINUE),
        (replace(BEGUN, tree=Tree.THERE, tip=WORK), Fate.CONTINUE),
        (replace(BEGUN, tree=Tree.GONE), Fate.CONTINUE),
        (replace(BEGUN, tree=Tree.NONE, tip=WORK), Fate.CONTINUE),
        (replace(BEGUN, tree=Tree.HALF), Fate.GIVE_BACK),
        (replace(BEGUN, tree=Tree.HALF, tip=WORK), Fate.LEAVE),
        (replace(BEGUN, tree=Tree.STRAYED), Fate.FAIL),
        (replace(BEGUN, tree=Tree.STRAYED, tip=None), Fate.FAIL),
        (replace(BEGUN, tip=None), Fate.RELEASE),
        (replace(BEGUN, tip=None, tree=Tree.THERE), Fate.LEAVE),
    ],
)
def test_what_becomes_of_a_claim_without_an_agent(found: Stranded, what: Fate) -> None:
    """Given back only where nobody can have worked; else it goes on where it is."""
    assert fate(found) is what


@pytest.mark.parametrize("tree", Tree)
@pytest.mark.parametrize("tip", [None, BASE, WORK])
def test_what_is_not_ours_or_not_stranded_is_left_alone(tree: Tree, tip: Sha | None) -> None:
    """Another machine's claim, a living process, an attempt that had its agent, a finished task: hands off."""
    found = replace(BEGUN, tree=tree, tip=tip)
    others = [
        replace(found, ours=False),
        replace(found, busy=True),
        replace(found, started=True),
        *(replace(found, claim=replace(CLAIM, state=state)) for state in ClaimState if state is not ClaimState.CLAIMED),
    ]
    assert {fate(other) for other in others} == {Fate.LEAVE}


def claimed(lab: Lab, git: Git) -> Claim:
    """A claim whose process died before it made the worktree."""
    base = Sha(git(lab.work, "rev-parse", "roadmap"))
    with hold(lab.project.repo, "spawn") as proof:
        ((job,), _) = claim_all(lab.project, base, "docs/roadmap/ROADMAP.md", [TaskId("US-104")], proof)
    job.making.finish()
    return job.claim


def recovered(lab: Lab, most: int = 9) -> list[Claim]:
    """The claims that recovery wants to go on with; nobody goes on."""
    with hold(lab.project.repo, "spawn") as proof:
        jobs: tuple[Job, ...] = recover(lab.project, lab.store, most, proof)
    for job in jobs:
        job.making.finish()
    return [job.claim for job in jobs]


def test_a_claim_alone_is_given_back_with_its_branch(lab: Lab, git: Git) -> None:
    """Killed right after the claim: the task is free again and its number is not used twice."""
    claimed(lab, git)
    assert recovered(lab) == []
    assert (lab.claim().state, lab.branches()) == (ClaimState.RELEASED, set())
    assert lab.spawn("US-104").spawned[0].branch == "roadmap-wt2"


def test_a_claim_that_is_being_made_is_left_alone(lab: Lab, git: Git) -> None:
    """Another living spawn is at it, however long its setup takes."""
    claim = claimed(lab, git)
    making = take(lab.project.repo.state_dir, claim.branch)
    assert recovered(lab) == [] and lab.claim() == claim
    assert making is not None
    making.finish()


def test_a_worktree_without_agent_goes_on_with_what_is_in_it(lab: Lab, git: Git) -> None:
    """Somebody has worked in the stranded worktree meanwhile: his edits and commits are still there."""
    claim = claimed(lab, git)
    tree = lab.project.worktrees_root / "wt1"
    git(lab.work, "worktree", "add", "-q", str(tree), claim.branch)
    (tree / "edit").write_text("mine")
    git(tree, "commit", "-q", "--allow-empty", "-m", "mine")
    (spawned,) = lab.spawn("US-104").spawned
    lab.wait()
    assert (spawned.branch, spawned.worktree, spawned.attempt) == (claim.branch, tree, 1)
    assert (tree / "edit").read_text() == "mine"
    assert git(tree, "log", "--format=%s", "-2") == "feat: Do US-104\nmine"


def test_a_worktree_that_strayed_is_nobody_elses(lab: Lab, git: Git) -> None:
    """An agent went to a branch of its own, and its next attempt was killed before it began: no second worktree."""
    claim = claimed(lab, git)
    tree = lab.project.worktrees_root / "wt1"
    git(lab.work, "worktree", "add", "-q", str(tree), claim.branch)
    git(tree, "checkout", "-q", "-b", "topic")
    git(tree, "commit", "-q", "--allow-empty", "-m", "mine")
    assert recovered(lab) == []
    told = lab.claim()
    assert (told.state, told.reason) == (ClaimState.CLAIMED, "its worktree is not on roadmap-wt1 any more")
    assert recovered(lab) == [] and lab.claim() == told and (tree / ".git").exists()


def test_places_limit_what_goes_on(lab: Lab, git: Git) -> None:
    """With no free place a stranded worktree waits, untouched, for the next call."""
    claim = claimed(lab, git)
    git(lab.work, "worktree", "add", "-q", str(lab.project.worktrees_root / "wt1"), claim.branch)
    assert recovered(lab, most=0) == []
    assert lab.claim() == claim and lab.trees().keys() == {claim.branch}
    assert recovered(lab) == [claim]


@pytest.mark.parametrize("left", ["locked", "index"])
def test_a_half_made_worktree_is_made_anew(lab: Lab, git: Git, left: str) -> None:
    """git itself was killed while it made the worktree: what it left goes, and the task gets a whole one."""
    claim = claimed(lab, git)
    tree = lab.project.worktrees_root / "wt1"
    git(lab.work, "worktree", "add", "-q", str(tree), claim.branch)
    admin = lab.work / ".git/worktrees/wt1"
    if left == "locked":
        (admin / "locked").write_text("initializing\n")
    else:
        (admin / "index").rename(admin / "index.lock")
    (tree / "pkg/alpha.py").unlink()
    (spawned,) = lab.spawn("US-104").spawned
    assert spawned.branch == "roadmap-wt2" and not tree.exists() and not admin.exists()
    assert (spawned.worktree / "pkg/alpha.py").is_file()


def test_a_folder_that_is_gone_comes_back_with_what_was_staged(lab: Lab, git: Git) -> None:
    """The worktree's folder was deleted before its agent ever started: it is made again from its own index."""
    claim = claimed(lab, git)
    tree = lab.project.worktrees_root / "wt1"
    git(lab.work, "worktree", "add", "-q", str(tree), claim.branch)
    (tree / "staged").write_text("precious")
    git(tree, "add", "staged")
    subprocess.run(["rm", "-rf", str(tree)], check=True)
    lab.agent = "cat staged"
    lab.spawn("US-104")
    lab.wait()
    assert "precious" in lab.log()


def test_a_deleted_branch_frees_the_task(lab: Lab, git: Git) -> None:
    """A person deleted the branch of a claim that never began: the claim is released, not stuck for ever."""
    claim = claimed(lab, git)
    git(lab.work, "branch", "-qD", claim.branch)
    assert recovered(lab) == [] and lab.claim().state is ClaimState.RELEASED


def test_after_the_database_was_deleted_nothing_is_started_twice(lab: Lab) -> None:
    """The record of a living agent is gone; its supervisor's lock still says that it is at work."""
    lab.agent = "while [ ! -e go ]; do sleep 0.05; done"
    lab.spawn("US-104")
    tree = Path(lab.run().worktree)
    lab.store.write("DELETE FROM agent_runs")
    assert recovered(lab) == []
    assert lab.skipped("US-104") == [("US-104", "claimed")]
    (tree / "go").touch()


def test_a_task_that_a_person_stopped_stays_stopped(lab: Lab) -> None:
    """Without the database the claim itself remembers that it was cancelled."""
    update_to = {"reason": "cancelled"}
    lab.agent = "sleep 60"
    lab.spawn("US-104")
    lab.end_all()
    assert update(lab.project.repo, lab.claim(), **update_to) is not None
    lab.store.write("DELETE FROM agent_runs")
    assert recovered(lab) == []


def test_recovery_buries_nothing_and_needs_no_graveyard(lab: Lab, git: Git) -> None:
    """What is given back had no commit of its own, so nothing has to be parked."""
    claimed(lab, git)
    recovered(lab)
    assert read_graves(lab.project.repo) == ()
