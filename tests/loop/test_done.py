"""``coffee done``: what it accepts, what it refuses, and what it records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

import coffee_hooks
from coffee_hooks.base.errors import CoffeeError, RuleError, UsageError
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.guard.cfr_013 import CFR013ViolationError
from coffee_hooks.loop.done import Finished, declare_done
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState, moved, read_claims, update

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
TASK = TaskId("US-104")


@pytest.fixture
def tree(sandbox: Sandbox, git: Git) -> Path:
    """A worktree on the claimed branch ``roadmap-wt1`` without a commit of its own."""
    path = sandbox.work.parent / "wt1"
    git(sandbox.work, "worktree", "add", "-q", "-b", "roadmap-wt1", str(path), "roadmap")
    claim = Claim(
        TASK, "roadmap-wt1", Sha(git(path, "rev-parse", "HEAD")), "me@here", 1, ClaimState.CLAIMED, None, None, 0
    )
    assert transact(open_project(path).repo, [moved(open_project(path).repo, claim)[1]])
    return path


def claim_of(tree: Path) -> Claim:
    """The claim on US-104 as it is now."""
    return read_claims(open_project(tree).repo)[TASK]


def test_head_is_recorded_with_the_message(sandbox: Sandbox, tree: Path) -> None:
    """The claim is done at exactly this commit, with the word for whoever lands it on one line."""
    tip = sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    assert declare_done(tree, "two\nlines") == Finished(TASK, Sha("roadmap-wt1"), Sha(tip))
    claim = claim_of(tree)
    assert (claim.state, claim.sha, claim.reason) == (ClaimState.DONE, tip, "two lines")


def test_twice_is_once_and_later_commits_count(sandbox: Sandbox, tree: Path) -> None:
    """Saying it again is fine; after another commit it moves to that commit."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    assert declare_done(tree, None) == declare_done(tree, None)
    tip = sandbox.commit({"new.py": "x = 2\n"}, cwd=tree)
    assert declare_done(tree, None).sha == claim_of(tree).sha == tip


@pytest.mark.parametrize("how", ["edited", "staged", "untracked"])
def test_uncommitted_work_is_refused(sandbox: Sandbox, tree: Path, git: Git, how: str) -> None:
    """No completion while dirty (digitaldrywood/detent#2147): the files are named, the claim stays as it was."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    name = "odd\nname.py" if how == "untracked" else "new.py"
    (tree / name).write_text("changed")
    if how == "staged":
        git(tree, "add", "-A")
    with pytest.raises(RuleError, match=r"not committed yet: .*\.py") as refused:
        declare_done(tree, None)
    assert "\n" not in refused.value.what
    assert claim_of(tree).state is ClaimState.CLAIMED


def test_ignored_files_do_not_matter(sandbox: Sandbox, tree: Path) -> None:
    """A .env and caches are no work."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    (tree / ".env").write_text("x")
    assert declare_done(tree, None).task == TASK


def test_nothing_committed_is_refused(tree: Path) -> None:
    """A zero-diff end is not done (hurttlocker/o8#1103)."""
    with pytest.raises(RuleError, match="no commits of its own"):
        declare_done(tree, None)


def test_an_unfinished_merge_is_refused(sandbox: Sandbox, tree: Path, git: Git) -> None:
    """A merge that was stopped before its commit is named, not taken for a clean tree."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    sandbox.commit({"other.py": "x = 1\n"})
    git(tree, "merge", "-q", "--no-ff", "--no-commit", "roadmap")
    with pytest.raises(RuleError, match="a merge is not finished here"):
        declare_done(tree, None)


def test_a_detached_head_is_refused(sandbox: Sandbox, tree: Path, git: Git) -> None:
    """Detached, also in the middle of a rebase: exit 2."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    git(tree, "switch", "-q", "--detach")
    with pytest.raises(UsageError, match="detached"):
        declare_done(tree, None)


def test_the_target_is_no_task(sandbox: Sandbox) -> None:
    """On roadmap itself it says where to run it."""
    with pytest.raises(UsageError, match="not the branch of a task"):
        declare_done(sandbox.work, None)


