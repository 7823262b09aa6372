"""Start an agent under its supervisor in a worktree that is ready."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from dataclasses import dataclass

from coffee_hooks.base.config import Command
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.identity import boot_id
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import start_detached
from coffee_hooks.base.project import Project
from coffee_hooks.base.user_hooks import Point
from coffee_hooks.spawn.agent import wants_stdin
from coffee_hooks.spawn.crew import Crew
from coffee_hooks.spawn.kit import Kit
from coffee_hooks.spawn.worktree import obey_hook
from coffee_hooks.state.agents import EndReason, begin_run, end_run
from coffee_hooks.state.order import Order, write_order
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Starting:
    """A supervisor that was started and has not answered yet. *answer* is the descriptor on which it will."""

    kit: Kit
    program: str
    run: int
    answer: int


def begin(project: Project, store: Store, kit: Kit, crew: Crew, since: Sha) -> Starting:
    """Record the run, then start the supervisor; its answer is read by :func:`answered`.

    Only commits that *since* does not have count as the agent's. Raises CoffeeError and OSError.
    """
    obey_hook(project, kit, Point.BEFORE_AGENT)
    argv = kit.fill(crew.command)
    run = _record(store, kit, crew.name, argv)
    order = write_order(_order(project, kit, crew, run, argv, since))
    ours, theirs = os.pipe()
    # The supervisor inherits the lock on its order, so there is no moment at which nobody holds it.
    held = os.open(order, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        after = kit.fill(project.config.hooks.after_agent)
        start_detached(
            [sys.executable, "-m", "coffee_hooks.spawn.supervisor", str(order), str(held), str(theirs), *after],
            cwd=project.repo.state_dir, env=for_children(kit.environment, crew.agent.env), log=kit.log,
            pass_fds=(held, theirs),
        )  # fmt: skip
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
        os.close(held)
    return Starting(kit, argv[0], run, ours)


def answered(store: Store, starting: Starting) -> int:
    """The agent's pid. Raises EnvironmentFailure when it could not be started."""
    with os.fdopen(starting.answer, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    word, _, rest = said.partition(" ")
    if word == "pid" and rest.isdigit():
        return int(rest)
    end_run(store, starting.run, time.time(), None, EndReason.FAILED)
    raise EnvironmentFailure(
        f"the agent of {starting.kit.claim.task} could not be started: {rest or 'its supervisor died'}",
        hint=f"check agent.command ({starting.program}) and {starting.kit.log}",
    )


def _record(store: Store, kit: Kit, name: str, argv: Command) -> int:
    claim = kit.claim
    return begin_run(
        store, task=claim.task, branch=claim.branch, worktree=str(kit.worktree), attempt=claim.attempt, agent=name,
        command=(argv[0],), supervisor_pid=0, boot_id=boot_id(), log=str(kit.log), when=time.time(),
    )  # fmt: skip


def _order(project: Project, kit: Kit, crew: Crew, run: int, argv: Command, since: Sha) -> Order:
    claim = kit.claim
    stdin = kit.values["prompt_file"] if wants_stdin(crew.command) else None
    return Order(
        run, claim.task, claim.branch, since, claim.attempt, argv, str(kit.worktree), str(project.repo.common_dir),
        str(kit.log), crew.agent.timeout, crew.agent.idle_timeout, project.config.shared, stdin,
        project.config.hooks.timeout,
    )  # fmt: skip
