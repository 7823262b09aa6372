"""The sandbox seen by detect-ready: branches are made, claimed and finished without any agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.base.config import Config
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.base.target import read_target
from coffee_hooks.ready.observe import Candidate, Readiness, detect_ready
from coffee_hooks.state.agents import EndReason, begin_run, end_run, note_pid
from coffee_hooks.state.claims import Claim, ClaimState, moved, owner_name
from coffee_hooks.state.store import Store, open_store

if TYPE_CHECKING:
    from conftest import Sandbox

WT1 = "roadmap-wt1"


@dataclass
class Watch:
    """What detect-ready says about the sandbox. *changes* replace fields of the configuration."""

    box: Sandbox
    store: Store
    git: Callable[..., str]
    config: Config | None = None

    @property
    def project(self) -> Project:
        """The project as a new command would open it."""
        project = open_project(self.box.work)
        return project if self.config is None else replace(project, config=self.config)

    def configure(self, section: str, **values: Any) -> None:
        """Replace keys of one section of the configuration."""
        config = self.project.config
        self.config = replace(config, **{section: replace(getattr(config, section), **values)})

    def look(self, *names: str) -> Readiness:
        """Detect, without any network."""
        return detect_ready(self.project, self.store, read_target(self.project), names)

    def candidate(self, name: str = WT1) -> Candidate:
        """One branch."""
        found = {c.branch.name: c for c in self.look().candidates}
        return found[name]

    def codes(self, name: str = WT1) -> list[str]:
        """The reason codes of a branch, the first to deal with first; none means ready."""
        return [reason.code.value for reason in self.candidate(name).reasons]

    @property
    def listed(self) -> list[str]:
        """Every branch that is listed."""
        return [candidate.branch.name for candidate in self.look().candidates]

    def branch(self, name: str = WT1, files: Mapping[str, str | None] | None = None, message: str = "feat: X") -> str:
        """One more commit on a branch."""
        return self.box.branch(name, files or {f"{name}.py": "x = 1\n"}, message)

    def claim(
        self, state: ClaimState = ClaimState.CLAIMED, branch: str = WT1, task: str = "US-104", **changes: Any
    ) -> Claim:
        """A claim on *task*, as spawn would have made it."""
        repo = self.project.repo
        base = read_target(self.project).sha
        fresh = Claim(TaskId(task), branch, base, owner_name(), 1, state, None, None, int(time.time()))
        claim, move = moved(repo, fresh, **changes)
        assert transact(repo, [move])
        return claim

    def done(self, branch: str = WT1, task: str = "US-104") -> Claim:
        """A claim that says that the branch is finished where it is now."""
        tip = Sha(self.box.refs("refs/heads/")[f"refs/heads/{branch}"])
        return self.claim(ClaimState.DONE, branch, task, sha=tip)

    def ran(self, reason: EndReason | None, branch: str = WT1, task: str = "US-104", code: int | None = None) -> int:
        """A run of an agent that ended so; None: it is recorded as going on."""
        now = time.time()
        run = begin_run(
            self.store, task=task, branch=branch, worktree="/nowhere", attempt=1, agent="agent", command=("agent",),
            supervisor_pid=0, boot_id="", log="/nowhere/log", when=now,
        )  # fmt: skip
        if reason is not None:
            note_pid(self.store, run, 2**22, now)
            end_run(self.store, run, now, code, reason)
        return run

    def worktree(self, name: str = WT1) -> Path:
        """A checkout of a branch."""
        path = self.box.work.parent / "trees" / name
        self.git(self.box.work, "worktree", "add", "-q", str(path), name)
        return path


@pytest.fixture
def watch(sandbox: Sandbox, git: Callable[..., str]) -> Iterator[Watch]:
    """A sandbox and its store."""
    with open_store(sandbox.work / ".git" / "coffee") as store:
        yield Watch(sandbox, store, git)
