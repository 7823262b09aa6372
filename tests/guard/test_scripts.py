"""The native hooks under real git: which commands they stop, in the main checkout and in a linked worktree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.guard.install import install
from coffee_hooks.guard.scripts import STRICT, Hook, Program, is_framework, is_ours, script

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
Done = subprocess.CompletedProcess[str]


def attempt(cwd: Path, *args: str, **env: str) -> Done:
    """Run git where it may fail."""
    return subprocess.run(
        ["git", "-C", str(cwd), *args],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "GIT_EDITOR": "true", **env},
    )


def refused(done: Done) -> bool:
    """Whether it was our rule that stopped git, and no traceback."""
    return done.returncode != 0 and "error: CFR-013: " in done.stderr and "Traceback" not in done.stderr


def passed(done: Done) -> bool:
    assert done.returncode == 0, done.stderr
    return True


def commit(cwd: Path, *args: str) -> Done:
    return attempt(cwd, "commit", "-q", "--allow-empty", "-m", "x", *args)


@pytest.fixture(params=["main checkout", "linked worktree"])
def place(request: pytest.FixtureRequest, sandbox: Sandbox, git: Git, tmp_path: Path) -> Path:
    """A checkout on ``roadmap-wt1`` of a repository with the standard hooks; one commit ahead of the target."""
    where = sandbox.work
    if request.param == "linked worktree":
        where = tmp_path / "linked \u00e9 tree"
        git(sandbox.work, "worktree", "add", "-q", "-b", "roadmap-wt1", str(where))
    else:
        git(where, "switch", "-q", "-c", "roadmap-wt1")
    sandbox.commit({"pkg/alpha.py": "ALPHA = 1\n"}, cwd=where)
    git(sandbox.work, "branch", "-f", "main", "origin/main")
    install(where)
    return where


@pytest.mark.parametrize(
    ("branch", "allowed"),
    [
        ("roadmap", True),
        ("roadmap-wt2", True),
        ("main", False),
        ("x/roadmap-y", False),
        ("roadmap-$(touch${IFS}x)", False),
    ],
)
def test_a_commit_needs_an_allowed_branch(place: Path, git: Git, branch: str, allowed: bool) -> None:
    """Commits pass on the target and roadmap-NAME only; the name of a branch is never run."""
    git(place, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    done = commit(place)
    assert passed(done) if allowed else refused(done)
    if not allowed:
        assert f"branch {branch} " in done.stderr
        assert "hint: git switch -c roadmap-NAME" in done.stderr
    assert not list(place.glob("x"))


def test_a_merge_needs_an_allowed_branch(place: Path, git: Git) -> None:
    """pre-merge-commit: a clean merge commits on roadmap-NAME and is refused on a forbidden branch."""
    git(place, "branch", "roadmap-side", "main")
    git(place, "switch", "-q", "roadmap-side")
    assert passed(attempt(place, "merge", "--no-ff", "-q", "-m", "m", "roadmap-wt1"))
    git(place, "switch", "-q", "-C", "feature", "origin/main")
    assert refused(attempt(place, "merge", "--no-ff", "-q", "-m", "m", "roadmap-wt1"))


def test_the_hint_takes_the_changes_along(place: Path, git: Git) -> None:
    """What the message says to type works: the refused change is committed on the new branch."""
    git(place, "symbolic-ref", "HEAD", "refs/heads/feature")
    (place / "new.txt").write_text("x\n")
    git(place, "add", "new.txt")
    assert refused(commit(place))
    git(place, "switch", "-q", "-c", "roadmap-NAME")
    assert passed(commit(place))
    assert git(place, "show", "--name-only", "--format=", "HEAD").splitlines().count("new.txt") == 1


def test_a_detached_commit_is_refused(place: Path, git: Git) -> None:
    """A commit on no branch would be lost; a cherry-pick or merge in progress does not excuse it."""
    git(place, "switch", "-q", "--detach")
    assert refused(commit(place))
    git(place, "reset", "-q", "--hard", "origin/roadmap")
    assert attempt(place, "merge", "--no-ff", "--no-commit", "roadmap-wt1").returncode == 0
    assert refused(attempt(place, "commit", "-q", "-m", "m"))


@pytest.mark.parametrize(("branch", "allowed"), [("roadmap-wt2", True), ("feature", False)])
@pytest.mark.parametrize("backend", ["--merge", "--apply"])
def test_a_rebase_is_judged_by_its_branch(place: Path, git: Git, branch: str, allowed: bool, backend: str) -> None:
    """While a rebase has stopped, HEAD is detached: commits pass if the branch being rebased is allowed."""
    git(place, "switch", "-q", "-c", branch, "origin/roadmap")
    (place / "pkg/alpha.py").write_text("ALPHA = 2\n")
    git(place, "commit", "-q", "--no-verify", "-am", "other")
    assert attempt(place, "rebase", backend, "-q", "roadmap-wt1").returncode != 0
    (place / "pkg/alpha.py").write_text("ALPHA = 3\n")
    git(place, "add", "pkg/alpha.py")
    done = commit(place)
    assert passed(done) if allowed else refused(done)


@pytest.mark.parametrize(("branch", "allowed"), [("roadmap-wt2", True), ("feature", False)])
def test_a_bisect_is_judged_by_its_branch(place: Path, git: Git, branch: str, allowed: bool) -> None:
    """A commit made during a bisect passes if the bisect began on an allowed branch."""
    git(place, "switch", "-q", "-c", branch)
    for _ in range(3):
        git(place, "commit", "-q", "--no-verify", "--allow-empty", "-m", "x")
    git(place, "bisect", "start", "HEAD", "origin/roadmap")
    done = commit(place)
    assert passed(done) if allowed else refused(done)


def test_a_cherry_pick_commits_on_its_branch(place: Path, git: Git) -> None:
    """A pick that stopped is committed on an allowed branch and refused on another."""
    for branch, verdict in (("roadmap-wt2", passed), ("feature", refused)):
        git(place, "switch", "-q", "-c", branch, "origin/roadmap")
        git(place, "cherry-pick", "--no-commit", "roadmap-wt1")
        assert verdict(attempt(place, "commit", "-q", "-m", "picked"))
        git(place, "reset", "-q", "--hard", "origin/roadmap")


@pytest.mark.parametrize(
    ("specs", "allowed"),
    [
        (["roadmap-wt1"], True),
        (["HEAD:refs/heads/roadmap-wt9"], True),
        (["HEAD:roadmap"], True),
        (["roadmap-wt1", "roadmap-wt1:zmain"], False),
        (["roadmap-wt1:main"], False),
        (["origin/roadmap:refs/heads/known"], False),
        (["HEAD:refs/heads/roadmap-$(touch${IFS}x)"], False),
        (["HEAD^{/feat|chore}:refs/heads/roadmap-wt8"], True),
        (["HEAD:refs/tags/main"], True),
        (["HEAD:refs/coffee/x"], True),
        ([":roadmap"], False),
        ([":main"], False),
        (["--force", "roadmap-old:roadmap"], False),
        (["--force", "roadmap-old:roadmap-there"], True),
        ([":roadmap-there"], True),
    ],
)
def test_a_push_is_judged_ref_by_ref(place: Path, sandbox: Sandbox, git: Git, specs: list[str], allowed: bool) -> None:
    """Every ref of a push is seen: the second of two, one whose commits are known, a deletion, a rewrite."""
    orphan = git(place, "commit-tree", "-m", "other root", "HEAD^{tree}")
    git(place, "update-ref", "refs/heads/roadmap-old", orphan)
    git(place, "push", "-q", "--no-verify", "origin", "roadmap-wt1:roadmap-there")
    before = sandbox.refs(where=sandbox.origin)
    done = attempt(place, "push", "-q", "origin", *specs)
    after = sandbox.refs(where=sandbox.origin)
    if allowed:
        assert passed(done)
        assert after != before
    else:
        assert refused(done)
        assert after == before


def test_a_rewrite_of_an_unknown_tip_is_refused(place: Path, sandbox: Sandbox, git: Git) -> None:
    """The target's old tip was never fetched: it cannot be shown to be contained, so it is not overwritten."""
    tree = git(sandbox.origin, "rev-parse", "roadmap^{tree}")
    tip = git(sandbox.origin, "commit-tree", "-p", "roadmap", "-m", "elsewhere", tree)
    git(sandbox.origin, "update-ref", "refs/heads/roadmap", tip)
    assert refused(attempt(place, "push", "-q", "--force", "origin", "roadmap-wt1:roadmap"))
    assert git(sandbox.origin, "rev-parse", "roadmap") == tip


