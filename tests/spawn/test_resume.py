"""Another attempt in the same worktree: nothing is lost, and a change by somebody else stops it."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.config import Worktrees
from coffee_hooks.base.errors import CoffeeError, RuleError, UsageError
from coffee_hooks.base.project import Project
from coffee_hooks.spawn.crew import Crew
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.report import Spawned
from coffee_hooks.spawn.resume import resume
from coffee_hooks.spawn.worktree import WorktreeFailed
from coffee_hooks.state.agents import EndReason
from coffee_hooks.state.claims import Claim, ClaimState, update
from coffee_hooks.state.graveyard import read_graves
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Lab

    Git = Callable[..., str]

COMMIT = "date +%N >> n; git add n; git commit -qm 'feat: N'"


def again(lab: Lab, claim: Claim | None = None, project: Project | None = None) -> Spawned:
    """Resume US-104 with the lab's agent, from a connection of its own."""
    project = project or lab.project
    command = project.config.agent.command
    assert isinstance(command, tuple)
    claim = claim or lab.claim()
    work = Assignment(claim.task, "Feature X", "Do it.", None, "", "It was red.")
    with open_store(project.repo.state_dir) as store:
        return resume(project, store, claim, work, Crew("sh", project.config.agent, command))


def failed_once(lab: Lab) -> Claim:
    """US-104 after an attempt that committed, left a file uncommitted and failed."""
    lab.agent = f"{COMMIT}; echo draft > draft; exit 1"
    lab.spawn("US-104")
    lab.wait()
    return lab.claim()


def test_the_next_attempt_goes_on_in_the_same_tree(lab: Lab, git: Git) -> None:
    """After a restart 520 uncommitted lines had no record (trusty-tools#6889): commits and drafts are all there."""
    before = failed_once(lab)
    lab.agent = f'cat "$COFFEE_PROMPT_FILE" draft; {COMMIT}'
    spawned = again(lab)
    lab.wait()
    assert (spawned.branch, spawned.attempt, lab.run().attempt) == (before.branch, 2, 2)
    assert "draft\n" in lab.log() and "It was red." in lab.log() and "--- attempt 2" in lab.log()
    assert lab.claim().state is ClaimState.DONE
    assert git(lab.work, "rev-list", "--count", f"{before.base}..{before.branch}") == "2"


def test_commits_are_salvaged_first_and_once(lab: Lab, git: Git) -> None:
    """The tip before an attempt is parked; resuming twice at the same tip parks it once."""
    tip = git(lab.work, "rev-parse", failed_once(lab).branch)
    lab.agent = "exit 1"
    for _ in range(2):
        again(lab)
        lab.wait()
    assert [grave.tip for grave in read_graves(lab.project.repo)] == [tip]


def test_a_finished_branch_that_came_back_needs_new_commits(lab: Lab) -> None:
    """A red branch whose agent does nothing and says 0 is not done again at the same SHA."""
    lab.agent = COMMIT
    lab.spawn("US-104")
    lab.wait()
    lab.agent = "exit 0"
    again(lab)
    lab.wait()
    assert lab.run().reason is EndReason.FAILED and "no-commits" in (lab.claim().reason or "")
    again(lab)
    lab.wait()
    assert lab.claim().state is ClaimState.DONE, "after a crash the earlier commits may be all there is to do"


def test_a_running_agent_is_not_doubled(lab: Lab) -> None:
    """Resume of a task whose agent is alive is refused, whatever the database says about it."""
    lab.agent = "sleep 60"
    lab.spawn("US-104")
    with pytest.raises(RuleError, match="still at work"):
        again(lab)
    lab.store.write("DELETE FROM agent_runs")
    with pytest.raises(RuleError, match="still at work"):
        again(lab)


