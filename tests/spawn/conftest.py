"""A laboratory: the sandbox with agents that are small shell scripts, and everything ended when a test ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.config import Agent, Config, Seconds, Worktrees
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.process import end_group
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.loop.work import spawn_tasks
from coffee_hooks.spawn.living import at_work, living_orders
from coffee_hooks.spawn.report import SpawnReport
from coffee_hooks.spawn.supervisor import stop_file
from coffee_hooks.state.agents import AgentRun, all_runs, latest_run
from coffee_hooks.state.claims import Claim, read_claims
from coffee_hooks.state.store import Store, open_store

if TYPE_CHECKING:
    from conftest import Sandbox

COMMITS = 'echo "x = 1" > "work-$COFFEE_TASK_ID.py"; git add -A; git commit -qm "feat: Do $COFFEE_TASK_ID"'
"""A shell agent that does what it should."""

PATIENCE = 20.0


@dataclass
class Lab:
    """The sandbox with a store; *agent*, a shell script or a command, plays the agent of everything spawned here."""

    box: Sandbox
    store: Store
    agent: str | tuple[str, ...] = COMMITS
    worktrees: Worktrees = field(default_factory=Worktrees)
    limits: Agent = field(default_factory=lambda: Agent(timeout=Seconds(60), idle_timeout=Seconds(60)))

    @property
    def work(self) -> Path:
        """The main checkout."""
        return self.box.work

    @property
    def state_dir(self) -> Path:
        """Where the local state is. Cheap, unlike a project: it is asked for while waiting."""
        return self.work / ".git" / "coffee"

    @property
    def project(self) -> Project:
        """The project as a new command would open it, with the agent of this lab."""
        project = open_project(self.work)
        return replace(project, config=self.configured(project.config))

    def configured(self, config: Config) -> Config:
        """*config* with this lab's agent and worktrees."""
        command = ("sh", "-c", self.agent, "agent") if isinstance(self.agent, str) else self.agent
        return replace(config, agent=replace(self.limits, command=command), worktrees=self.worktrees)

    def spawn(self, *names: str, most: int | None = None) -> SpawnReport:
        """What ``coffee spawn NAMES`` does."""
        return spawn_tasks(self.project, self.store, names, None, most)

    def skipped(self, *names: str, most: int | None = None) -> list[tuple[str, str]]:
        """Task and reason of everything that a spawn did not start."""
        return [(skipped.task, skipped.reason) for skipped in self.spawn(*names, most=most).skipped]

    def wait(self) -> None:
        """Until no agent is at work."""
        self.until(lambda: not at_work(self.state_dir, self.store))

    def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true; too long is a failure of the test."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.02)

    def claim(self, task: str = "US-104") -> Claim:
        """The claim on a task."""
        return self.claims()[TaskId(task)]

    def claims(self) -> dict[TaskId, Claim]:
        """Every claim."""
        return read_claims(self.project.repo)

    def run(self, task: str = "US-104") -> AgentRun:
        """The latest run of a task."""
        run = latest_run(self.store, task)
        assert run is not None
        return run

    def trees(self) -> dict[str | None, Worktree]:
        """The worktrees beside the main one, by branch."""
        return {w.branch: w for w in list_worktrees(self.project.repo)[1:]}

    def branches(self) -> set[str]:
        """The local ``roadmap-wt*`` branches."""
        return {ref.removeprefix("refs/heads/") for ref in self.box.refs("refs/heads/roadmap-wt*")}

    def log(self, task: str = "US-104") -> str:
        """What the agent of a task wrote."""
        return Path(self.run(task).log).read_text(errors="replace")

    def end_all(self) -> None:
        """Nothing outlives a test."""
        for order in living_orders(self.state_dir):
            stop_file(self.state_dir, order.run).touch()
        for run in all_runs(self.store):
            if run.ended is None and run.pid:
                end_group(run.pid, grace=0.0)
        self.until(lambda: not list(living_orders(self.state_dir)))


@pytest.fixture
def lab(sandbox: Sandbox) -> Iterator[Lab]:
    """A lab whose agent commits one file."""
    with open_store(sandbox.work / ".git" / "coffee") as store:
        lab = Lab(sandbox, store)
        yield lab
        lab.end_all()
