"""The branch of a commit, read from real repositories without git and compared with git's own answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.guard.cfr_013 import CFR013ViolationError
from coffee_hooks.guard.head import check_head, event_branch, find_git_dir, operation_branch, read_head

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]


@pytest.mark.parametrize(
    "branch", ["roadmap-wt1", "main", "a/b", "roadmap-$(x)", "-x", "caf\u00e9 & co".replace(" ", "")]
)
def test_head_is_what_git_says(sandbox: Sandbox, git: Git, tmp_path: Path, branch: str) -> None:
    """In the main checkout, a folder of it and a linked worktree with an odd path, HEAD is read as git reads it."""
    linked = tmp_path / "linked \u00e9 tree"
    git(sandbox.work, "update-ref", f"refs/heads/{branch}", "HEAD")
    git(sandbox.work, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    git(sandbox.work, "worktree", "add", "-q", "--detach", str(linked))
    git(linked, "symbolic-ref", "HEAD", "refs/heads/roadmap-linked")
    for place in (sandbox.work, sandbox.work / "pkg", linked, linked / "pkg"):
        git_dir = find_git_dir({}, str(place))
        assert git_dir is not None
        assert read_head(git_dir) == git(place, "symbolic-ref", "HEAD")
    assert find_git_dir({"GIT_DIR": ".git"}, str(sandbox.work)) == str(sandbox.work / ".git")


def test_a_relative_gitdir_link_is_followed(sandbox: Sandbox, git: Git, tmp_path: Path) -> None:
    """A worktree whose .git file holds a relative path (git 2.48 and submodules) is read all the same."""
    linked = tmp_path / "linked"
    git(sandbox.work, "worktree", "add", "-q", str(linked), "-b", "roadmap-linked")
    (linked / ".git").write_text(f"gitdir: ../{sandbox.work.relative_to(tmp_path)}/.git/worktrees/linked\n")
    found = find_git_dir({}, str(linked))
    assert found is not None
    assert read_head(found) == git(linked, "symbolic-ref", "HEAD") == "refs/heads/roadmap-linked"


@pytest.mark.parametrize(
    "head", ["ref: refs/heads/.invalid\n", "ref: roadmap\n", "ref: refs/remotes/origin/roadmap\n", "", "junk\n", None]
)
def test_an_odd_head_is_left_to_git(tmp_path: Path, head: str | None) -> None:
    """A reftable stub, a name that is no branch, and no HEAD at all are never guessed at."""
    if head is not None:
        (tmp_path / "HEAD").write_text(head)
    assert read_head(str(tmp_path)) is None


def test_a_linked_head_is_left_to_git(sandbox: Sandbox, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """HEAD as a symbolic link (very old repositories): git answers, and its answer is judged."""
    head = sandbox.work / ".git" / "HEAD"
    head.unlink()
    head.symlink_to("refs/heads/main")
    git(sandbox.work, "branch", "-f", "main", "roadmap")
    monkeypatch.chdir(sandbox.work)
    assert read_head(str(sandbox.work / ".git")) is None
    with pytest.raises(CFR013ViolationError, match="branch main"):
        check_head("roadmap", {})


def test_ceilings_are_left_to_git(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where GIT_CEILING_DIRECTORIES may stop the search, git searches."""
    assert find_git_dir({"GIT_CEILING_DIRECTORIES": "/somewhere"}, str(sandbox.work)) is None
    monkeypatch.chdir(sandbox.work)
    check_head("roadmap", {"GIT_CEILING_DIRECTORIES": "/somewhere"})


def test_no_repository_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a repository nothing is judged: exit 2 and git's own words."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        check_head("roadmap", {})
    assert caught.value.detail.startswith("fatal: not a git repository")


@pytest.mark.parametrize(
    ("name", "text", "branch"),
    [
        ("rebase-merge/head-name", "refs/heads/roadmap-wt1\n", "roadmap-wt1"),
        ("rebase-apply/head-name", "refs/heads/main\n", "main"),
        ("rebase-merge/head-name", "detached HEAD\n", None),
        ("BISECT_START", "roadmap-wt1\n", "roadmap-wt1"),
        ("BISECT_START", "a" * 40 + "\n", None),
        ("MERGE_HEAD", "a" * 40 + "\n", None),
        ("CHERRY_PICK_HEAD", "a" * 40 + "\n", None),
    ],
)
def test_an_operation_names_its_branch(tmp_path: Path, name: str, text: str, branch: str | None) -> None:
    """A rebase or bisect knows where it came from, unless that was detached too; a pick or merge does not."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert operation_branch(str(tmp_path)) == branch


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({"GITHUB_REF_NAME": "roadmap", "GITHUB_REF_TYPE": "branch"}, "roadmap"),
        ({"GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "roadmap-wt1"}, "roadmap-wt1"),
        ({"GITHUB_REF_NAME": "roadmap", "GITHUB_HEAD_REF": ""}, "roadmap"),
        ({"GITHUB_REF_NAME": "roadmap-1.0", "GITHUB_REF_TYPE": "tag"}, None),
        ({"CI_COMMIT_BRANCH": "roadmap-wt1"}, "roadmap-wt1"),
        ({"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature", "CI_COMMIT_BRANCH": "roadmap"}, "feature"),
        ({}, None),
    ],
)
def test_the_event_names_the_branch_of_a_job(environ: dict[str, str], branch: str | None) -> None:
    """In CI the branch is the event's: the source of a pull request first, and never a tag's name."""
    assert event_branch(environ) == branch


@pytest.mark.parametrize(("event", "passes"), [("roadmap-wt1", True), ("feature", False), ("", False)])
def test_a_detached_job_is_judged_by_its_event(
    sandbox: Sandbox, git: Git, monkeypatch: pytest.MonkeyPatch, event: str, passes: bool
) -> None:
    """CI checks out a detached HEAD: the event decides there, and without one the commit is refused."""
    git(sandbox.work, "switch", "-q", "--detach")
    monkeypatch.chdir(sandbox.work)
    if passes:
        check_head("roadmap", {"GITHUB_REF_NAME": event})
    else:
        with pytest.raises(CFR013ViolationError):
            check_head("roadmap", {"GITHUB_REF_NAME": event})


def test_the_event_does_not_excuse_a_branch(sandbox: Sandbox, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a branch HEAD decides, whatever the event says: the commit goes where HEAD points."""
    git(sandbox.work, "switch", "-q", "-c", "feature")
    monkeypatch.chdir(sandbox.work)
    with pytest.raises(CFR013ViolationError, match="branch feature"):
        check_head("roadmap", {"GITHUB_REF_NAME": "roadmap"})