def test_two_at_once_start_one_agent(lab: Lab) -> None:
    """Two people resume at the same moment: one agent, and the other is told why not."""
    failed_once(lab)
    lab.agent = "sleep 60"
    claim, project = lab.claim(), lab.project

    def one(_: int) -> Spawned | CoffeeError:
        try:
            return again(lab, claim, project)
        except CoffeeError as refused:
            return refused

    with ThreadPoolExecutor(max_workers=2) as pool:
        ends = list(pool.map(one, range(2)))
    assert sorted(type(end).__name__ for end in ends) == ["RuleError", "Spawned"]


def test_a_changed_claim_is_refused(lab: Lab) -> None:
    """Somebody landed or took the task since it was read: nothing is started."""
    old = failed_once(lab)
    assert update(lab.project.repo, old, state=ClaimState.LANDED) is not None
    with pytest.raises(RuleError, match="somebody else changed the claim"):
        again(lab, old)
    assert lab.claim().state is ClaimState.LANDED


def test_a_folder_that_is_gone_is_made_again(lab: Lab, git: Git) -> None:
    """Worktrees under a folder that is wiped vanish (gastown PR#3203): commits and staged files come back."""
    claim = failed_once(lab)
    tree = Path(lab.run().worktree)
    (lab.work / ".env").write_text("KEY=1")
    git(tree, "add", "draft")
    shutil.rmtree(tree)
    lab.agent = f"cat draft .env; {COMMIT}"
    again(lab)
    lab.wait()
    assert "draft\nKEY=1" in lab.log() and lab.claim().state is ClaimState.DONE
    assert git(lab.work, "rev-list", "--count", f"{claim.base}..{claim.branch}") == "2"


def test_a_worktree_that_git_forgot_is_made_again(lab: Lab, git: Git) -> None:
    """Folder and entry are both gone: the branch is checked out anew at its place."""
    claim = failed_once(lab)
    git(lab.work, "worktree", "remove", "--force", str(lab.run().worktree))
    lab.agent = COMMIT
    assert again(lab).worktree == lab.project.worktrees_root / "wt1"
    lab.wait()
    assert git(lab.work, "rev-list", "--count", f"{claim.base}..{claim.branch}") == "2"


def test_a_locked_worktree_that_is_away_is_not_replaced(lab: Lab, git: Git) -> None:
    """Its disk may only be unmounted: refused with what to do, and the claim is as it was."""
    claim = failed_once(lab)
    git(lab.work, "worktree", "lock", str(lab.run().worktree))
    shutil.rmtree(lab.run().worktree)
    with pytest.raises(RuleError, match="locked and not there"):
        again(lab)
    assert replace(lab.claim(), nonce="", blob=claim.blob) == replace(claim, nonce="")


def test_a_branch_that_is_gone_is_a_usage_error(lab: Lab, git: Git) -> None:
    """There is nothing to go on with; the hint names the command that may bring it back."""
    claim = failed_once(lab)
    git(lab.work, "worktree", "remove", "--force", str(lab.run().worktree))
    git(lab.work, "branch", "-qD", claim.branch)
    with pytest.raises(UsageError) as refused:
        again(lab)
    assert refused.value.hint == "coffee restore roadmap-wt1"


def test_a_worktree_on_another_branch_is_not_worked_in(lab: Lab, git: Git) -> None:
    """CFR-013 before an agent starts: HEAD was moved to main, so no agent is started there."""
    claim = failed_once(lab)
    git(Path(lab.run().worktree), "switch", "-q", "--force", "main")
    with pytest.raises(CoffeeError):
        again(lab)
    assert (lab.claim().state, lab.claim().attempt) == (claim.state, claim.attempt)


def test_an_attempt_that_cannot_start_leaves_the_claim_as_it_was(lab: Lab) -> None:
    """Setup fails on resume: state, attempt and SHA of the claim are those from before, and the tree stays."""
    lab.agent = COMMIT
    lab.spawn("US-104")
    lab.wait()
    before, tree = lab.claim(), Path(lab.run().worktree)
    lab.worktrees = Worktrees(setup=("false",))
    with pytest.raises(WorktreeFailed):
        again(lab)
    after = lab.claim()
    assert (after.state, after.attempt, after.sha) == (before.state, before.attempt, before.sha)
    assert (tree / "n").is_file()
