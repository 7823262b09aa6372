"""Worktrees in repositories that are not plain: inside themselves, sparse, with submodules, LFS, relative hooks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.config import Worktrees
from coffee_hooks.base.errors import UsageError
from coffee_hooks.guard.install import install
from coffee_hooks.spawn.worktree import WorktreeFailed
from coffee_hooks.state.agents import EndReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Lab

    Git = Callable[..., str]


COMMITS = 'echo "x = 1" > work.py; git add work.py; git commit -qm "feat: Do it"'


@pytest.mark.parametrize("root", [".worktrees", "a/b c/[w]*", "sub/../.trees"])
def test_a_root_inside_the_repository_does_not_dirty_it(lab: Lab, git: Git, root: str) -> None:
    """Trees nested in the repository pollute it (kamp-us/phoenix#338): git ignores ours, and nothing is committed."""
    lab.worktrees = Worktrees(root=root)
    (lab.work / ".env").write_text("KEY=1")
    lab.spawn("US-104", "US-105")
    lab.wait()
    assert git(lab.work, "status", "--porcelain", "--untracked-files=all") == ""
    assert lab.run("US-105").reason is EndReason.DONE
    excluded = (lab.work / ".git/info/exclude").read_text()
    lab.spawn("US-106")
    assert (lab.work / ".git/info/exclude").read_text() == excluded, "it is listed once"


def test_a_root_that_is_ignored_already_changes_nothing(lab: Lab, git: Git) -> None:
    """Who ignores the folder himself keeps his info/exclude as it is."""
    lab.box.commit({".gitignore": ".env\n/.worktrees/\n"})
    before = (lab.work / ".git/info/exclude").read_bytes()
    lab.worktrees = Worktrees(root=".worktrees")
    lab.spawn("US-104")
    assert (lab.work / ".git/info/exclude").read_bytes() == before and git(lab.work, "status", "--porcelain") == ""


def test_what_an_agent_is_known_to_leave_is_no_change(lab: Lab, git: Git) -> None:
    """aider writes its history into the worktree: git ignores that there, and the branch is not dirty for it."""
    program = lab.work.parent / "aider"
    program.write_text(f"#!/bin/sh\n{COMMITS}; echo > .aider.chat.history.md\n")
    program.chmod(0o755)
    lab.agent = (str(program),)
    lab.spawn("US-104")
    lab.wait()
    assert git(Path(lab.run().worktree), "status", "--porcelain", "--untracked-files=all") == ""
    excluded = (lab.work / ".git/info/exclude").read_text()
    assert excluded.count(".aider*") == 1
    lab.spawn("US-105")
    assert (lab.work / ".git/info/exclude").read_text() == excluded, "it is listed once"


def test_a_command_may_name_the_folders_of_git(lab: Lab, git: Git) -> None:
    """What a sandbox has to leave open so that an agent can commit: git's own names for both."""
    lab.agent = ("sh", "-c", f'echo "$1"; echo "$2"; {COMMITS}', "agent", "{common_dir}", "{git_dir}")
    lab.spawn("US-104")
    lab.wait()
    asked = ("rev-parse", "--path-format=absolute", "--git-common-dir", "--git-dir")
    assert lab.log().splitlines()[1:3] == git(Path(lab.run().worktree), *asked).splitlines()


@pytest.mark.parametrize("root", [".", "../{repo}", ".git/wt", ".git"])
def test_the_checkout_and_git_itself_are_no_place(lab: Lab, root: str) -> None:
    """A root that is the checkout or git's own folder is a configuration error; nothing is left claimed."""
    lab.worktrees = Worktrees(root=root)
    with pytest.raises(UsageError, match=r"worktrees\.root must not be"):
        lab.spawn("US-104")
    assert lab.branches() == set()


def test_a_root_behind_a_link_works(lab: Lab, tmp_path: Path) -> None:
    """/tmp is a link on macOS: the worktree is found again by its real path, and undone as well."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    lab.worktrees = Worktrees(root="../link/wt", setup=("false",))
    with pytest.raises(WorktreeFailed):
        lab.spawn("US-104")
    assert lab.trees() == {} and list((tmp_path / "real/wt").iterdir()) == []
    lab.worktrees = replace(lab.worktrees, setup=())
    lab.spawn("US-104")
    lab.wait()
    assert lab.run().reason is EndReason.DONE


def test_a_sparse_checkout_stays_sparse(lab: Lab, git: Git) -> None:
    """The worktree has the part of the tree that the user works with, and is clean."""
    git(lab.work, "sparse-checkout", "set", "pkg")
    lab.spawn("US-104")
    lab.wait()
    tree = lab.trees()["roadmap-wt1"].path
    assert (tree / "pkg/alpha.py").is_file() and not (tree / "docs").exists()
    assert git(tree, "status", "--porcelain") == "" and lab.run().reason is EndReason.DONE


def test_relative_hooks_that_are_missing_are_said(lab: Lab, git: Git, capfd: pytest.CaptureFixture[str]) -> None:
    """A relative core.hooksPath means no hooks in worktrees, silently (bloknayrb/tandem#2030): it is said."""
    (lab.work / ".githooks").mkdir()
    git(lab.work, "config", "core.hooksPath", ".githooks")
    lab.spawn("US-104")
    assert "no git hooks run in" in capfd.readouterr().err
    git(lab.work, "config", "core.hooksPath", str(lab.work / ".githooks"))
    lab.spawn("US-105")
    assert "git hooks" not in capfd.readouterr().err


def test_coffees_own_hooks_are_looked_for_where_git_looks(
    lab: Lab, git: Git, capfd: pytest.CaptureFixture[str]
) -> None:
    """Hooks installed below a relative, tracked folder: the worktree's copy of the folder has none of ours."""
    lab.box.commit({".githooks/post-commit": "#!/bin/sh\n"})
    git(lab.work, "config", "core.hooksPath", ".githooks")
    install(lab.work)
    lab.spawn("US-104")
    assert "do not run in" in capfd.readouterr().err


def test_submodules_that_are_left_empty_are_said(lab: Lab, git: Git, capfd: pytest.CaptureFixture[str]) -> None:
    """Skills in a submodule vanished silently (pingdotgg/t3code#7672): said, with the setup that brings them."""
    sub = lab.work.parent / "sub"
    git(lab.work.parent, "init", "-q", str(sub))
    git(sub, "commit", "-q", "--allow-empty", "-m", "x")
    git(lab.work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(sub), "sub")
    git(lab.work, "commit", "-qm", "Add sub")
    lab.spawn("US-104")
    lab.wait()
    assert "submodule, update" in capfd.readouterr().err
    lab.worktrees = Worktrees(
        setup=("git", "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    )
    lab.spawn("US-105")
    assert "submodules are not" not in capfd.readouterr().err
    assert (lab.trees()["roadmap-wt2"].path / "sub/.git").is_file()


def test_lfs_pointers_without_lfs_are_said(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    """Without git-lfs a checkout holds pointers: agents start, and it is said what they will see."""
    lab.box.commit(
        {".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": "version https://git-lfs\n"}
    )
    lab.spawn("US-104")
    assert "git lfs install" in capfd.readouterr().err


def test_a_filter_that_fails_is_undone_and_quoted(lab: Lab, git: Git) -> None:
    """A required filter whose program is missing: no worktree can be made, git's own words say why."""
    git(lab.work, "config", "filter.lfs.smudge", "no-such-program")
    git(lab.work, "config", "filter.lfs.required", "true")
    lab.box.branch("roadmap-x", {".gitattributes": "*.bin filter=lfs\n", "a.bin": "x"}, base="roadmap")
    git(lab.work, "update-ref", "refs/heads/roadmap", "roadmap-x")
    with pytest.raises(WorktreeFailed) as failed:
        lab.spawn("US-104")
    assert "no-such-program" in failed.value.detail
    assert lab.branches() == set() and lab.trees() == {}


def test_a_private_env_arrives_private(lab: Lab) -> None:
    """The .env of the main checkout is in the worktree with its mode, and recorded as a copy."""
    (lab.work / ".env").write_text("KEY=1")
    (lab.work / ".env").chmod(0o600)
    lab.spawn("US-104")
    tree = lab.trees()["roadmap-wt1"]
    assert ((tree.path / ".env").read_text(), (tree.path / ".env").stat().st_mode & 0o777) == ("KEY=1", 0o600)
    assert list(json.loads((tree.git_dir / "coffee-copied.json").read_text())["files"]) == [".env"]


def test_an_env_that_is_not_ignored_is_refused_and_said(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    """The agent starts without it, and the user reads why."""
    lab.box.commit({".gitignore": "__pycache__/\n"})
    (lab.work / ".env").write_text("KEY=1")
    lab.spawn("US-104")
    assert "not copied: .env: not ignored by git" in capfd.readouterr().err
    assert not (lab.trees()["roadmap-wt1"].path / ".env").exists()


def test_no_remote_is_followed(lab: Lab, git: Git) -> None:
    """Tracking writes to the shared configuration and races for its lock (claude-code#34645): none is set up."""
    git(lab.work, "config", "branch.autoSetupMerge", "always")
    before = (lab.work / ".git/config").read_bytes()
    lab.spawn("US-104", "US-105")
    assert (lab.work / ".git/config").read_bytes() == before


def test_spawn_works_from_anywhere_in_the_repository(lab: Lab) -> None:
    """From a subfolder, with -C, and from inside another worktree: the same place for worktrees."""
    environment = {"COFFEE_AGENT__COMMAND": "['true']"}
    first = lab.box.coffee("--json", "spawn", "US-104", cwd=lab.work / "pkg", env=environment).json["spawned"][0]
    second = lab.box.coffee(
        "-C", first["worktree"], "--json", "spawn", "US-105", cwd=lab.work.parent, env=environment
    ).json["spawned"][0]
    assert [first["worktree"], second["worktree"]] == [str(lab.work.parent / f"work.worktrees/wt{n}") for n in (1, 2)]
