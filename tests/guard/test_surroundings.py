"""The native hooks where next to nothing is set, or the wrong thing: as graphical clients and other hooks call git."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
HOOKS = ("pre-commit", "pre-merge-commit", "pre-push")
NOTE = "#!/bin/sh\ncat >/dev/null\necho \"${0##*/}\" >>'%s'\n"


class Client(NamedTuple):
    """Something that calls git from a folder, with this environment and no other."""

    folder: Path
    env: dict[str, str]
    log: Path

    def run(self, *command: str) -> tuple[int, str]:
        """Exit code, and what was said on stderr."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            encoding="utf-8", timeout=120,
        )  # fmt: skip
        return done.returncode, done.stderr

    def ran_behind(self) -> list[str]:
        """The foreign hooks that ran since the last look."""
        names = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [name.removesuffix(".coffee-chained") for name in names]


@pytest.fixture(params=["main checkout", "linked worktree"])
def tree(request: pytest.FixtureRequest, sandbox: Sandbox, git: Git, tmp_path: Path) -> Path:
    """A checkout in a path with spaces and letters beyond ASCII; what a commit needs is in the repository itself."""
    main, linked = tmp_path / "caf\u00e9 & it's mine", tmp_path / "linked \u00e9 tree"
    sandbox.work.rename(main)
    identity = {"user.name": "Dev Eloper", "user.email": "dev@example.invalid"}
    for name, value in identity.items():
        git(main, "config", name, value)
    git(main, "branch", "roadmap-side", git(main, "commit-tree", "-p", "roadmap", "-m", "side", "roadmap^{tree}"))
    if request.param == "main checkout":
        return main
    git(main, "worktree", "add", "-q", "--detach", str(linked))
    return linked


@pytest.mark.parametrize("hooks_path", ["", "my h\u00f6oks"], ids=["own hooks", "core.hooksPath"])
@pytest.mark.parametrize("exported", [False, True], ids=["inside", "GIT_DIR exported"])
def test_commit_merge_and_push_in_a_bare_environment(
    tree: Path, git: Git, sandbox: Sandbox, tmp_path: Path, exported: bool, hooks_path: str
) -> None:
    """With a PATH and nothing else all three are judged, installed and run from elsewhere too; foreign hooks follow."""
    env = {"PATH": os.defpath}
    if exported:
        env |= {"GIT_DIR": git(tree, "rev-parse", "--absolute-git-dir"), "GIT_WORK_TREE": str(tree)}
    client = Client(tmp_path if exported else tree, env, tmp_path / "log")
    if hooks_path:
        git(tree, "config", "core.hooksPath", str(tmp_path / hooks_path))
    hooks = Path(git(tree, "rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).write_text(NOTE % client.log)
        (hooks / name).chmod(0o755)
    code, said = client.run(sys.executable, "-I", "-m", "coffee_hooks.hook", "-C", str(tree), "install")
    assert (code, said) == (0, "")

    commands = (
        ("git", "commit", "-q", "--allow-empty", "-m", "x"),
        ("git", "merge", "-q", "--no-ff", "-m", "x", "roadmap-side"),
        ("git", "push", "-q", "origin", "HEAD"),
    )
    git(tree, "switch", "-q", "-c", "feature")
    before = sandbox.refs(where=sandbox.origin), git(tree, "rev-parse", "HEAD")
    for command in commands:
        code, said = client.run(*command)
        assert (code, said.startswith("error: CFR-013: ")) == (1, True), said
        git(tree, "reset", "-q", "--hard")
    assert (sandbox.refs(where=sandbox.origin), git(tree, "rev-parse", "HEAD")) == before
    assert client.ran_behind() == []

    git(tree, "switch", "-q", "-c", "roadmap-wt1")
    for command in commands:
        code, said = client.run(*command)
        assert code == 0, said
    assert client.ran_behind() == list(HOOKS)
    assert sandbox.refs(where=sandbox.origin)["refs/heads/roadmap-wt1"] == git(tree, "rev-parse", "HEAD")
