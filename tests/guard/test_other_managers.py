"""The README's words for other hook managers and for GitHub, run as they are written there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.guard.cfr_013 import branch_allowed

if TYPE_CHECKING:
    from conftest import Sandbox

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HUSKY = "husky@9.1.7"


def snippet(after: str, language: str) -> str:
    """The first block of code in *language* after the words *after*."""
    found = re.search(rf"^```{language}\n(.*?)^```", README[README.index(after) :], flags=re.S | re.M)
    assert found, after
    return found[1]


def run(command: list[str], cwd: Path) -> tuple[int, str]:
    """Exit code and all that was said, with the scripts of this environment in front of everything."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PATH": path, "LEFTHOOK_VERBOSE": "0"}, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def refuses_and_lets_pass(work: Path, tree: str) -> None:
    """CFR-013 on commit, merge and push, and what is allowed goes through; in *work* itself."""
    git = ["git", "-C", str(work)]
    code, said = run([*git, "switch", "-q", "-c", f"feature-{tree}"], work)
    assert code == 0, said
    code, said = run([*git, "commit", "-q", "--allow-empty", "-m", "x"], work)
    assert code and f"branch feature-{tree} may not" in said, said
    run([*git, "switch", "-q", "-c", f"roadmap-{tree}"], work)
    assert run([*git, "commit", "-q", "--allow-empty", "-m", "x"], work)[0] == 0
    code, said = run([*git, "push", "-q", "origin", f"roadmap-{tree}", f"roadmap-{tree}:main"], work)
    assert code and "branch main may not" in said, said
    assert run([*git, "push", "-q", "origin", f"roadmap-{tree}"], work)[0] == 0
    code, said = run([*git, "push", "-q", "origin", f"roadmap-{tree}:topic"], work)
    assert code and "branch topic may not" in said, "commits that the remote knows, under a forbidden name"
    run([*git, "switch", "-q", f"feature-{tree}"], work)
    code, said = run([*git, "merge", "-q", "--no-ff", "-m", "x", f"roadmap-{tree}"], work)
    assert code and f"branch feature-{tree} may not" in said, said


def test_lefthook(sandbox: Sandbox) -> None:
    """In the main checkout and in a linked worktree, which shares its hooks."""
    assert run(["sh", "-ec", snippet("With [lefthook]", "sh")], sandbox.work)[0] == 0
    run(["git", "add", ".lefthook"], sandbox.work)
    sandbox.commit({"lefthook.yml": snippet("With [lefthook]", "yaml")})
    code, said = run([sys.executable, "-m", "lefthook", "install"], sandbox.work)
    assert code == 0, said
    refuses_and_lets_pass(sandbox.work, "here")
    linked = sandbox.work.parent / "linked"
    run(["git", "worktree", "add", "-q", "--detach", str(linked), "roadmap"], sandbox.work)
    refuses_and_lets_pass(linked, "linked")


@pytest.mark.skipif(not shutil.which("npx"), reason="husky needs Node, which is not here")
def test_husky(sandbox: Sandbox) -> None:
    """In the main checkout; in a linked worktree once ``npx husky`` has run there, and not before."""
    work = sandbox.work
    sandbox.commit({"package.json": '{"private": true}\n', ".gitignore": "node_modules/\n__pycache__/\n"})
    code, said = run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--save-dev", HUSKY], work)
    if code:
        pytest.skip(f"{HUSKY} cannot be installed here: {said[-200:]}")
    assert run(["npx", "husky"], work)[0] == 0
    assert run(["sh", "-ec", snippet("With [husky]", "sh")], work)[0] == 0
    sandbox.commit({".keep": ""})
    run(["git", "add", ".husky", "package.json"], work)
    code, said = run(["git", "commit", "-q", "-m", "chore: Add hooks"], work)
    assert code == 0, said
    refuses_and_lets_pass(work, "here")
    linked = work.parent / "linked"
    run(["git", "worktree", "add", "-q", "--detach", str(linked), "roadmap"], work)
    (linked / "node_modules").symlink_to(work / "node_modules")
    assert run(["npx", "husky"], linked)[0] == 0
    refuses_and_lets_pass(linked, "linked")


@pytest.mark.parametrize("name", ["roadmap", "roadmap-wt1", "roadmap-x.y", "main", "feature", "roadmapx", "roadmap-"])
def test_the_ruleset_says_the_same(name: str) -> None:
    """GitHub keeps everybody from making and moving what is not excluded; its patterns are those of fnmatch."""
    rules = json.loads((ROOT / "docs/github-ruleset.json").read_text())
    assert {rule["type"] for rule in rules["rules"]} == {"creation", "update"}
    excluded = any(fnmatchcase(f"refs/heads/{name}", pattern) for pattern in rules["conditions"]["ref_name"]["exclude"])
    assert excluded is branch_allowed(name) or name == "roadmap-"
