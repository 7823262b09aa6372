"""Every hook id under the real pre-commit, installed in a foreign repository from a clean cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from coffee_hooks.guard.install import install

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
ROOT = Path(__file__).resolve().parents[2]
ROADMAP = "docs/roadmap/ROADMAP.md"
IDS = [hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))]
ALL = ["CFR-013", "CFR-009", "roadmap-lint"]
"""What each id calls itself when it refuses, in the order of the file."""


class Said(NamedTuple):
    """How git ended: its exit code, the rules that refused, how many ids passed, and every word."""

    code: int
    refused: list[str]
    passed: int
    text: str


class Place(NamedTuple):
    """A checkout of the foreign repository, and what HEAD is there while somebody works for a branch."""

    name: str
    tree: Path
    head: str

    def attempt(self, *command: str) -> Said:
        """Run git where it may be refused."""
        done = subprocess.run(
            ["git", *command], cwd=self.tree, stdin=subprocess.DEVNULL, capture_output=True, check=False,
            encoding="utf-8", timeout=120,
        )  # fmt: skip
        text = done.stdout + done.stderr
        refused = re.findall(r"^error: (CFR-\d+|roadmap-lint): ", text, flags=re.M)
        return Said(done.returncode, refused, len(re.findall(r"\.Passed$", text, flags=re.M)), text)

    def work_for(self, branch: str, git: Git) -> str:
        """Put HEAD on a new *branch*, or beside it, and return its commit, which no remote has."""
        self.attempt("rebase", "--abort")
        git(self.tree, "switch", "-q", "--no-track", "-c", branch, "origin/roadmap")
        for _ in "ab":
            git(self.tree, "commit", "-q", "--no-verify", "--allow-empty", "-m", branch)
        if self.head == "rebase":
            assert self.attempt("rebase", "--exec", "false", "HEAD~1").code == 1
        elif self.head == "detached":
            git(self.tree, "switch", "-q", "--detach")
        assert bool(git(self.tree, "branch", "--show-current")) is (self.head == "branch")
        return git(self.tree, "rev-parse", "HEAD")


@pytest.fixture
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this project, committed and tagged v1 in a repository of their own."""
    place = tmp_path_factory.mktemp("published")
    names = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout.split("\0")
    for name in names:
        if name and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    for command in (["init", "-q"], ["add", "-f", "."], ["commit", "-q", "-m", "x"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(place), *command], check=True)
    return place


@pytest.fixture
def foreign(sandbox: Sandbox, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sandbox's checkout with the framework in it, and with a branch that is worth merging and one that is not."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VIRTUALENV_NO_PERIODIC_UPDATE", "1")
    hooks = ", ".join(f"{{id: {name}}}" for name in IDS)
    config = (
        "default_install_hook_types: [pre-commit, pre-merge-commit, pre-push]\n"
        f"repos:\n  - repo: file://{published}\n    rev: v1\n    hooks: [{hooks}]\n"
    )
    sandbox.commit({".pre-commit-config.yaml": config})
    sandbox.push("roadmap")
    sandbox.branch("roadmap-good", changes(sandbox.work, "107", "sound=False"))
    sandbox.branch("roadmap-bad", changes(sandbox.work, "104", "sound=True"))
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
        cwd=sandbox.work, capture_output=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return sandbox.work


def changes(tree: Path, number: str, sound: str) -> dict[str, str]:
    """A call and an item of the roadmap, of which the rules may think what they like."""
    return {
        f"call_{number}.py": f"create_notification({sound})\n",
        ROADMAP: (tree / ROADMAP).read_text(encoding="utf-8") + f"### US-{number}: Something else\n",
    }


def stage(place: Place, git: Git, files: dict[str, str]) -> None:
    for name, text in files.items():
        (place.tree / name).write_text(text, encoding="utf-8")
    git(place.tree, "add", ".")


def refuses_and_lets_pass(place: Place, sandbox: Sandbox, git: Git) -> None:
    """Commit, merge and push: what breaks every rule is refused by each of them, and what breaks none goes through."""
    bad, good = changes(place.tree, "104", "sound=True"), changes(place.tree, "107", "sound=False")
    lost = ["CFR-013"] if place.head == "detached" else []

    tip = place.work_for(f"feature-{place.name}", git)
    stage(place, git, bad)
    said = place.attempt("commit", "-m", "x")
    assert (said.code, said.refused) == (1, ALL), said.text
    git(place.tree, "reset", "-q", "--hard")
    said = place.attempt("merge", "--no-ff", "-m", "x", "roadmap-bad")
    assert (said.code, said.refused) == (1, ALL), said.text
    git(place.tree, "merge", "--abort")
    assert git(place.tree, "rev-parse", "HEAD") == tip
    said = place.attempt("push", "origin", f"HEAD:refs/heads/feature-{place.name}")
    assert (said.code, said.refused, said.passed) == (1, ["CFR-013"], 0), said.text
    assert f"refs/heads/feature-{place.name}" not in sandbox.refs(where=sandbox.origin)

    tip = place.work_for(f"roadmap-{place.name}", git)
    said = place.attempt("merge", "--no-ff", "-m", "x", "roadmap-good")
    assert (said.code, said.refused, said.passed) == (len(lost), lost, len(IDS) - len(lost)), said.text
    git(place.tree, "reset", "-q", "--hard", tip)
    stage(place, git, good)
    said = place.attempt("commit", "-m", "x")
    assert (said.code, said.refused, said.passed) == (len(lost), lost, len(IDS) - len(lost)), said.text
    assert bool(lost) is (git(place.tree, "rev-parse", "HEAD") == tip)
    said = place.attempt("push", "origin", f"HEAD:refs/heads/roadmap-{place.name}")
    assert (said.code, said.refused, said.passed) == (0, [], 1), said.text
    there = sandbox.refs(where=sandbox.origin)[f"refs/heads/roadmap-{place.name}"]
    assert there == git(place.tree, "rev-parse", "HEAD")


def test_under_the_real_framework(sandbox: Sandbox, git: Git, foreign: Path, tmp_path: Path) -> None:
    """Each id judges commit, merge and push in every kind of checkout; with the native hooks, every ref of a push."""
    main = Place("main", tmp_path / "caf\u00e9 & it's mine", "branch")
    linked = Place("linked", tmp_path / "linked \u00e9 tree", "branch")
    detached = Place("detached", tmp_path / "detached", "detached")
    rebased = Place("rebased", tmp_path / "rebased", "rebase")
    for copy in (main, detached, rebased):
        shutil.copytree(foreign, copy.tree, symlinks=True)
    git(main.tree, "worktree", "add", "-q", "--detach", str(linked.tree))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda place: refuses_and_lets_pass(place, sandbox, git), (main, linked, detached, rebased)))

    install(main.tree)
    said = main.attempt("push", "origin", "HEAD:main", "roadmap-good:roadmap-wt2")
    assert (said.code, "branch main may not" in said.text) == (1, True), said.text
    said = main.attempt("push", "origin", "roadmap-good:roadmap-wt2")
    assert said.code == 0, said.text
