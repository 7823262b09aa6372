"""Is the project set up: configuration, target, remote, gate, agents, disk, ignored files."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from coffee_hooks.base.config import FILE
from coffee_hooks.base.config_file import parse_config
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import Repo
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import read_target
from coffee_hooks.doctor.values import Check, fine, refused, several, wrong
from coffee_hooks.init.advice import env_exposed, find_program
from coffee_hooks.init.plan import read_committed
from coffee_hooks.init.write import read_regular
from coffee_hooks.merge.gate_clone import gate_path
from coffee_hooks.spawn.agent import choose_agent, template

REMOTE_SECONDS = 10.0
"""How long the remote may take to answer."""

DISK_NEEDED = 1 << 30
"""Bytes that should be free for worktrees and gates."""


def check_config(project: Project) -> Check:
    """There is a configuration, committed on the target, and the checkout's copy can be read too."""
    target = project.config.target
    committed = read_committed(project, target)
    try:
        local = read_regular(project.repo.main / FILE)
        if local is not None:
            parse_config(local, os.environ)
    except CoffeeError as broken:
        return refused("config", broken)
    if committed is None and local is None:
        return wrong("config", f"there is no {FILE}", "coffee init")
    if committed is None:
        return wrong(
            "config",
            f"{FILE} is not committed on {target}: the copy in the checkout is used meanwhile",
            f"on {target}: git add {FILE} && git commit -m 'Set up coffee'",
        )
    if local not in (None, committed):
        return fine("config", f"{FILE} of {target} counts; the copy in the checkout differs from it")
    return fine("config", f"{FILE} is committed on {target}")


def check_target(project: Project) -> Check:
    """The target branch exists and has not parted from the remote's."""
    try:
        target = read_target(project)
    except CoffeeError as error:
        return refused("target", error)
    name = project.config.target
    if project.remote and target.remote is None:
        return fine("target", f"{name} is at {target.sha[:10]}; {project.remote} does not have it yet")
    return fine("target", f"{name} is at {target.sha[:10]}" + (", ahead of the remote" if target.unpushed else ""))


def check_remote(project: Project) -> Check:
    """The remote answers within ``REMOTE_SECONDS``."""
    if project.remote is None:
        return fine("remote", "no remote is used")
    said = project.repo.network(
        "ls-remote", "--quiet", "--heads", "--", project.remote, project.target_ref,
        ok=range(-64, 256), seconds=REMOTE_SECONDS,
    )  # fmt: skip
    if said.rc == 0:
        return fine("remote", f"{project.remote} answers")
    lines = [line for line in said.err.strip().splitlines() if line.strip()]
    why = f" ({lines[0]})" if lines else f" within {REMOTE_SECONDS:.0f} s" if said.rc < 0 else ""
    return wrong("remote", f"{project.remote} does not answer{why}", f"git ls-remote {shlex.quote(project.remote)}")


def check_gate(project: Project) -> Check:
    """A gate is configured, and its program can be found."""
    gate = project.config.gate
    if not gate.command:
        return wrong("gate", "no gate command is set: nothing will land", f"set gate.command in {FILE}")
    words = shlex.join(gate.command)
    in_clone = gate_path(project) / gate.command[0]
    if find_program(project.repo, gate) or ("/" in gate.command[0] and (gate.setup or in_clone.is_file())):
        return fine("gate", words)
    return wrong("gate", f"the gate command {gate.command[0]} was not found", f"install it, or change {FILE}: {words}")


def check_agents(project: Project) -> Check:
    """The default agent and every one under ``agents`` can be started."""
    found: list[str] = []
    troubles: list[CoffeeError] = []
    for name in (None, *sorted(project.config.agents)):
        try:
            command = template(choose_agent(project.config, name)[1])
        except CoffeeError as error:
            troubles.append(error)
            continue
        found.append(command[0])
    missing = [program for program in found if "{" not in program and shutil.which(program) is None]
    if troubles:
        return wrong("agent", several([error.what for error in troubles]), troubles[0].hint)
    if missing:
        return wrong("agent", f"not found: {several(missing)}", f"install it, or set agent.command in {FILE}")
    return fine("agent", several(list(dict.fromkeys(found))))


def check_disk(repo: Repo, worktrees_root: Path) -> Check:
    """Room for the repository and for worktrees."""
    ground = next(folder for folder in (worktrees_root, *worktrees_root.parents) if folder.is_dir())
    free = {folder: shutil.disk_usage(folder).free for folder in (repo.common_dir, ground)}
    tight = [f"{size >> 20} MB are free at {folder}" for folder, size in free.items() if size < DISK_NEEDED]
    if tight:
        return wrong("disk", several(tight), "free some space: worktrees and gates need it")
    return fine("disk", f"{min(free.values()) >> 30} GB are free")


def check_ignored_env(repo: Repo) -> Check:
    """A ``.env`` is nothing that may be committed by accident."""
    if env_exposed(repo):
        return wrong("ignored-env", ".env is neither ignored nor tracked", "echo .env >> .gitignore")
    return fine("ignored-env", "no .env can be committed by accident")


def check_gitignore(repo: Repo) -> Check:
    """Without ignore rules whatever a test run leaves makes a branch dirty."""
    if (repo.main / ".gitignore").is_file():
        return fine("gitignore", "there is a .gitignore")
    return wrong(
        "gitignore",
        "there is no .gitignore: what a test run leaves behind makes a branch dirty, so it is not ready",
        "list build products and caches in .gitignore and commit it",
    )
