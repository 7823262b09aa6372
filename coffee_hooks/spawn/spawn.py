"""Give each task its own branch, worktree and agent, or undo exactly what was begun."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import messages, output
from coffee_hooks.base.config import Agent, Command
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure
from coffee_hooks.base.lock import LockProof, hold
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.spawn.agent import check_placeholders, template
from coffee_hooks.spawn.claim import claim_task, first_number, give_back
from coffee_hooks.spawn.copies import Copies, choose_copies
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.start import Starting, answered, begin, log_path, prepare, variables
from coffee_hooks.spawn.worktree import Made, WorktreeFailed, make_worktree, undo_worktree
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, record_timing

LOCK_SECONDS = 60.0
"""How long one spawn waits for another on this machine; making worktrees takes well under a second each."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """A task whose agent runs."""

    task: TaskId
    branch: str
    worktree: Path
    base: Sha
    pid: int
    agent: str
    log: Path
    attempt: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A task that was not started: a stable reason code and one sentence."""

    task: TaskId
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class SpawnReport:
    """What one call did."""

    spawned: tuple[Spawned, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Crew:
    """The agent that will do the work, checked before anything is claimed."""

    name: str
    agent: Agent
    command: Command


def muster(name: str, agent: Agent) -> Crew:
    """Check the agent's command. Raises UsageError for a bad template, EnvironmentFailure when it is not installed."""
    command = template(agent)
    check_placeholders(command)
    if "{" not in command[0] and shutil.which(command[0]) is None:
        raise EnvironmentFailure(
            f"the agent command {command[0]!r} was not found", hint="install it, or set agent.command in .coffee.yaml"
        )
    return Crew(name, agent, command)


def spawn(project: Project, store: Store, base: Sha, work: Sequence[Assignment], crew: Crew) -> SpawnReport:
    """Start an agent for each of *work* at *base*.

    Raises EnvironmentFailure when not one worktree could be made, LockedError when another spawn does not end.
    """
    with hold(project.repo, "spawn", wait=LOCK_SECONDS) as proof:
        claimed, skipped = _claim_all(project, base, work, proof)
        copies = choose_copies(
            project.repo.main, project.config.worktrees.copy, [w.path for w in list_worktrees(project.repo)]
        )
        for refusal in copies.refused:
            output.say(f"not copied: {refusal}")
        made, failed = _make_all(project, store, claimed, copies)
        if failed and not made and not skipped:
            raise failed[0][1]
        spawned, unstarted = _start_all(project, store, made, work, crew)
    skipped += [Skipped(claim.task, "worktree-failed", error.what) for claim, error in failed]
    if unstarted and not spawned:
        raise unstarted[0][1]
    skipped += [Skipped(claim.task, "agent-failed", error.what) for claim, error in unstarted]
    return SpawnReport(tuple(spawned), tuple(skipped))


def _claim_all(
    project: Project, base: Sha, work: Sequence[Assignment], proof: LockProof
) -> tuple[list[Claim], list[Skipped]]:
    claims = claims_.read_claims(project.repo)
    number = first_number(project, claims, list_worktrees(project.repo))
    claimed: list[Claim] = []
    skipped: list[Skipped] = []
    for assignment in work:
        earlier = claims.get(assignment.task)
        if earlier is not None and earlier.state not in (ClaimState.RELEASED, ClaimState.REVERTED):
            skipped.append(Skipped(assignment.task, "claimed", f"{earlier.owner} has it on {earlier.branch}"))
            continue
        claim = claim_task(project, assignment.task, base, number, earlier, proof)
        if claim is None:
            skipped.append(Skipped(assignment.task, "claimed", "somebody else claimed it this very moment"))
            continue
        claimed.append(claim)
        number += 1
    return claimed, skipped


def _make_all(
    project: Project, store: Store, claimed: Sequence[Claim], copies: Copies
) -> tuple[list[tuple[Claim, Made]], list[tuple[Claim, WorktreeFailed]]]:
    """Side by side, each tried twice; a claim whose worktree cannot be made is given back."""
    made: list[tuple[Claim, Made]] = []
    failed: list[tuple[Claim, WorktreeFailed]] = []

    def one(claim: Claim) -> Made | WorktreeFailed:
        log = log_path(project, claim.task)
        env = variables(project, claim, project.worktrees_root, None)
        for last in (False, True):
            try:
                return make_worktree(project, claim, copies, log, env)
            except WorktreeFailed as error:
                if last:
                    return error
        raise AssertionError("unreachable")

    with ThreadPoolExecutor(max_workers=4) as pool:
        for claim, result in zip(claimed, pool.map(one, claimed), strict=True):
            if isinstance(result, Made):
                made.append((claim, result))
                ended = time.time()
                record_timing(
                    store, Timing(claim.task, claim.branch, Phase.WORKTREE, ended - result.seconds, ended, "")
                )
            else:
                give_back(project, claim, "worktree-failed")
                failed.append((claim, result))
    if made:
        output.say(messages.CREATED_WORKTREES)
        for claim, result in made:
            output.say(messages.created_worktree(str(result.path), claim.branch, claim.task))
    return made, failed


def _start_all(
    project: Project, store: Store, made: Sequence[tuple[Claim, Made]], work: Sequence[Assignment], crew: Crew
) -> tuple[list[Spawned], list[tuple[Claim, CoffeeError]]]:
    by_task = {assignment.task: assignment for assignment in work}
    failed: list[tuple[Claim, CoffeeError]] = []
    spawned: list[Spawned] = []

    def starting() -> Iterator[tuple[Claim, Made, Starting]]:
        for claim, result in made:
            try:
                prepared = prepare(project, claim, result.path, by_task[claim.task], crew.agent, crew.command)
                yield claim, result, begin(project, store, prepared, crew.name, crew.agent)
            except (CoffeeError, OSError) as error:
                failed.append((claim, _undone(project, claim, result, error)))

    for claim, result, pending in list(starting()):
        try:
            pid = answered(store, pending)
        except CoffeeError as error:
            failed.append((claim, _undone(project, claim, result, error)))
            continue
        output.say(messages.spawned(pid, claim.task, result.path.name))
        spawned.append(
            Spawned(
                claim.task, claim.branch, result.path, claim.base, pid, crew.name, pending.prepared.log, claim.attempt
            )
        )
    return spawned, failed


def _undone(project: Project, claim: Claim, made: Made, error: CoffeeError | OSError) -> CoffeeError:
    undo_worktree(project, made.path)
    give_back(project, claim, "agent-failed")
    if isinstance(error, CoffeeError):
        return error
    return EnvironmentFailure(f"the agent of {claim.task} could not be started: {error.strerror}", hint="coffee doctor")
