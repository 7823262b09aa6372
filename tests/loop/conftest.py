"""A shop: the sandbox with shell scripts for agents and gate, and the loop run in this very process or in its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.process import end_group, reap
from coffee_hooks.base.project import open_project
from coffee_hooks.loop.moment import Wishes
from coffee_hooks.loop.run import Orchestrator, Until
from coffee_hooks.notify import received
from coffee_hooks.spawn.living import at_work, living_orders
from coffee_hooks.spawn.supervisor import stop_file
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import Claim, read_claims
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import BoxWith, Sandbox

PATIENCE = 60.0
GATE = ["sh", "-c", "if grep -rq RED pkg; then grep -r RED pkg; exit 1; fi"]
"""Red when a file of the package says so."""

COMMITS = 'echo "# $COFFEE_TASK_ID" >> pkg/$COFFEE_TASK_ID.py; git add -A; git commit -qm "feat: $COFFEE_TASK_ID"'
"""An agent that does what it should."""


@cache
def schema(command: str) -> Draft202012Validator:
    """The validator of a command's output."""
    return Draft202012Validator(json.loads(files("coffee_hooks").joinpath(f"schemas/{command}.json").read_text()))


@dataclass
class Shop:
    """The sandbox with a configuration that is committed and pushed."""

    box: Sandbox
    git: Callable[..., str]
    events: list[dict[str, Any]] = field(default_factory=list)
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def work(self) -> Path:
        """The main checkout."""
        return self.box.work

    @property
    def state_dir(self) -> Path:
        """Where the local state is."""
        return self.work / ".git" / "coffee"

    def configure(self, agent: str = COMMITS, retries: int = 0, gate: list[str] | None = None, **more: Any) -> None:
        """Commit and push ``.coffee.yaml`` with this agent (a shell script), gate and other keys."""
        value = {
            "gate": {"command": gate or GATE, "retries": 0},
            "agent": {"command": ["sh", "-c", agent, "agent", "{prompt_file}"], "retries": retries},
            **more,
        }
        self.box.commit({".coffee.yaml": json.dumps(value)}, "chore: Configure")
        self.box.push()

    def drop(self, *tasks: str) -> None:
        """Take the specs of tasks away, so that nothing is planned for them."""
        for task in tasks:
            (spec,) = (self.work / "docs/architecture/specs").glob(f"SPEC-{task}-*")
            self.git(self.work, "rm", "-q", str(spec))
        self.git(self.work, "commit", "-q", "--no-verify", "-m", "chore: Drop specs")
        self.box.push()

    def loop(self, **wishes: Any) -> Orchestrator:
        """An orchestrator whose events are kept in `events`, each valid by the schema."""
        valid = schema("run")

        def tell(event: str, fields: Mapping[str, Any]) -> None:
            value = {"schema": 1, "command": "run", "event": event, "at": time.time(), **fields}
            valid.validate(value)
            self.events.append(value)

        return Orchestrator(self.work, tell, Wishes(**wishes))

    def run(self, until: Until = Until.IDLE, **wishes: Any) -> int:
        """Run a loop to its end; the exit code."""
        return self.loop(**wishes).run(until)

    def named(self, event: str) -> list[dict[str, Any]]:
        """The events of one name."""
        return [value for value in self.events if value["event"] == event]

    @property
    def landed(self) -> list[str]:
        """What landed, in order."""
        return [value["task"] or value["branch"] for value in self.named("merge") if value["outcome"] == "landed"]

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """``coffee run`` in a process of its own, as from a terminal: Ctrl-C reaches it and what it runs."""
        command = [sys.executable, "-I", "-m", "coffee_hooks", "--json", "run", *args]
        child = subprocess.Popen(
            command, cwd=self.work, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, start_new_session=True,
        )  # fmt: skip
        self.children.append(child)
        return child

    def follow(self, child: subprocess.Popen[str]) -> list[dict[str, Any]]:
        """The events of a running loop, growing as they come, each valid by the schema."""
        seen: list[dict[str, Any]] = []
        valid = schema("run")

        def read() -> None:
            assert child.stdout is not None
            for line in child.stdout:
                value = json.loads(line)
                valid.validate(value)
                seen.append(value)

        threading.Thread(target=read, daemon=True).start()
        return seen

    def claims(self) -> dict[str, Claim]:
        """Every claim."""
        return {str(task): claim for task, claim in read_claims(open_project(self.work).repo).items()}

    def notices(self, recipient: str) -> list[Notification]:
        """What somebody was told."""
        with open_store(self.state_dir) as store:
            return [n for n in received(store, recipient) if n.recipient == recipient]

    def wait(self) -> None:
        """Until no agent is at work."""
        with open_store(self.state_dir) as store:
            self.until(lambda: not at_work(self.state_dir, store))

    def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true; too long is a failure of the test."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.02)

    def target_files(self) -> set[str]:
        """The files of the origin's target."""
        return set(self.git(self.box.origin, "ls-tree", "-r", "--name-only", "roadmap").splitlines())

    def end_all(self) -> None:
        """Nothing outlives a test."""
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.communicate()
        if not (self.state_dir / "agents").is_dir():
            return
        for order in living_orders(self.state_dir):
            stop_file(self.state_dir, order.run).touch()
        with open_store(self.state_dir) as store:
            for run in all_runs(store):
                if run.ended is None and run.pid:
                    end_group(run.pid, grace=0.0)
        self.until(lambda: not list(living_orders(self.state_dir)))
        reap()


@pytest.fixture
def shop(sandbox_with: BoxWith, git: Callable[..., str]) -> Iterator[Shop]:
    """A shop with the agent that commits one file for its task."""
    shop = Shop(sandbox_with("shop", lambda box: Shop(box, git).configure()), git)
    yield shop
    shop.end_all()
