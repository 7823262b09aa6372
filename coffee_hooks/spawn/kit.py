"""What an agent gets on its way: its worktree, its prompt, its environment, its log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.config import Agent, Command
from coffee_hooks.base.placeholders import fill
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import encode
from coffee_hooks.base.worktrees import pointer_of
from coffee_hooks.spawn.port import reserve_port
from coffee_hooks.spawn.prompt import Assignment, as_argument, prompt
from coffee_hooks.state.claims import Claim


@dataclass(frozen=True, slots=True)
class Kit:
    """One claim on its way to an agent. *values* are what the placeholders of commands stand for."""

    claim: Claim
    worktree: Path
    values: Mapping[str, str]
    environment: Mapping[str, str]
    log: Path

    def fill(self, command: Command) -> Command:
        """*command* with its placeholders filled in; the worktree must be there."""
        git_dir = pointer_of(self.worktree)  # none of its own where somebody else made the checkout, as on a runner
        own = os.path.realpath(git_dir) if git_dir else self.values["common_dir"]
        return fill(command, {**self.values, "git_dir": own})


def log_path(project: Project, claim: Claim) -> Path:
    """The log of a task: every attempt of its agent, one after the other."""
    return project.repo.state_dir / "logs" / f"{encode(claim.task)}.log"


def pack(project: Project, claim: Claim, worktree: Path, work: Assignment, agent: Agent) -> Kit:
    """Write the prompt file and gather what else there is. Raises OSError."""
    text = prompt(work, worktree, claim.branch, project.config.gate.command, agent.prompt)
    prompt_file = project.repo.state_dir / "prompts" / f"{encode(claim.task)}.md"
    prompt_file.parent.mkdir(parents=True, exist_ok=True)
    prompt_file.write_text(text, encoding="utf-8", errors="replace")
    values = {
        "task": claim.task, "branch": claim.branch, "worktree": str(worktree), "base": claim.base,
        "spec": work.spec_path or "", "prompt": as_argument(text, prompt_file), "prompt_file": str(prompt_file),
        "common_dir": str(project.repo.common_dir),
    }  # fmt: skip
    environment = {
        "COFFEE_TASK_ID": claim.task,
        "COFFEE_BRANCH": claim.branch,
        "COFFEE_WORKTREE": str(worktree),
        "COFFEE_ROOT": str(project.repo.main),
        "COFFEE_BASE_SHA": claim.base,
        "COFFEE_SPEC": work.spec_path or "",
        "COFFEE_PROMPT_FILE": str(prompt_file),
        "COFFEE_PORT": str(reserve_port(project.repo, claim.branch, worktree)),
        "COFFEE_ATTEMPT": str(claim.attempt),
    }
    return Kit(claim, worktree, values, environment, log_path(project, claim))
