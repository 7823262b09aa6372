"""Agents whose supervisor was killed: they have their limits all the same, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.process import group_members
from coffee_hooks.loop.run import MANY_FAILURES, Orchestrator, Until
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.agents import AgentRun, EndReason, active_runs, all_runs
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Shop

COMMITS = 'echo x > pkg/new.py; git add pkg; git commit -qm "feat: x"'
CHILDREN = ["sh", "-c", "sleep 600 & touch ../up; wait"]


def limit(shop: Shop, **limits: float) -> None:
    """Commit an agent with a child, and for how many seconds it may go on."""
    agent = {"command": CHILDREN, "retries": 0, **{name.replace("_", "-"): value for name, value in limits.items()}}
    shop.box.commit({".coffee.yaml": json.dumps({"gate": {"command": ["true"]}, "agent": agent})}, "chore: Limit")
    shop.box.push()


def unwatched(shop: Shop) -> AgentRun:
    """US-104 with an agent whose supervisor was killed."""
    shop.drop("105", "106")
    limit(shop)
    assert shop.run(Until.ONE_ROUND) == 0
    shop.until((shop.work.parent / "work.worktrees" / "up").exists)
    with open_store(shop.state_dir) as store:
        (run,) = active_runs(store)
    os.kill(run.supervisor_pid, signal.SIGKILL)
    shop.until(lambda: not list(living_orders(shop.state_dir)))
    return run


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"timeout": 0.001}, EndReason.TIMED_OUT), ({"idle_timeout": 0.001}, EndReason.STALLED)],
)
def test_it_is_ended_when_its_time_is_over(shop: Shop, limits: dict[str, float], reason: EndReason) -> None:
    """A loop waited forever for a hung agent whose supervisor the system had killed."""
    run = unwatched(shop)
    loop = shop.loop()
    assert loop.run(Until.ONE_ROUND) == 0
    assert group_members(run.pid or 0)
    limit(shop, **limits)
    loop.memory.unwatched.clear()
    codes = [loop.run(Until.ONE_ROUND) for _ in range(3)]  # silence takes two looks
    assert codes[-1] == 1
    with open_store(shop.state_dir) as store:
        assert [run.reason for run in all_runs(store)] == [reason]
    assert group_members(run.pid or 0) == () and list((shop.state_dir / "agents").iterdir()) == []


def test_what_it_started_ends_when_it_is_lost(shop: Shop) -> None:
    """Its next attempt shared the worktree with what the last one had left."""
    run = unwatched(shop)
    assert run.pid is not None
    os.kill(run.pid, signal.SIGKILL)
    assert shop.run(Until.ONE_ROUND) == 1
    assert [lost["task"] for lost in shop.named("lost")] == ["US-104"]
    assert group_members(run.pid) == () and list((shop.state_dir / "agents").iterdir()) == []


def test_a_loop_does_not_give_up_while_the_kernel_knows_an_agent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk nobody can open the database; agents at work free it again, and the loop had ended by then."""
    shop.drop("105", "106")
    shop.configure(f"while [ ! -e ../go ]; do sleep 0.05; done; {COMMITS}")
    assert shop.run(Until.ONE_ROUND) == 0
    for path in shop.state_dir.glob("state.db*"):
        path.unlink()
    (shop.state_dir / "state.db").write_text("no database at all, but a text that is long enough" * 100)
    heard: list[str] = []

    def complain(_loop: Orchestrator, failed: CoffeeError, _then: str) -> None:
        heard.append(failed.what)
        if len(heard) > MANY_FAILURES:
            (shop.state_dir / "state.db").unlink()
            (shop.work.parent / "work.worktrees" / "go").touch()

    monkeypatch.setattr(Orchestrator, "_complain", complain)
    assert shop.run(Until.IDLE, poll=0.05) == 0
    assert shop.landed == ["US-104"] and "damaged" in heard[0]