def test_a_foreign_branch_is_refused(tree: Path, git: Git) -> None:
    """CFR-013 holds here too."""
    git(tree, "switch", "-qc", "feature")
    with pytest.raises(CFR013ViolationError):
        declare_done(tree, None)


def test_a_branch_that_nobody_claimed_is_answered_without_a_task(sandbox: Sandbox, tree: Path, git: Git) -> None:
    """A person's own roadmap-* branch: the commit is named, no claim is made."""
    git(tree, "switch", "-qc", "roadmap-mine")
    tip = sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    assert declare_done(tree, None) == Finished(None, Sha("roadmap-mine"), Sha(tip))
    assert claim_of(tree).state is ClaimState.CLAIMED


@pytest.mark.parametrize("state", [ClaimState.BLOCKED, ClaimState.LANDED, ClaimState.REVERTED, ClaimState.DONE])
def test_a_person_may_finish_what_stood_still(sandbox: Sandbox, tree: Path, state: ClaimState) -> None:
    """Blocked, reverted, or landed and then worked on again: new commits make it done."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    assert update(open_project(tree).repo, claim_of(tree), state=state) is not None
    declare_done(tree, None)
    assert claim_of(tree).state is ClaimState.DONE


def test_a_task_that_was_given_back_is_refused(sandbox: Sandbox, tree: Path) -> None:
    """Whoever has the task now works on another branch: this one does not bring the old claim back."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    assert update(open_project(tree).repo, claim_of(tree), state=ClaimState.RELEASED) is not None
    with pytest.raises(RuleError, match="given back"):
        declare_done(tree, None)


def test_a_claim_that_changes_meanwhile_is_read_again(
    sandbox: Sandbox, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor writes at the same moment: done is not lost, and both changes are there."""
    tip = sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    real, calls = claims_.update, []

    def beaten(repo: object, claim: Claim, **changes: object) -> Claim | None:
        calls.append(claim)
        if len(calls) == 1:
            real(repo, claim, attempt=2)  # type: ignore[arg-type]
        return real(repo, claim, **changes)  # type: ignore[arg-type]

    monkeypatch.setattr(claims_, "update", beaten)
    declare_done(tree, None)
    assert (claim_of(tree).state, claim_of(tree).sha, claim_of(tree).attempt) == (ClaimState.DONE, tip, 2)


def test_a_claim_that_never_stands_still_is_said(sandbox: Sandbox, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not go on for ever."""
    sandbox.commit({"new.py": "x = 1\n"}, cwd=tree)
    monkeypatch.setattr(claims_, "update", lambda *_, **__: None)
    with pytest.raises(CoffeeError, match="changes all the time"):
        declare_done(tree, None)


def test_the_command_works_from_a_subfolder_and_with_dash_c(sandbox: Sandbox, tree: Path) -> None:
    """The worktree around the given folder counts, and the answer follows its schema."""
    tip = sandbox.commit({"new/new.py": "x = 1\n"}, cwd=tree)
    schema = json.loads((Path(coffee_hooks.__file__).parent / "schemas/done.json").read_text())
    for args, cwd in (((), tree / "new"), (("-C", str(tree / "new")), sandbox.work)):
        done = sandbox.coffee(*args, "--json", "done", cwd=cwd)
        jsonschema.Draft202012Validator(schema).validate(done.json)
        assert (done.rc, done.json["task"], done.json["branch"], done.json["sha"]) == (0, TASK, "roadmap-wt1", tip)


def test_exit_codes_are_those_of_the_contract(sandbox: Sandbox, tree: Path) -> None:
    """1 when the answer is no, 2 where it is the wrong place; one line and a hint each."""
    for cwd, code in ((tree, 1), (sandbox.work, 2)):
        done = sandbox.coffee("done", cwd=cwd)
        assert (done.rc, done.out) == (code, "")
        assert [line.split(":")[0] for line in done.err.splitlines()] == ["error", "hint"]
