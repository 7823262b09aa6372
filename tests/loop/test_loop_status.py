"""Status: facts in words and numbers, for people and for programs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.loop.board import IDLE_SECONDS, word_for
from coffee_hooks.loop.run import Until
from coffee_hooks.loop.status import ran_beside_another
from coffee_hooks.state.agent_state import Doing
from coffee_hooks.state.agents import AgentRun, EndReason
from coffee_hooks.state.claims import Claim, ClaimState

if TYPE_CHECKING:
    from conftest import Shop

RUN = AgentRun(
    1, "US-1", "roadmap-wt1", "/wt1", 1, "agent", (), 6, 7, 1.0, "boot", "/log", 100.0, 100.0, None, None, None
)


def status(shop: Shop) -> dict[str, Any]:
    """The JSON answer, valid by the schema that ships."""
    asked = shop.box.coffee("--json", "status")
    schema = json.loads(files("coffee_hooks").joinpath("schemas/status.json").read_text())
    Draft202012Validator(schema).validate(asked.json)
    return asked.json


def landed(branch: str, state: ClaimState = ClaimState.LANDED) -> Claim:
    return Claim(TaskId("US-1"), branch, Sha("1" * 40), "me", 1, state, None, None, 0)


# --- words and counters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("running", "silence", "lost", "reason", "word"),
    [
        (True, 0.0, False, None, "working"),
        (True, IDLE_SECONDS + 1, False, None, "idle"),
        (False, 0.0, False, EndReason.DONE, "done"),
        (False, 0.0, False, EndReason.STALLED, "stuck"),
        (False, 0.0, False, EndReason.TIMED_OUT, "stuck"),
        (False, 0.0, False, EndReason.FAILED, "dead"),
        (False, 0.0, False, EndReason.CANCELLED, "dead"),
        (False, 0.0, True, None, "dead"),
    ],
)
def test_words_for_agents(running: bool, silence: float, lost: bool, reason: EndReason | None, word: str) -> None:
    """working, idle, done, stuck, dead: from facts before records."""
    assert word_for(Doing(replace(RUN, reason=reason), running, lost), 100.0 + silence) == word


def test_tasks_that_ran_side_by_side_are_counted() -> None:
    """Only landed ones, each once, and only beside another task; a second attempt of its own does not count."""
    runs = [
        replace(RUN, task="US-1", branch="a", started=0.0, ended=10.0),
        replace(RUN, task="US-1", branch="a", started=5.0, ended=8.0),
        replace(RUN, task="US-2", branch="b", started=9.0, ended=20.0),
        replace(RUN, task="US-3", branch="c", started=20.0, ended=30.0),
        replace(RUN, task="US-4", branch="d", started=29.0, ended=None),
    ]
    assert ran_beside_another([landed("a")], runs[:2]) == 0
    assert ran_beside_another([landed("a"), landed("b"), landed("c")], runs) == 3
    assert ran_beside_another([landed("a"), landed("b", ClaimState.BLOCKED)], runs[:3]) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(1, 5)), max_size=8))
def test_side_by_side_against_the_definition(spans: Sequence[tuple[int, int, int]]) -> None:
    """Every branch with a moment that it shares with an agent of another task."""
    runs = [
        replace(RUN, task=f"US-{task}", branch=f"b{task}", started=float(start), ended=float(start + length))
        for task, start, length in spans
    ]
    moments: dict[int, set[int]] = {}
    for task, start, length in spans:
        for second in range(start, start + length):
            moments.setdefault(second, set()).add(task)
    expected = {task for tasks in moments.values() if len(tasks) > 1 for task in tasks}
    assert ran_beside_another([landed(f"b{task}") for task in range(4)], runs) == len(expected)


# --- on a repository ------------------------------------------------------------------------------


def test_nothing_yet(shop: Shop) -> None:
    """An empty repository has a status, and a next step."""
    assert status(shop) == {
        "schema": 1, "command": "status", "tasks": [], "agents": [], "branches": [], "overlaps": [],
        "outside": [], "escaped": [],
        "state": {"parallel_executions_completed": 0, "last_cleanup": None},
    }  # fmt: skip
    assert shop.box.coffee("status").out == (
        "nothing is claimed and no roadmap-* branch is open; start with: coffee run\n"
    )


def test_work_in_every_state(shop: Shop) -> None:
    """A running agent, a red branch, a person's branch: what each is, and why it is not ready."""
    shop.configure("if [ $COFFEE_TASK_ID = US-104 ]; then sleep 600; else false; fi")
    shop.run(Until.ONE_ROUND)
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    shop.until(lambda: any(agent["state"] == "dead" for agent in status(shop)["agents"]))
    found = status(shop)
    agents = {agent["task"]: agent for agent in found["agents"]}
    assert (agents["US-104"]["state"], agents["US-104"]["ended"]) == ("working", None)
    assert (agents["US-105"]["state"], agents["US-105"]["reason"], agents["US-105"]["exit_code"]) == (
        "dead",
        "failed",
        1,
    )
    branches = {branch["branch"]: branch for branch in found["branches"]}
    assert branches["roadmap-mine"]["ready"] is True
    assert branches["roadmap-wt1"]["reasons"] == ["agent-running", "no-commits"]
    assert branches["roadmap-wt2"]["reasons"] == ["agent-failed", "no-commits"]
    text = shop.box.coffee("status").out.splitlines()
    assert text[0].split() == ["task", "state", "branch", "agent", "commits", "next"]
    assert text[1].split() == ["US-104", "claimed", "roadmap-wt1", "working", "0", "agent-running"]
    assert text[-1] == "queue: roadmap-mine"


def test_counters_after_the_work(shop: Shop) -> None:
    """Two ran side by side and landed; the moment of the cleanup is known; all of it survives as facts."""
    shop.configure(
        "touch ../$COFFEE_TASK_ID; while [ ! -e ../US-104 ] || [ ! -e ../US-105 ]; do sleep 0.02; done;"
        ' echo x > pkg/$COFFEE_TASK_ID.py; git add pkg; git commit -qm "feat: x"'
    )
    before = time.time()
    assert shop.run() == 0
    state = status(shop)["state"]
    assert state["parallel_executions_completed"] == 2
    assert state["last_cleanup"] >= int(before)


def test_watch_shows_it_again_when_it_changes(shop: Shop) -> None:
    """One object for each change, until Ctrl-C."""
    command = [sys.executable, "-I", "-c", (
        "import sys; from coffee_hooks.loop import watch; watch.TICK_SECONDS, watch.LOOK_SECONDS = 0.05, 0.0;"
        "from coffee_hooks.boundary import main; sys.exit(main(['--json', 'status', '--watch']))"
    )]  # fmt: skip
    child = subprocess.Popen(command, cwd=shop.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    shop.children.append(child)
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["branches"] == []
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    assert [branch["branch"] for branch in json.loads(child.stdout.readline())["branches"]] == ["roadmap-mine"]
    os.kill(child.pid, signal.SIGINT)
    rest, _ = child.communicate()
    assert (child.returncode, rest) == (130, "")
