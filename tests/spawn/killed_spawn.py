"""Play ``coffee spawn`` and kill -9 it at one step after the other, each time in a fresh copy; used by test_kills.

``python killed_spawn.py TEMPLATE SCRATCH FIRST STRIDE TASK...`` prints JSON for every STRIDEth step from FIRST: what
there is after the killed call and a second, undisturbed one. A step is a process that is started, a lock, or a change
to a file. One process that forks is ten times faster than an interpreter for each call.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from coffee_hooks.base.config import Agent, Worktrees
from coffee_hooks.base.process import end_group
from coffee_hooks.base.project import open_project
from coffee_hooks.base.runner import runner
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.loop.work import spawn_tasks
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.store import open_store

LOADED = runner()
"""Loaded once, before the forks."""
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "fcntl.flock", "subprocess.Popen"}
BEGINNING = "/coffee/making"
"""What the first change names that the next call may have to know of; before it a killed call has done nothing."""
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def spawn(work: Path, tasks: list[str]) -> None:
    """What the command does, with an agent that waits."""
    project = open_project(work)
    agent = Agent(command=("sleep", "600"), max_parallel=8)
    config = replace(project.config, agent=agent, worktrees=Worktrees(setup=("touch", "set-up.ignored")))
    with open_store(project.repo.state_dir) as store:
        report = spawn_tasks(replace(project, config=config), store, tasks, None, None)
    (work.parent / "report").write_text(str([*report.skipped]))


def kill_at(step: int, below: str) -> None:
    """Die at change number *step* that this process makes below a folder, counted from the beginning."""
    begun: list[str] = []

    def listen(event: str, args: tuple[object, ...]) -> None:
        if event == "open":
            counts = isinstance(args[2], int) and args[2] & WRITES and str(args[0]).startswith(below)
        else:
            counts = event in CHANGES and not (event == "os.mkdir" and Path(str(args[0])).exists())
        if counts and (begun or BEGINNING in str(args[0])):
            begun.append(event)
            if len(begun) > step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(listen)


def forked(act: Callable[[], None]) -> int:
    """Do it in a child and return how that ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def state_of(work: Path) -> dict[str, object]:
    """Everything that a spawn makes, as it is now."""
    project = open_project(work)
    state_dir = project.repo.state_dir
    status = ["git", "-C", str(work), "status", "--porcelain"]
    trees = list_worktrees(project.repo)[1:]
    sleepers = [p.info["cwd"] for p in psutil.process_iter(["cwd", "name"]) if p.info["name"] == "sleep"]
    branches = ["git", "-C", str(work), "for-each-ref", "--format=%(refname:short)", "refs/heads/roadmap-wt*"]
    return {
        "claims": {c.task: [c.state.value, c.branch] for c in read_claims(project.repo).values()},
        "branches": subprocess.check_output(branches, text=True).split(),
        "worktrees": sorted(str(w.branch) for w in trees),
        "folders": sorted(p.name for p in project.worktrees_root.iterdir()),
        "equipped": [(w.path / ".env").read_text() + str((w.path / "set-up.ignored").exists()) for w in trees],
        "watched": sorted(order.branch for order in living_orders(state_dir)),
        "agents": [sleepers.count(str(w.path)) for w in trees],
        "making": [p.name for p in (state_dir / "making").iterdir()],
        "skipped": (work.parent / "report").read_text(),
        "log": {p.name: p.read_text() for p in (state_dir / "logs").glob("*")},
        "dirty": subprocess.check_output(status, text=True),
    }


def clear(work: Path) -> None:
    """End what was started there."""
    state_dir = work / ".git/coffee"
    for order in living_orders(state_dir):
        with open_store(state_dir) as store:
            run = next(run for run in all_runs(store) if run.id == order.run)
        os.kill(run.supervisor_pid, signal.SIGKILL)
        if run.pid:
            end_group(run.pid, grace=0.0)
    shutil.rmtree(work.parent)


def main(template: Path, scratch: Path, first: int, stride: int, tasks: list[str]) -> None:
    """One line for each step, until a call ends before it comes to its step."""
    step = first
    while True:
        work = scratch / f"step{step}" / "work"
        shutil.copytree(template, work, symlinks=True)

        def killed(at: int = step, place: Path = work) -> None:
            kill_at(at, str(place.parent))
            spawn(place, tasks)

        code = forked(killed)
        again = forked(lambda place=work: spawn(place, tasks))  # type: ignore[misc]
        print(json.dumps({"step": step, "killed": code, "again": again, **state_of(work)}), flush=True)  # noqa: T201
        clear(work)
        if code != -signal.SIGKILL:
            return
        step += stride


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
