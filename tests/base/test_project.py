"""Opening a project: which file configures it, which remote it works with, and why it cannot be opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, UsageError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import config_at, open_project, require_target

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]


def specs(where: Path) -> str:
    """The ``specs`` of the configuration that counts: each file of these tests names its own."""
    return open_project(where).config.specs


def written(text: str) -> dict[str, str]:
    return {".coffee.yaml": text}


def test_the_targets_committed_file_counts(sandbox: Sandbox, git: Git) -> None:
    """Not the edit in the checkout, and not the file of the branch that is checked out."""
    sandbox.commit(written("specs: committed\n"))
    (sandbox.work / ".coffee.yaml").write_text("specs: edited\n")
    assert specs(sandbox.work) == "committed"
    git(sandbox.work, "checkout", "-q", "-f", "-b", "roadmap-wt1")
    sandbox.commit(written("specs: branch\ngate: {command: ['true']}\n"))
    assert specs(sandbox.work) == "committed"
    assert config_at(open_project(sandbox.work).repo, Sha(git(sandbox.work, "rev-parse", "HEAD"))) is not None


def test_the_checkouts_file_counts_while_the_target_has_none(
    repo: Repo, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said aloud; from a linked worktree it is still the main checkout's file."""
    assert open_project(repo.top).config == Config()
    (repo.main / ".coffee.yaml").write_text("specs: checkout\n")
    git(repo.top, "worktree", "add", "-q", str(repo.top.parent / "linked"), "-b", "roadmap-wt1")
    (repo.top.parent / "linked/.coffee.yaml").write_text("specs: linked\n")
    assert specs(repo.top.parent / "linked") == "checkout"
    assert "read from the checkout" in capfd.readouterr().err


