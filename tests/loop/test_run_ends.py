"""The loop as a process: Ctrl-C, kill -9, a remote that goes away, and how it waits."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.project import open_project
from coffee_hooks.loop import signs
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.claims import ClaimState

if TYPE_CHECKING:
    from conftest import Shop

KILLS = 10
WAITS = "while [ ! -e ../go ]; do sleep 0.05; done"
UNIQUE = 'echo x > pkg/$COFFEE_TASK_ID.py; git add pkg; git commit -qm "feat: x"'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_agents_go_on_when_the_loop_is_stopped(shop: Shop, number: signal.Signals) -> None:
    """Exit 130 and one line; the next loop adopts them and lands their work."""
    shop.configure(f"touch ../up-$COFFEE_TASK_ID; {WAITS}; {UNIQUE}")
    child = shop.start()
    shop.until(lambda: len(list((shop.work.parent / "work.worktrees").glob("up-*"))) == 2)
    os.killpg(child.pid, number)  # as a terminal does: whatever the loop runs in the foreground gets it too
    _, said = child.communicate()
    assert child.returncode == 130
    assert "stopped; agents that were started go on" in said.splitlines()[-1]
    assert len(list(living_orders(shop.state_dir))) == 2
    (shop.work.parent / "work.worktrees" / "go").touch()
    assert shop.run() == 0
    assert sorted(shop.landed) == ["US-104", "US-105", "US-106"]
    assert [event["task"] for event in shop.named("spawned")] == ["US-106"]


def test_killed_ten_times_and_everything_lands(shop: Shop) -> None:
    """kill -9 at random moments: no task is lost, none is done twice, and the last loop comes to the right end."""
    moments = random.Random(20260101)
    shop.configure(f"sleep 0.3; {UNIQUE}", retries=3)
    for _ in range(KILLS):
        child = shop.start("--until-idle", "--poll", "0.2s")
        time.sleep(moments.uniform(0.2, 1.6))
        child.kill()
        child.communicate()
    for path in (shop.work / ".git").rglob("*.lock"):
        if path.parent != shop.state_dir:
            path.unlink()  # what git itself says to do after a kill -9
    assert shop.run() == 0
    assert {task: claim.state for task, claim in shop.claims().items()} == dict.fromkeys(
        ("US-104", "US-105", "US-106"), ClaimState.LANDED
    )
    subjects = shop.git(shop.box.origin, "log", "--merges", "--format=%s", "roadmap").splitlines()
    merges = [subject for subject in subjects if subject.startswith("Merge parallel work")]
    assert len(merges) == 3 and all(sum(task in m for m in merges) == 1 for task in ("US-104", "US-105", "US-106"))
    assert {"pkg/US-104.py", "pkg/US-105.py", "pkg/US-106.py"} <= shop.target_files()
    assert shop.box.coffee("verify").rc == 0
    assert shop.git(shop.work, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert shop.git(shop.work, "status", "--porcelain") == ""


def test_a_remote_that_goes_away_and_comes_back(shop: Shop) -> None:
    """The loop says so once, agents work on, and everything lands when it is back."""
    shop.configure(f"{WAITS}; {UNIQUE}")
    child = shop.start("--until-idle", "--poll", "0.2s")
    events = shop.follow(child)
    shop.until(lambda: len([e for e in events if e["event"] == "spawned"]) == 2)
    away = shop.box.origin.with_name("away.git")
    shop.box.origin.rename(away)
    shop.until(lambda: any(e["event"] == "error" for e in events))
    (shop.work.parent / "work.worktrees" / "go").touch()
    shop.wait()
    away.rename(shop.box.origin)
    assert child.wait() == 0
    shop.until(lambda: events[-1]["event"] == "idle")
    assert sorted(e["task"] for e in events if e["event"] == "merge" and e["outcome"] == "landed") == [
        "US-104", "US-105", "US-106",
    ]  # fmt: skip
    assert len([e for e in events if e["event"] == "error"]) == 1


def test_a_remote_that_stays_away_ends_a_loop_that_is_to_end(shop: Shop) -> None:
    """With nobody at work it gives up after a few tries: exit 4, nothing half done."""
    shop.configure("sleep 600")
    shop.drop("104", "105", "106")
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    before = shop.box.refs()
    shop.box.origin.rename(shop.box.origin.with_name("away.git"))
    done = shop.box.coffee("run", "--until-idle", "--poll", "0.1s")
    assert done.rc == 4
    assert "error: the remote origin cannot be read" in done.err.splitlines()[-2]
    assert shop.box.refs() == before


# --- waiting --------------------------------------------------------------------------------------


def test_waiting_starts_no_git_process(shop: Shop) -> None:
    """Idle costs two looks at a folder; only the end of the poll or a sign starts another round."""
    repo = open_project(shop.work).repo
    seen: list[Sequence[str]] = []
    gate.trace.append(seen.append)
    try:
        signs.wait_for_sign(repo, signs.look(repo), 0.5)
    finally:
        gate.trace.remove(seen.append)
    assert seen == []


def test_an_agent_that_ends_is_a_sign(shop: Shop) -> None:
    """A poll of an hour does not delay it: the folder of orders changes, and the wait is over."""
    repo = open_project(shop.work).repo
    folder = shop.state_dir / "agents"
    folder.mkdir(parents=True)
    (folder / "1.json").touch()
    before = signs.look(repo)
    changed = folder.stat().st_mtime_ns
    waiting = threading.Thread(target=signs.wait_for_sign, args=(repo, before, 3600.0), daemon=True)
    waiting.start()
    (folder / "1.json").unlink()
    os.utime(folder, ns=(changed, changed))  # as in the same tick of the clock
    waiting.join(30.0)
    assert not waiting.is_alive()


def test_what_ended_before_the_wait_is_not_missed(shop: Shop) -> None:
    """Signs are compared with those of the round: with an hour's poll even quick agents land at once."""
    child = shop.start("--until-idle", "--poll", "1h")
    _, said = child.communicate(timeout=120)
    assert child.returncode == 0, said
    assert {"pkg/US-104.py", "pkg/US-105.py", "pkg/US-106.py"} <= shop.target_files()
