"""One task at a time: its log, stopping it, starting it again."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.work import assignment, crew_for
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import parse_task_name, resolve_task, task_key
from coffee_hooks.spawn.resume import resume, stop
from coffee_hooks.spawn.spawn import Spawned
from coffee_hooks.spawn.start import log_path
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import AgentRun, latest_run
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Stopped:
    """*running* says whether there was anything to stop."""

    task: TaskId
    running: bool
    pid: int | None


def claimed_task(project: Project, name: str) -> Claim:
    """The claim that a person means. Raises UsageError when there is none."""
    claims = read_claims(project.repo)
    plan = read_plan(project, read_target(project).sha)
    try:
        task = resolve_task(name, plan.items)
    except UsageError:
        wanted = parse_task_name(name)  # claimed, but not in the roadmap any more
        found = [c for c in claims.values() if wanted and task_key(c.task) == task_key(wanted)]
        if not found:
            raise
        return found[0]
    claim = claims.get(task)
    if claim is None:
        raise UsageError(f"nobody works on {task}", hint=f"coffee spawn {task}")
    return claim


def print_log(start: Path, name: str, follow: bool) -> int:
    """Copy the log of a task's agent to stdout as it is; with *follow* until the agent has ended."""
    project = open_project(start)
    claim = claimed_task(project, name)
    path = log_path(project, claim.task)
    if not path.is_file():
        raise UsageError(f"{claim.task} has no log on this machine", hint="coffee status")
    with path.open("rb") as log, open_store(project.repo.state_dir) as store:
        while True:
            running = _running(project, store, claim.task)
            while chunk := log.read(65536):
                sys.stdout.buffer.write(chunk if not sys.stdout.isatty() else _harmless(chunk))
            sys.stdout.flush()
            if not (follow and running):
                return 0
            time.sleep(0.2)


def _harmless(data: bytes) -> bytes:
    """What an agent wrote must not steer the terminal of whoever reads it; colours are lost with the rest."""
    text = data.decode("utf-8", "replace")
    return "".join(char if char in "\n\t" else printable(char) for char in text).encode()


def _running(project: Project, store: Store, task: TaskId) -> bool:
    run = latest_run(store, task)
    return run is not None and look(project.repo.state_dir, run).running


def stop_task(start: Path, name: str) -> Stopped:
    """Stop the agent of a task and everything it started."""
    project = open_project(start)
    claim = claimed_task(project, name)
    with open_store(project.repo.state_dir) as store:
        run: AgentRun | None = latest_run(store, claim.task)
        return Stopped(claim.task, run is not None and stop(project, store, run), run.pid if run else None)


def resume_task(start: Path, name: str, agent: str | None) -> Spawned:
    """Start the agent of a task again in the same worktree."""
    project = open_project(start)
    claim = claimed_task(project, name)
    if claim.state not in (ClaimState.CLAIMED, ClaimState.DONE, ClaimState.BLOCKED):
        raise RuleError(f"{claim.task} is {claim.state.value}", hint=f"coffee spawn {claim.task}")
    plan = read_plan(project, read_target(project).sha)
    with open_store(project.repo.state_dir) as store:
        work = assignment(plan, claim.task, claim.reason)
        return resume(project, store, claim, work, crew_for(project, agent))


def expect_task(start: Path, branch: str, name: str) -> None:
    """Raises UsageError unless *branch* carries the task that *name* means."""
    project = open_project(start)
    plan = read_plan(project, read_target(project).sha)
    task = resolve_task(name, plan.items)
    with open_store(project.repo.state_dir) as store:
        found = detect_ready(project, store, read_target(project), [branch]).candidates
    claim = next((c for c in read_claims(project.repo).values() if c.branch == branch), None)
    carried = found[0].task if found else claim.task if claim else None
    if carried is not None and task_key(carried) != task_key(task):
        raise UsageError(f"{printable(branch)} carries {carried}, not {task}", hint=f"--us-number {carried}")
