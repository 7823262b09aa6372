"""kill -9 before every git call of a cleanup: run it again and nothing is lost, and it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.cleanup.restore import list_parked
from coffee_hooks.state.claims import ClaimState

if TYPE_CHECKING:
    from conftest import Git, Yard

DRIVER = """
import os, signal, sys
from pathlib import Path
from coffee_hooks.base import git
from coffee_hooks.base.project import open_project
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import Waive
from coffee_hooks.state.store import open_store

calls = []

def kill_before(argv):
    calls.append(argv)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

project = open_project(Path(sys.argv[1]))
git.trace.append(kill_before)
with open_store(project.repo.state_dir) as store:
    report = cleanup(project, sys.argv[3:], waive=Waive.DIRTY | Waive.UNMERGED, store=store)
print(*(result.outcome.value for result in report.results))
for argv in calls:
    print(*argv)
"""
NAMES = ("roadmap-wt1", "roadmap-wt2")


def run_killed(work: Path, calls: int) -> list[str]:
    """Clean up, killed right before git call number *calls* (0: never); what was printed."""
    argv = [sys.executable, "-c", DRIVER, str(work), str(calls), *NAMES]
    done = subprocess.run(argv, capture_output=True, check=False, encoding="utf-8", cwd=work)
    assert done.returncode == (-signal.SIGKILL if calls else 0), done.stderr
    return done.stdout.splitlines()


EVERY = bool(os.environ.get("COFFEE_TEST_EVERY_KILL"))


@dataclass(frozen=True)
class Scenario:
    """The places of a test and the commits that exist before anything is cleaned."""

    yard: Yard
    git: Git
    tree: Path
    backup: Path
    commits: frozenset[str]

    @property
    def places(self) -> tuple[Path, ...]:
        return self.yard.work, self.yard.box.origin, self.tree.parent

    def save(self) -> None:
        for place in self.places:
            shutil.copytree(place, self.backup / place.name, symlinks=True)

    def reset(self) -> None:
        for place in self.places:
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(self.backup / place.name, place, symlinks=True)

    def state(self) -> tuple[object, ...]:
        """All that a kill can have changed: refs here and there, worktrees, and their files."""
        box, root = self.yard.box, self.tree.parent
        names = (re.sub("removed-[0-9a-f]+", "removed", str(p.relative_to(root))) for p in root.rglob("*"))
        refs = {ref: sha for ref, sha in box.refs().items() if "/tasks/" not in ref}  # a nonce makes each its own
        return refs, box.refs(where=box.origin), self.git(box.work, "worktree", "list"), sorted(names)

    def reachable(self) -> set[str]:
        """Every commit that some ref keeps, whatever becomes of reflogs and worktrees."""
        return set(self.git(self.yard.work, "rev-list", "--glob=refs/*").split())

    def saved(self, name: str) -> bool:
        """Whether every grave with uncommitted work has the file, and there is one."""
        dirty = [grave.dirty for grave in list_parked(self.yard.project) if grave.dirty]
        return bool(dirty) and all(
            self.git(self.yard.work, "show", f"{sha}:{name}", check=False) == name for sha in dirty
        )

    def check_end(self, outcomes: str) -> None:
        """Everything is gone, and nothing is lost."""
        assert set(outcomes.split()) <= {"removed", "missing"}
        assert self.commits <= self.reachable()
        assert self.yard.branches() == {"roadmap"}
        assert self.yard.branches(self.yard.box.origin) == {"roadmap", "main"}
        assert not self.tree.parent.exists()
        assert (self.yard.state_of(1), self.yard.state_of(2)) == (ClaimState.LANDED, ClaimState.RELEASED)
        assert self.saved("staged.py")


@pytest.fixture
def scenario(yard: Yard, git: Git, tmp_path: Path) -> Scenario:
    """A landed branch with a remote, and an unmerged dirty one with a detached HEAD and a reflog of its own."""
    yard.landed(1)
    yard.box.push("roadmap-wt1")
    tree = yard.agent(2)
    git(tree, "commit", "-q", "--amend", "-m", "feat: Amended")
    git(tree, "switch", "-q", "--detach")
    yard.box.commit({"detached.py": "d = 1\n"}, "feat: Detached", tree)
    for name in ("staged.py", "untracked.py"):
        (tree / name).write_text(name)
    git(tree, "add", "staged.py")
    commits = git(tree, "rev-list", "--all", "--reflog", "HEAD").split()
    made = Scenario(yard, git, tree, tmp_path / "backup", frozenset(commits))
    made.save()
    return made


def test_kill_anywhere_then_again(scenario: Scenario) -> None:
    """Killed before a call that comes after the first change: never a loss, and the next run ends it.

    ``COFFEE_TEST_EVERY_KILL=1`` plays every call, otherwise every fourth.
    """
    assert not scenario.commits <= scenario.reachable()  # a reflog alone names the first version
    outcomes, *calls = run_killed(scenario.yard.work, 0)
    scenario.check_end(outcomes)
    assert scenario.saved("untracked.py")
    first = next(number for number, call in enumerate(calls, 1) if " update-ref " in call)
    scenario.reset()
    seen = [scenario.state()]
    for number in (1, *range(first, len(calls) + 1, 1 if EVERY else 4)):
        run_killed(scenario.yard.work, number)
        state = scenario.state()
        if state not in seen:  # else what follows from it is known
            seen.append(state)
            kept = scenario.tree / "untracked.py"
            assert kept.is_file() or scenario.saved("untracked.py"), calls[number - 1]
            outcomes, *_ = run_killed(scenario.yard.work, 0)
            scenario.check_end(outcomes)
        if state != seen[0]:
            scenario.reset()
    assert len(seen) > (8 if EVERY else 2)
