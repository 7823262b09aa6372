"""One task at a time: its log, stopping it, starting it again."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import read_ref
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.events import Reader
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.loop.retry import failure_again
from coffee_hooks.loop.work import brief, crew_for, plan_of
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.sources.task_names import parse_task_name, resolve_task, task_key
from coffee_hooks.spawn.kit import log_path
from coffee_hooks.spawn.living import at_work
from coffee_hooks.spawn.prompt import assignment
from coffee_hooks.spawn.report import Spawned
from coffee_hooks.spawn.resume import resume
from coffee_hooks.spawn.rotate import older
from coffee_hooks.spawn.stop import stop
from coffee_hooks.state.agents import latest_run
from coffee_hooks.state.claims import Claim, read_claims
from coffee_hooks.state.reviews import read_reviews
from coffee_hooks.state.store import open_store

CHUNK = 1 << 16
LOOK_SECONDS = 0.2

_STEERS = re.compile(r"[^\n\t\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Stopped:
    """*running* says whether there was anything to stop; *pid* is that of the latest agent, None if it had none."""

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
    """Copy the log of a task's agent to stdout as it is; with *follow* until the agent has ended.

    On a terminal its events are told in words, and what could steer it is shown as escapes. Raises UsageError when
    there is no log here.
    """
    project = open_project(start)
    claim = claimed_task(project, name)
    path = log_path(project, claim)
    if not path.is_file():
        raise UsageError(f"{claim.task} has no log on this machine", hint="coffee status")
    harmless = Harmless() if sys.stdout.isatty() else None
    for place, followed in ((older(path), None), (path, claim if follow else None)):
        with contextlib.suppress(FileNotFoundError), place.open("rb") as log:
            for chunk in log_pieces(log, project, followed):
                sys.stdout.buffer.write(harmless.shown(chunk) if harmless else chunk)
                sys.stdout.buffer.flush()
    if harmless:
        sys.stdout.buffer.write(harmless.end())
        sys.stdout.buffer.flush()
    return 0


def log_pieces(log: BinaryIO, project: Project, followed: Claim | None) -> Iterator[bytes]:
    """What is in the log, and what comes, until the agent of the claim *followed* has ended."""
    state_dir = project.repo.state_dir
    running = True
    while running:
        if followed is None:
            running = False
        else:  # looked at before the log is read: what is written in between belongs to the next round
            with open_store(state_dir) as store:
                running = followed.branch in at_work(state_dir, store)
        if os.fstat(log.fileno()).st_size < log.tell():
            log.seek(0)  # it was cut
        while chunk := log.read(CHUNK):
            yield chunk
        if running:
            time.sleep(LOOK_SECONDS)


class Harmless:
    """What an agent wrote, made unable to steer the terminal of whoever reads it; colours are lost with the rest."""

    def __init__(self) -> None:
        self._events = Reader()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def shown(self, data: bytes) -> bytes:
        """What can be shown of the log with its next piece; a line may be torn between two pieces."""
        return self._harmless(self._events.read(data))

    def end(self) -> bytes:
        """What was left at the end."""
        return self._harmless(self._events.end())

    def _harmless(self, data: bytes) -> bytes:
        return _STEERS.sub(lambda found: printable(found[0]), self._decoder.decode(data)).encode()


def stop_task(start: Path, name: str) -> Stopped:
    """Stop the agent of a task and everything it started."""
    project = open_project(start)
    claim = claimed_task(project, name)
    with open_store(project.repo.state_dir) as store:
        running = stop(project, store, claim)
        run = latest_run(store, claim.task)
    tell_others(project)
    return Stopped(claim.task, running, run.pid if run else None)


def resume_task(start: Path, name: str, agent: str | None) -> Spawned:
    """Start the agent of a task again in the same worktree."""
    project = open_project(start)
    claim = claimed_task(project, name)
    if not claim.open:
        raise RuleError(f"{claim.task} is {claim.state.value}", hint=f"coffee spawn {claim.task}")
    target = read_target(project).sha
    plan = read_plan(project, target)
    if claim.reason:
        tip = read_ref(project.repo, f"refs/heads/{claim.branch}")
        reviewed = read_reviews(project.repo, project.remote).get(tip) if tip else None
        work = brief(project, plan, claim, failure_again(claim.reason, reviewed), target)
    else:
        work = assignment(plan_of(project, plan, claim), claim.task)
    with open_store(project.repo.state_dir) as store:
        started = resume(project, store, claim, work, crew_for(project, agent))
    tell_others(project)
    return started


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
