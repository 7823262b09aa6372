"""A repository with claims, worktrees of coffee's own and landings, made the way spawn and merge make them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project, require_identity
from coffee_hooks.base.refs import transact
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import CleanupReport, RemotePolicy, Removal, Waive
from coffee_hooks.state.claims import Claim, ClaimState, moved, owner_name, read_claims
from coffee_hooks.state.landings import Landing, Member, append
from coffee_hooks.state.store import Store, open_store

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]


@dataclass(frozen=True)
class Yard:
    """The sandbox with what coffee would have put into it."""

    box: Sandbox
    store: Store
    git: Git

    @property
    def work(self) -> Path:
        """The main checkout, on ``roadmap``."""
        return self.box.work

    @property
    def project(self) -> Project:
        """The project as a new command would open it."""
        return open_project(self.work)

    def tree(self, number: int) -> Path:
        """The worktree of ``roadmap-wt<number>``."""
        return self.project.worktrees_root / f"wt{number}"

    def claim(
        self, branch: str, state: ClaimState = ClaimState.CLAIMED, *, task: str = "", owner: str | None = None
    ) -> Claim:
        """A claim on *branch*, based on what it points at now."""
        repo = self.project.repo
        base = Sha(self.git(self.work, "rev-parse", f"refs/heads/{branch}"))
        name = TaskId(task or f"US-{branch.rpartition('wt')[2]}")
        claim, move = moved(
            repo,
            Claim(name, branch, base, owner or owner_name(), 1, state, None, None, int(time.time())),
        )
        assert move.old == ABSENT
        assert transact(repo, [move])
        return claim

    def spawn(self, number: int, *, owner: str | None = None) -> Path:
        """Branch, claim and worktree number *number*, without a commit."""
        branch = f"roadmap-wt{number}"
        self.git(self.work, "branch", "--no-track", branch, "roadmap")
        self.claim(branch, owner=owner)
        self.git(self.work, "worktree", "add", "-q", str(self.tree(number)), branch)
        return self.tree(number)

    def agent(self, number: int, files: Mapping[str, str] | None = None) -> Path:
        """A spawned branch with one commit of work."""
        tree = self.spawn(number)
        self.box.commit(files or {f"pkg/new{number}.py": f"x = {number}\n"}, f"feat: Work {number}", tree)
        return tree

    def land(self, number: int, *, push: bool = False) -> str:
        """Merge the branch into the target as coffee does, with record and claim; returns what landed."""
        branch, project = f"roadmap-wt{number}", self.project
        before, sha = self.git(self.work, "rev-parse", "roadmap", branch).split()
        self.git(self.work, "merge", "-q", "--no-ff", "-m", f"Merge parallel work from {branch}", branch)
        after, tree = self.git(self.work, "rev-parse", "roadmap", "roadmap^{tree}").split()
        claim = next((c for c in read_claims(project.repo).values() if c.branch == branch), None)
        member = Member(claim.task if claim else None, branch, Sha(sha), Sha(after))
        landing = Landing(
            "roadmap", Sha(before), Sha(after), Sha(tree), (member,), ("true",), "green", int(time.time())
        )
        moves = [append(project.repo, landing, require_identity(project.repo))]
        if claim:
            moves.append(moved(project.repo, claim, state=ClaimState.LANDED, sha=Sha(after))[1])
        assert transact(project.repo, moves)
        if push:
            self.box.push("roadmap")
        return sha

    def landed(self, number: int) -> Path:
        """A branch with work that has landed locally and on the remote; returns its worktree."""
        tree = self.agent(number)
        self.land(number, push=True)
        return tree

    def set_claim(self, number: int, state: ClaimState, sha: str | None = None) -> None:
        """Move the claim of ``US-<number>``."""
        repo = self.project.repo
        claim = read_claims(repo)[TaskId(f"US-{number}")]
        assert transact(repo, [moved(repo, claim, state=state, sha=Sha(sha) if sha else None)[1]])

    def state_of(self, number: int) -> ClaimState:
        """What the claim of ``US-<number>`` says."""
        return read_claims(self.project.repo)[TaskId(f"US-{number}")].state

    def clean(
        self, *names: str, waive: Waive = Waive.NOTHING, remote: RemotePolicy = RemotePolicy.DELETE
    ) -> CleanupReport:
        """Run cleanup on a project that was just opened."""
        return cleanup(self.project, names, waive=waive, remote=remote, store=self.store)

    def one(self, number: int, waive: Waive = Waive.NOTHING, remote: RemotePolicy = RemotePolicy.DELETE) -> Removal:
        """Clean one branch by name and return its result."""
        (result,) = self.clean(f"roadmap-wt{number}", waive=waive, remote=remote).results
        return result

    def branches(self, where: Path | None = None) -> set[str]:
        """Short names of the branches here or in another repository."""
        return {ref.removeprefix("refs/heads/") for ref in self.box.refs("refs/heads/", where)}

    def elsewhere(self, branch: str) -> str:
        """Somebody else pushes a commit on top of *branch* that is not known here; returns it."""
        origin = self.box.origin
        blob = self.git(origin, "hash-object", "-w", "--stdin", input="elsewhere\n")
        tree = self.git(origin, "mktree", input=f"100644 blob {blob}\telsewhere.txt\n")
        later = self.git(origin, "commit-tree", tree, "-p", f"refs/heads/{branch}", "-m", "feat: Elsewhere")
        self.git(origin, "update-ref", f"refs/heads/{branch}", later)
        return later

    def git_dir(self, tree: Path) -> Path:
        """The worktree's own git folder."""
        return Path(self.git(tree, "rev-parse", "--absolute-git-dir"))

    def ignore(self, *patterns: str) -> None:
        """Ignore patterns in the whole repository."""
        info = self.work / ".git" / "info"
        info.mkdir(exist_ok=True)
        (info / "exclude").write_text("".join(f"{pattern}\n" for pattern in patterns))

    def copied(self, tree: Path, files: Mapping[str, str]) -> None:
        """What spawn records about the files it copied: path -> SHA-256."""
        (self.git_dir(tree) / "coffee-copied.json").write_text(json.dumps({"files": dict(files)}))


@pytest.fixture
def yard(sandbox: Sandbox, git: Git) -> Iterator[Yard]:
    """An empty yard; its store stays open for the test."""
    with open_store(sandbox.work / ".git" / "coffee") as store:
        yield Yard(sandbox, store, git)
