"""What may be started now: places, tasks that could not be made, and why a named task was not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import Agent
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.evaluate.collisions import Pair, Relation
from coffee_hooks.loop.work import select, spawn_tasks, startable, why_not
from coffee_hooks.spawn.making import take
from coffee_hooks.spawn.report import SpawnReport
from coffee_hooks.spawn.room import Room, find_room
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.store import Store, open_store

if TYPE_CHECKING:
    from conftest import Sandbox

TASKS = [TaskId(f"US-{n}") for n in range(1, 6)]


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    """The sandbox with an agent that ends at once."""
    project = open_project(sandbox.work)
    return replace(project, config=replace(project.config, agent=Agent(command=("true",), max_parallel=2)))


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    """Its state."""
    with open_store(project.repo.state_dir) as opened:
        yield opened


def claim(task: TaskId, state: ClaimState, reason: str | None) -> Claim:
    """A claim of which only state and reason matter."""
    return Claim(task, "roadmap-wt1", Sha("a" * 40), "me@here", 1, state, None, reason, 0)


@given(st.lists(st.sampled_from(TASKS), unique=True), st.sets(st.sampled_from(TASKS)), st.integers(0, 3))
def test_what_could_not_be_made_runs_alone(selected: list[TaskId], troubled: set[TaskId], running: int) -> None:
    """Troubled tasks never start beside another; sound ones always may; nothing that could start waits for ever."""
    claims = {task: claim(task, ClaimState.RELEASED, "worktree-failed") for task in troubled}
    chosen = list(startable(selected, claims, running))
    sound = [task for task in selected if task not in troubled]
    assert [task for task in chosen if task not in troubled] == sound
    assert len(chosen) == 1 or not troubled.intersection(chosen)
    assert not (running and troubled.intersection(chosen))
    assert chosen or running or not selected


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (ClaimState.RELEASED, "agent-failed"),
        (ClaimState.RELEASED, "interrupted"),
        (ClaimState.REVERTED, "worktree-failed"),
    ],
)
def test_only_a_failed_worktree_is_trouble(state: ClaimState, reason: str) -> None:
    """Tasks that were given back for another reason start beside others."""
    assert startable(TASKS[:1], {TASKS[0]: claim(TASKS[0], state, reason)}, 1) == TASKS[:1]


def test_what_is_being_made_takes_a_place(project: Project, store: Store) -> None:
    """A spawn in progress elsewhere counts, or two calls at once would start more agents than allowed."""
    assert (find_room(project, store, None), find_room(project, store, 5)) == (Room(2), Room(5))
    making = take(project.repo.state_dir, "roadmap-wt1")
    assert making is not None
    assert (find_room(project, store, None), find_room(project, store, 1)) == (Room(1), Room(0))
    making.finish()


def test_no_place_selects_nothing(project: Project, store: Store) -> None:
    """`select` keeps to the free places."""
    evaluation, room = select(project, store, (), 1)
    assert (evaluation.selected, room) == (("US-104",), Room(1))


def test_nothing_to_do_starts_nothing_and_needs_no_agent(project: Project, store: Store) -> None:
    """A missing agent command is no error while there is nothing to start."""
    config = replace(project.config, agent=Agent(command=("no-such-agent",), max_parallel=0))
    assert spawn_tasks(replace(project, config=config), store, (), None, None) == SpawnReport((), ())


def test_complete_tasks_are_said_to_be_complete(project: Project, store: Store, sandbox: Sandbox) -> None:
    """A named task that the roadmap calls complete is skipped with that reason."""
    roadmap = sandbox.work / "docs/roadmap/ROADMAP.md"
    sandbox.commit({"docs/roadmap/ROADMAP.md": roadmap.read_text().replace("📝 Planned", "✅ Complete", 2)})
    report = spawn_tasks(project, store, ("104",), None, None)
    assert [(skipped.task, skipped.reason) for skipped in report.skipped] == [("US-104", "complete")]


def test_a_task_that_fits_is_told_what_keeps_it_from_starting(project: Project, store: Store) -> None:
    """The limit, or risks that add up; not that it hides its files."""
    evaluation, _ = select(project, store, ("104", "105"), 1)
    left = why_not(evaluation, TaskId("US-105"), Room(1))
    assert left is not None and left.reason == "limit"
    (chosen,) = (verdict for verdict in evaluation.verdicts if verdict.task == "US-104")
    five = [replace(chosen, task=TaskId(f"US-{number}")) for number in range(1, 6)]
    risky = [Pair(each.task, TaskId("US-105"), Relation.INDEPENDENT, 0.2) for each in five]
    crowded = replace(evaluation, pairs=tuple(risky), verdicts=(*five, *evaluation.verdicts))
    left = why_not(crowded, TaskId("US-105"), Room(1))
    assert left is not None and (left.reason, left.detail) == (
        "not-independent",
        "beside US-1, US-2, US-3, US-4 and 1 more its risks add up to 1.00; from 1.00 on, starting it gains nothing",
    )
