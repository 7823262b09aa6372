"""Which commit of the target counts, over a real remote."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, open_project, require_identity, require_target
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import Target, is_ancestor, read_target

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    """The sandbox as a project with its remote ``origin``."""
    return open_project(sandbox.work)


def test_equal_ahead_behind_and_diverged(project: Project, sandbox: Sandbox, git: Git) -> None:
    """The remote's target counts; the local one where it is strictly ahead; diverged is an error with a way out."""
    start = Sha(git(sandbox.work, "rev-parse", "roadmap"))
    assert read_target(project) == Target(start, start, start)
    ours = Sha(sandbox.commit({"x": "ours\n"}))
    ahead = read_target(project)
    assert (ahead, ahead.unpushed) == (Target(ours, ours, start), True)
    sandbox.push("roadmap")
    git(sandbox.work, "reset", "-q", "--hard", start)
    behind = read_target(project)
    assert (behind, behind.unpushed) == (Target(ours, start, ours), False)
    assert is_ancestor(project.repo, start, ours) and not is_ancestor(project.repo, ours, start)
    sandbox.commit({"y": "theirs\n"})
    with pytest.raises(UsageError, match="diverged") as failed:
        read_target(project)
    assert "rebase" in failed.value.hint


def test_a_target_on_one_side_only(project: Project, sandbox: Sandbox, git: Git) -> None:
    """Only local, only remote: that one counts. Nowhere: exit 2, however similar another name is."""
    start = Sha(git(sandbox.work, "rev-parse", "roadmap"))
    git(sandbox.work, "update-ref", "-d", "refs/remotes/origin/roadmap")
    assert read_target(project) == Target(start, start, None)
    git(sandbox.work, "update-ref", "refs/remotes/origin/roadmap", start)
    git(sandbox.work, "checkout", "-q", "--detach")
    git(sandbox.work, "branch", "-q", "-D", "roadmap")
    assert read_target(project) == Target(start, None, start)
    assert require_target(project) == start
    git(sandbox.work, "update-ref", "-d", "refs/remotes/origin/roadmap")
    git(sandbox.work, "update-ref", "refs/heads/refs/heads/roadmap", start)
    for ask in (read_target, require_target):
        with pytest.raises(UsageError, match="there is no branch roadmap"):
            ask(project)


def test_fetch_brings_what_decides(project: Project, sandbox: Sandbox, git: Git) -> None:
    """Target, work branches and landing record arrive; what is gone goes; tags and other branches stay away."""
    start = Sha(git(sandbox.work, "rev-parse", "roadmap"))
    git(sandbox.work, "update-ref", "refs/remotes/origin/roadmap-gone", start)
    git(sandbox.work, "update-ref", "refs/remotes/origin/mine", start)
    tip = git(sandbox.origin, "commit-tree", "-p", start, "-m", "x", f"{start}^{{tree}}")
    names = ("refs/heads/roadmap", "refs/heads/roadmap-wt1", "refs/heads/side", "refs/coffee/landings", "refs/tags/v1")
    for name in names:
        git(sandbox.origin, "update-ref", name, tip)
    fetch(project)
    seen = sandbox.refs()
    assert seen["refs/remotes/origin/roadmap"] == seen["refs/remotes/origin/roadmap-wt1"] == tip
    assert seen["refs/coffee-remote/origin/landings"] == tip
    assert seen["refs/heads/roadmap"] == seen["refs/remotes/origin/mine"] == start
    assert not {"refs/remotes/origin/roadmap-gone", "refs/remotes/origin/side", "refs/tags/v1"} & seen.keys()
    assert not (project.repo.common_dir / "FETCH_HEAD").exists()


def test_fetch_ignores_what_the_user_fetches(project: Project, sandbox: Sandbox, git: Git) -> None:
    """Another refspec, ``tagOpt`` and a mirror setting of the user do not change what arrives, nor prune a branch."""
    for key, value in (
        ("remote.origin.fetch", "+refs/heads/main:refs/heads/stolen"),
        ("remote.origin.tagOpt", "--tags"),
        ("remote.origin.mirror", "true"),
        ("remote.origin.prune", "true"),
        ("fetch.recurseSubmodules", "true"),
    ):
        git(sandbox.work, "config", key, value)
    before = sandbox.refs("refs/heads")
    git(sandbox.origin, "tag", "v1", "roadmap")
    fetch(project)
    assert sandbox.refs("refs/heads") == before
    assert not sandbox.refs("refs/tags")


def test_a_remote_that_is_gone_is_the_environments_fault(project: Project, sandbox: Sandbox) -> None:
    """Exit 4 with git's own words, and nothing here has changed."""
    before = sandbox.refs()
    sandbox.origin.rename(sandbox.origin.with_name("moved.git"))
    with pytest.raises(EnvironmentFailure, match="origin cannot be read") as failed:
        fetch(project)
    assert "origin.git" in failed.value.detail
    assert sandbox.refs() == before


def test_the_identity_is_the_users_or_ours(project: Project, git: Git, hermetic: object) -> None:
    """Author and committer are the user; without a user, a name that says whose commits these are."""
    named = require_identity(project.repo)
    assert (named["GIT_AUTHOR_NAME"], named["GIT_COMMITTER_EMAIL"]) == ("Dev Eloper", "dev@example.invalid")
    git(project.repo.top, "config", "user.name", "caf\udce9 O'Neill")
    assert require_identity(project.repo)["GIT_AUTHOR_NAME"] == "caf\udce9 O'Neill"
    for key in ("user.name", "user.email"):
        git(project.repo.top, "config", key, "")
    git(project.repo.top, "config", "user.useConfigOnly", "true")
    assert set(require_identity(project.repo).values()) == {"coffee", "coffee@localhost"}
    assert hermetic