def test_an_exported_git_dir_is_the_one_judged(place: Path, git: Git, tmp_path: Path) -> None:
    """Git exports GIT_DIR to hooks of linked worktrees: the rule reads that one, wherever it stands."""
    git(place, "switch", "-q", "-c", "feature")
    environment = {"GIT_DIR": git(place, "rev-parse", "--absolute-git-dir"), "GIT_WORK_TREE": str(place)}
    assert refused(attempt(tmp_path, "commit", "-q", "--allow-empty", "-m", "x", **environment))


def test_a_vanished_guard_refuses_and_says_so(place: Path, git: Git) -> None:
    """When the interpreter is gone nothing can be checked: the commit is refused with the way out."""
    hooks = Path(git(place, "rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    gone = Program("/nowhere/it's gone/python", "/nowhere")
    (hooks / "pre-commit").write_text(script(Hook.PRE_COMMIT, "roadmap", gone))
    done = commit(place)
    assert done.returncode != 0
    assert "no longer at /nowhere/it's gone/python" in done.stderr
    assert "hint: coffee-hook install" in done.stderr


def test_a_bare_environment_is_enough(place: Path, git: Git) -> None:
    """A graphical client has next to no PATH and no locale: the hooks find their interpreter all the same."""
    bare = {"HOME": os.environ["HOME"], "PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"]}
    git(place, "symbolic-ref", "HEAD", "refs/heads/feature")
    command = ["git", "-C", str(place), "commit", "-q", "--allow-empty", "-m", "x"]
    done = subprocess.run(command, env=bare, capture_output=True, check=False, encoding="utf-8")
    assert refused(done)
    git(place, "symbolic-ref", "HEAD", "refs/heads/roadmap-wt1")
    subprocess.run(command, env=bare, capture_output=True, check=True)


def test_the_repository_cannot_replace_the_guard(place: Path, git: Git) -> None:
    """Modules lying in the checkout are not imported by the hook, so a branch cannot switch the rule off."""
    package = place / "coffee_hooks"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit(0)\n")
    (place / "os.py").write_text("raise SystemExit(0)\n")
    git(place, "symbolic-ref", "HEAD", "refs/heads/feature")
    done = subprocess.run(
        ["git", "-C", str(place), "commit", "-q", "--allow-empty", "-m", "x"],
        env={**os.environ, "PYTHONPATH": str(place)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert refused(done)


@pytest.fixture
def strict(place: Path) -> Path:
    """The same checkout with the reference-transaction guard as well."""
    install(place, hooks=STRICT)
    return place


@pytest.mark.parametrize(
    "command",
    [
        ["branch", "feature"],
        ["branch", "roadmap-a/b"],
        ["branch", "roadmap-caf\u00e9"],
        ["branch", "-f", "main", "HEAD"],
        ["switch", "-c", "main2"],
        ["update-ref", "refs/heads/x/roadmap-y", "HEAD"],
        ["worktree", "add", "-b", "topic", "../topic"],
        ["fetch", "-q", "origin", "main:mine"],
    ],
)
def test_strict_refuses_other_branches(strict: Path, sandbox: Sandbox, command: list[str]) -> None:
    """Whatever makes or moves a local branch outside the rule is refused, and no ref changes."""
    before = sandbox.refs()
    assert refused(attempt(strict, *command))
    assert sandbox.refs() == before


def test_strict_is_not_skipped(strict: Path, git: Git) -> None:
    """--no-verify, cherry-pick and reset do not get around it on a forbidden branch."""
    git(strict, "symbolic-ref", "HEAD", "refs/heads/main")
    git(strict, "reset", "-q")  # moves nothing, so it goes on
    assert refused(commit(strict, "--no-verify"))
    git(strict, "checkout", "-q", "-f", "main")
    assert refused(attempt(strict, "cherry-pick", "roadmap-wt1"))
    assert refused(attempt(strict, "reset", "-q", "--hard", "roadmap-wt1"))


def test_strict_lets_everything_else_pass(strict: Path, tmp_path: Path) -> None:
    """Allowed branches, deletions, renames inside the rule, tags, stash, detached work, fetch and gc go on."""
    assert passed(commit(strict))
    for command in (
        ["branch", "roadmap-x"],
        ["branch", "-m", "roadmap-x", "roadmap-y"],
        ["branch", "-D", "roadmap-y"],
        ["branch", "-D", "main"],
        ["tag", "main"],
        ["fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*"],
        ["update-ref", "refs/coffee/x", "HEAD"],
        ["worktree", "add", "-q", "-b", "roadmap-z", str(tmp_path / "z")],
        ["switch", "-q", "--detach"],
        ["commit", "-q", "--no-verify", "--allow-empty", "-m", "detached"],
        ["gc", "-q"],
    ):
        assert passed(attempt(strict, *command))
    (strict / "pkg/alpha.py").write_text("ALPHA = 9\n")
    assert passed(attempt(strict, "stash"))
    assert passed(attempt(strict, "stash", "pop"))


def test_another_target_is_written_into_the_hooks(place: Path, git: Git) -> None:
    """With --target, commits and strict refs follow that name, quotes and all, and roadmap is forbidden."""
    target = "it's-main"
    install(place, target, STRICT)
    git(place, "switch", "-q", "-c", target)
    assert passed(commit(place))
    assert refused(attempt(place, "update-ref", "refs/heads/roadmap", "HEAD"))
    git(place, "symbolic-ref", "HEAD", "refs/heads/roadmap")
    assert refused(commit(place))


@pytest.mark.parametrize("hook", list(Hook))
def test_every_script_is_posix_sh_and_knows_itself(hook: Hook) -> None:
    """The text parses as sh, starts with its shebang and is recognised again; a framework's is not ours."""
    text = script(hook, "a'b", Program("/p y/python", "/s'p"))
    subprocess.run(["sh", "-n"], input=text.encode(), check=True)
    assert text.startswith("#!/bin/sh\n")
    assert is_ours(text.encode())
    assert not is_framework(text.encode())
    assert not is_ours(b"#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n")
    assert is_framework(b"#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n")
