"""Start an agent under its supervisor in a worktree that is ready."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.config import Agent, Command
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.process import boot_id, start_detached
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import encode
from coffee_hooks.spawn.agent import fill
from coffee_hooks.spawn.port import choose_port
from coffee_hooks.spawn.prompt import Assignment, prompt
from coffee_hooks.state.agents import EndReason, begin_run, end_run
from coffee_hooks.state.claims import Claim
from coffee_hooks.state.order import Order, write_order
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Prepared:
    """One agent about to start: the filled argument list and what it will find in its environment."""

    claim: Claim
    worktree: Path
    argv: Command
    environment: dict[str, str]
    log: Path


@dataclass(frozen=True, slots=True)
class Starting:
    """A supervisor that was started and has not answered yet."""

    prepared: Prepared
    run: int
    answer: int
    supervisor: int


def log_path(project: Project, task: str) -> Path:
    """The log of a task: every attempt of its agent, one after the other."""
    return project.repo.state_dir / "logs" / f"{encode(task)}.log"


def prepare(
    project: Project, claim: Claim, worktree: Path, work: Assignment, agent: Agent, command: Command
) -> Prepared:
    """Write the prompt file and fill in the argument list. Raises UsageError for an unknown placeholder."""
    text = prompt(work, worktree, claim.branch, project.config.gate.command, agent.prompt)
    prompt_file = project.repo.state_dir / "prompts" / f"{encode(claim.task)}.md"
    prompt_file.parent.mkdir(parents=True, exist_ok=True)
    prompt_file.write_text(text, encoding="utf-8", errors="replace")
    values = {
        "task": claim.task, "branch": claim.branch, "worktree": str(worktree), "base": claim.base,
        "spec": work.spec_path or "", "prompt": text.replace("\0", ""), "prompt_file": str(prompt_file),
    }  # fmt: skip
    environment = variables(project, claim, worktree, work.spec_path) | {"COFFEE_PROMPT_FILE": str(prompt_file)}
    return Prepared(claim, worktree, fill(command, values), environment, log_path(project, claim.task))


def variables(project: Project, claim: Claim, worktree: Path, spec: str | None) -> dict[str, str]:
    """The ``COFFEE_*`` variables of everything that runs for this claim."""
    return {
        "COFFEE_TASK_ID": claim.task,
        "COFFEE_BRANCH": claim.branch,
        "COFFEE_WORKTREE": str(worktree),
        "COFFEE_ROOT": str(project.repo.main),
        "COFFEE_BASE_SHA": claim.base,
        "COFFEE_SPEC": spec or "",
        "COFFEE_PORT": str(choose_port(claim.branch)),
        "COFFEE_ATTEMPT": str(claim.attempt),
    }


def begin(project: Project, store: Store, prepared: Prepared, name: str, agent: Agent) -> Starting:
    """Record the run, then start the supervisor; its answer is read by :func:`answered`."""
    claim = prepared.claim
    run = begin_run(
        store, task=claim.task, branch=claim.branch, worktree=str(prepared.worktree), attempt=claim.attempt, agent=name,
        command=(prepared.argv[0],), supervisor_pid=0, boot_id=boot_id(), log=str(prepared.log), when=time.time(),
    )  # fmt: skip
    order = write_order(
        Order(
            run,
            claim.task,
            claim.branch,
            claim.base,
            claim.attempt,
            prepared.argv,
            str(prepared.worktree),
            str(project.repo.common_dir),
            str(prepared.log),
            agent.timeout,
            agent.idle_timeout,
        )  # fmt: skip
    )
    ours, theirs = os.pipe()
    supervisor = start_detached(
        [sys.executable, "-m", "coffee_hooks.spawn.supervisor", str(order), str(theirs)],
        cwd=project.repo.state_dir, env=for_children(prepared.environment, agent.env), log=prepared.log, pass_fds=(theirs,),
    )  # fmt: skip
    os.close(theirs)
    return Starting(prepared, run, ours, supervisor)


def answered(store: Store, starting: Starting) -> int:
    """The agent's pid. Raises EnvironmentFailure when it could not be started."""
    with os.fdopen(starting.answer, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    word, _, rest = said.partition(" ")
    if word == "pid" and rest.isdigit():
        return int(rest)
    end_run(store, starting.run, time.time(), None, EndReason.FAILED)
    raise EnvironmentFailure(
        f"the agent of {starting.prepared.claim.task} could not be started: {rest or 'its supervisor died'}",
        hint=f"check agent.command ({starting.prepared.argv[0]}) and {starting.prepared.log}",
    )
