"""Two machines on one remote: every task is claimed once, every number used once, and each sees what the other does."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import CLAIMS, Move
from coffee_hooks.base.remote import adoptions

if TYPE_CHECKING:
    from conftest import Completed, Sandbox

WORKS = 'echo x > "new-$COFFEE_TASK_ID.txt" && git add . && git commit -q -m "feat: Work"'


@dataclass(frozen=True)
class Machines:
    """The sandbox's clone and another one of the same origin."""

    sandbox: Sandbox
    other: Path

    def a(self, *args: str, **more: Any) -> Completed:
        return self.sandbox.coffee(*args, **more)

    def b(self, *args: str, **more: Any) -> Completed:
        return self.sandbox.coffee(*args, cwd=self.other, **more)

    def owners(self) -> dict[str, tuple[str, str]]:
        """Task -> (branch, owner) of every claim on the remote."""
        found = {}
        for ref, blob in self.sandbox.refs("refs/coffee/tasks/", self.sandbox.origin).items():
            text = subprocess.run(
                ["git", "-C", str(self.sandbox.origin), "cat-file", "blob", blob], capture_output=True, check=True
            ).stdout
            claim = json.loads(text)
            if claim["state"] != "released":
                found[ref.removeprefix("refs/coffee/tasks/")] = (claim["branch"], claim["owner"])
        return found


@pytest.fixture
def machines(sandbox: Sandbox, tmp_path: Path) -> Machines:
    """Both with ``shared: true`` and an agent that commits one file."""
    config = {
        "gate": {"command": [sys.executable, "-m", "unittest", "-q"]}, "shared": True,
        "agent": {"command": ["sh", "-c", WORKS], "max-parallel": 3},
    }  # fmt: skip
    sandbox.commit({".coffee.yaml": json.dumps(config)})
    sandbox.push("roadmap")
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(sandbox.origin), str(other)], check=True)
    return Machines(sandbox, other)


def test_what_one_starts_the_other_sees_and_lands(machines: Machines) -> None:
    """A's agent finishes: B knows the claim, does not start it again, lands A's branch, and A hears of it."""
    assert machines.a("spawn", "US-104", "--wait").rc == 0
    seen = machines.b("--json", "status").json["tasks"]
    assert [(t["task"], t["branch"], t["state"]) for t in seen] == [("US-104", "roadmap-wt1", "done")]
    again = machines.b("--json", "spawn", "US-104")
    assert (again.rc, [s["reason"] for s in again.json["skipped"]]) == (1, ["claimed"])
    second = machines.b("--json", "spawn", "US-105", "--wait").json["spawned"]
    assert [s["branch"] for s in second] == ["roadmap-wt2"]
    landed = machines.b("--json", "merge").json["results"]
    assert sorted((r["branch"], r["outcome"]) for r in landed) == [("roadmap-wt1", "landed"), ("roadmap-wt2", "landed")]
    assert {t["state"] for t in machines.a("--json", "status").json["tasks"]} == {"landed"}
    assert machines.a("verify").rc == 0


def test_a_claim_of_another_clone_is_not_taken_for_an_orphan(machines: Machines) -> None:
    """Same user, same host, no branch here: that machine's agent simply has not finished."""
    machines.a("spawn", "US-104", env={"COFFEE_AGENT__COMMAND": json.dumps(["sleep", "30"])})
    before = machines.owners()
    assert set(before) == {"US-104"}
    assert machines.b("spawn", "US-105", "--wait").rc == 0
    assert machines.b("doctor", "--fix").rc in (0, 1)
    assert machines.owners()["US-104"] == before["US-104"]
    assert machines.a("stop", "US-104").rc == 0


def test_both_at_once_never_start_a_task_twice(machines: Machines) -> None:
    """The same command on both machines at the same moment, several times."""
    with ThreadPoolExecutor(2) as pool:
        command = ("--json", "spawn", "US-104", "US-105", "--wait")
        places = (machines.sandbox.work, machines.other)
        jobs = [pool.submit(partial(machines.sandbox.coffee_apart, cwd=place), *command) for place in places]
        done = [job.result() for job in jobs]
    assert all(each.rc in (0, 1) for each in done), done
    spawned = [s for each in done for s in each.json["spawned"]]
    assert len({s["task"] for s in spawned}) == len(spawned)
    assert len({s["branch"] for s in spawned}) == len(spawned)
    claims = machines.owners()
    assert {s["task"]: s["branch"] for s in spawned} == {task: branch for task, (branch, _) in claims.items()}


def test_without_the_remote_nothing_is_started(machines: Machines) -> None:
    """Another machine could be at the same task: exit 4, and nothing is left of the attempt."""
    gone = machines.sandbox.origin.rename(machines.sandbox.origin.with_name("gone.git"))
    before = machines.sandbox.refs()
    failed = machines.a("spawn", "US-104")
    assert (failed.rc, failed.out) == (4, "")
    assert machines.sandbox.refs() == before
    gone.rename(machines.sandbox.origin)
    assert machines.a("spawn", "US-104", "--wait").rc == 0


def test_what_could_not_be_told_is_told_later(machines: Machines) -> None:
    """The remote is away when the agent ends: the next command that has something to tell makes up for it."""
    waits = ["sh", "-c", f"while [ ! -e ../go ]; do sleep 0.05; done; {WORKS}"]
    machines.a("spawn", "US-104", env={"COFFEE_AGENT__COMMAND": json.dumps(waits)})
    origin = machines.sandbox.origin
    gone = origin.rename(origin.with_name("gone.git"))
    (machines.sandbox.work.parent / "work.worktrees/go").touch()
    status = "claimed"
    while status == "claimed":
        status = machines.a("--json", "status").json["tasks"][0]["state"]
    assert status == "done"
    gone.rename(origin)
    assert "refs/heads/roadmap-wt1" not in machines.sandbox.refs("refs/heads/", origin)
    assert machines.a("cleanup").rc == 0
    assert [t["state"] for t in machines.b("--json", "status").json["tasks"]] == ["done"]
    assert "refs/heads/roadmap-wt1" in machines.sandbox.refs("refs/heads/", origin)


def test_whose_claim_counts() -> None:
    """Every case of three values: what changed there becomes ours, what changed only here stays."""
    values = [None, *(Sha(letter * 40) for letter in "abc")]
    for own, before, now in product(values, repeat=3):
        moves = adoptions(*({"t": v} if v else {} for v in (own, before, now)))
        if now is None or own == now:
            assert moves == []
        elif own is None or now != before:
            assert moves == [Move(f"{CLAIMS}t", own or ABSENT, now)]
        else:
            assert moves == []