def test_a_branch_that_is_judged_never_brings_its_own_rules(
    repo: Repo, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    """While the target has no file, that of a work branch in the main checkout does not count either."""
    git(repo.top, "switch", "-q", "-c", "roadmap-wt1")
    (repo.top / ".coffee.yaml").write_text("specs: theirs\n")
    assert open_project(repo.top).config == Config()
    assert "belongs to roadmap-wt1" in capfd.readouterr().err


def test_another_target_by_file_and_by_environment(repo: Repo, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the target comes from the file or the environment, and its own committed file counts."""
    git(repo.top, "branch", "-m", "roadmap", "trunk")
    (repo.top / ".coffee.yaml").write_text("target: trunk\nspecs: checkout\n")
    assert (open_project(repo.top).config.target, specs(repo.top)) == ("trunk", "checkout")
    git(repo.top, "add", ".coffee.yaml")
    git(repo.top, "commit", "-q", "-m", "x")
    (repo.top / ".coffee.yaml").write_text("target: trunk\nspecs: edited\n")
    assert specs(repo.top) == "checkout"
    git(repo.top, "checkout", "-q", "-f", "--orphan", "other")
    git(repo.top, "rm", "-q", "-r", "-f", ".")
    assert open_project(repo.top).config == Config()
    monkeypatch.setenv("COFFEE_TARGET", "trunk")
    assert (open_project(repo.top).config.target, specs(repo.top)) == ("trunk", "checkout")
    monkeypatch.setenv("COFFEE_TARGET", "nosuch")
    assert open_project(repo.top).target_ref == "refs/heads/nosuch"


def test_roadmap_may_point_to_the_real_target_once(repo: Repo, git: Git) -> None:
    """roadmap names main: main's file counts. If that one names a third, somebody must decide."""
    (repo.top / ".coffee.yaml").write_text("target: main\nspecs: roadmap\n")
    git(repo.top, "add", ".coffee.yaml")
    git(repo.top, "commit", "-q", "-m", "x")
    git(repo.top, "switch", "-q", "-c", "main")
    (repo.top / ".coffee.yaml").write_text("target: main\nspecs: main\n")
    git(repo.top, "commit", "-q", "-a", "-m", "x")
    assert (open_project(repo.top).config.target, specs(repo.top)) == ("main", "main")
    (repo.top / ".coffee.yaml").write_text("target: roadmap\n")
    git(repo.top, "commit", "-q", "-a", "-m", "x")
    with pytest.raises(UsageError, match=r"of main names another target, roadmap"):
        open_project(repo.top)


def test_a_target_that_only_the_remote_has(sandbox: Sandbox, git: Git) -> None:
    """Its file is read from there; that of some other remote, which nobody chose, is not."""
    sandbox.commit(written("specs: origin\n"))
    sandbox.push()
    git(sandbox.work, "checkout", "-q", "--detach")
    git(sandbox.work, "branch", "-q", "-D", "roadmap")
    assert specs(sandbox.work) == "origin"
    tip = git(sandbox.work, "rev-parse", "origin/roadmap")
    git(sandbox.work, "remote", "rename", "origin", "fork")
    git(sandbox.work, "rm", "-q", ".coffee.yaml")
    assert git(sandbox.work, "rev-parse", "fork/roadmap") == tip
    assert open_project(sandbox.work).config == Config()


@pytest.mark.parametrize(
    ("config", "remotes", "chosen"),
    [
        ("", [], None),
        ("", ["origin", "fork"], "origin"),
        ("", ["fork"], None),
        ("remote: fork\n", ["origin", "fork"], "fork"),
        ("remote: null\n", ["origin"], None),
        ("remote: fork\n", ["origin"], UsageError),
    ],
)
def test_the_remote(repo: Repo, git: Git, config: str, remotes: list[str], chosen: object) -> None:
    """origin if it exists, the one that is named, none if none is wanted; a name without a remote is an error."""
    for name in remotes:
        git(repo.top, "remote", "add", name, "https://example.invalid/x")
    (repo.top / ".coffee.yaml").write_text(config)
    if chosen is UsageError:
        with pytest.raises(UsageError, match="there is no remote 'fork'"):
            open_project(repo.top)
    else:
        project = open_project(repo.top)
        assert project.remote == chosen
        assert project.remote_ref == (f"refs/remotes/{chosen}/roadmap" if chosen else None)


def test_no_commit_and_no_target(git: Git, tmp_path: Path) -> None:
    """Without a commit there is nothing to start from (exit 4); without the branch, init makes it (exit 2)."""
    git(tmp_path, "init", "-q", "-b", "main")
    project = open_project(tmp_path)
    with pytest.raises(EnvironmentFailure, match="no commits") as failed:
        require_target(project)
    assert failed.value.exit_code == 4
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(UsageError, match="there is no branch roadmap") as refused:
        require_target(project)
    assert (refused.value.exit_code, refused.value.hint) == (2, "run: coffee init")


@pytest.mark.parametrize("name", ["with space", "new\nline", "ünïcode ☕", "$(x)"])
def test_where_worktrees_go(git: Git, tmp_path: Path, name: str) -> None:
    """Beside the main checkout under its name, however odd; an absolute folder is taken as it is."""
    (tmp_path / name).mkdir()
    git(tmp_path / name, "init", "-q", "-b", "roadmap")
    assert open_project(tmp_path / name).worktrees_root == tmp_path / f"{name}.worktrees"
    (tmp_path / name / ".coffee.yaml").write_text("worktrees: {root: '/var/{repo}/../trees'}")
    assert open_project(tmp_path / name).worktrees_root == Path("/var/trees")


def test_a_configuration_that_cannot_be_read(repo: Repo, git: Git) -> None:
    """A folder or a loop of links in its place is said as such; a link in the target's tree is no YAML mapping."""
    path = repo.top / ".coffee.yaml"
    path.symlink_to(path)
    with pytest.raises(EnvironmentFailure, match="cannot be read"):
        open_project(repo.top)
    path.unlink()
    path.mkdir()
    with pytest.raises(EnvironmentFailure, match="cannot be read"):
        open_project(repo.top)
    path.rmdir()
    path.symlink_to("../outside.yaml")
    (repo.top.parent / "outside.yaml").write_text("specs: outside\n")
    git(repo.top, "add", ".coffee.yaml")
    git(repo.top, "commit", "-q", "-m", "x")
    with pytest.raises(UsageError, match="must be a mapping"):
        open_project(repo.top)


def test_a_mistake_in_a_committed_file_names_its_commit(sandbox: Sandbox) -> None:
    """The line and the commit, so that it can be found although the checkout has another file."""
    tip = sandbox.commit(written("poll: 5s\ntagret: x\n"))
    with pytest.raises(CoffeeError, match=f"of {tip[:10]}:2: unknown key tagret"):
        open_project(sandbox.work)
