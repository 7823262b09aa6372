"""Start the agent of a claimed task again, in the same worktree, and stop it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from coffee_hooks.base import messages, output
from coffee_hooks.base.errors import RuleError, UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import end_group
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import read_ref, transact
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.spawn.copies import choose_copies
from coffee_hooks.spawn.prompt import Assignment
from coffee_hooks.spawn.spawn import LOCK_SECONDS, Crew, Spawned
from coffee_hooks.spawn.start import answered, begin, log_path, prepare, variables
from coffee_hooks.spawn.worktree import make_worktree
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agent_state import look, process_alive
from coffee_hooks.state.agents import AgentRun, EndReason, end_run, latest_run
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.graveyard import Grave, next_grave, read_graves
from coffee_hooks.state.order import supervised
from coffee_hooks.state.store import Store

STOP_SECONDS = 30.0


def resume(project: Project, store: Store, claim: Claim, work: Assignment, crew: Crew) -> Spawned:
    """Start another attempt of *claim* where the last one stopped; its commits are kept under a salvage ref first.

    Raises RuleError when its agent still runs or somebody changed the claim, UsageError when its branch is gone.
    """
    repo = project.repo
    run = latest_run(store, claim.task)
    if run is not None and look(repo.state_dir, run).running:
        raise RuleError(f"the agent of {claim.task} is still at work", hint=f"coffee stop {claim.task}")
    with hold(repo, "spawn", wait=LOCK_SECONDS):
        tip = read_ref(repo, f"refs/heads/{claim.branch}")
        if tip is None:
            raise UsageError(f"branch {claim.branch} is gone", hint=f"coffee restore {claim.branch}")
        _salvage(project, claim, tip)
        worktree = _worktree(project, claim)
        again = claims_.update(repo, claim, state=ClaimState.CLAIMED, attempt=claim.attempt + 1, sha=None, reason=None)
        if again is None:
            raise RuleError(f"somebody else changed the claim on {claim.task}", hint="coffee status")
        prepared = prepare(project, again, worktree, work, crew.agent, crew.command)
        pid = answered(store, begin(project, store, prepared, crew.name, crew.agent))
    output.say(messages.spawned(pid, claim.task, worktree.name))
    return Spawned(
        claim.task, claim.branch, worktree, claim.base, pid, crew.name, log_path(project, claim.task), again.attempt
    )


def _salvage(project: Project, claim: Claim, tip: Sha) -> None:
    if tip == claim.base:
        return
    graves = [grave for grave in read_graves(project.repo) if grave.branch == claim.branch]
    if not any(grave.tip == tip for grave in graves):
        transact(
            project.repo, Grave(claim.branch, next_grave(graves, claim.branch), tip).burial(), reason="coffee: salvage"
        )


def _worktree(project: Project, claim: Claim) -> Path:
    """Where the branch is checked out; made again when its folder is gone."""
    found = [w for w in list_worktrees(project.repo) if w.branch == claim.branch]
    if found and not found[0].missing:
        return found[0].path
    if found:
        project.repo.objects("worktree", "prune", env={"GIT_WORK_TREE": str(project.repo.main)})
    copies = choose_copies(project.repo.main, project.config.worktrees.copy)
    env = variables(project, claim, project.worktrees_root, None)
    return make_worktree(project, claim, copies, log_path(project, claim.task), env).path


def stop(project: Project, store: Store, run: AgentRun) -> bool:
    """End the agent's whole process group; False when it had already ended.

    Raises RuleError when something of it is still alive afterwards.
    """
    state_dir = project.repo.state_dir
    if not look(state_dir, run).running:
        return False
    deadline = time.monotonic() + STOP_SECONDS
    if supervised(state_dir, run.id) and run.supervisor_pid:
        os.kill(run.supervisor_pid, signal.SIGTERM)
        while supervised(state_dir, run.id) and time.monotonic() < deadline:
            time.sleep(0.05)
    if process_alive(run) and run.pid is not None:
        end_group(run.pid)
        end_run(store, run.id, time.time(), None, EndReason.CANCELLED)
    if look(state_dir, run).running:
        raise RuleError(f"the agent of {run.task} does not end (PID {run.pid})", hint=f"kill -9 -{run.pid}")
    return True
