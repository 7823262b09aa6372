"""Who does the work: an agent's command, checked before anything is claimed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from coffee_hooks.base.config import Agent, Command, Config
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.placeholders import check_placeholders
from coffee_hooks.spawn.agent import template


@dataclass(frozen=True, slots=True)
class Crew:
    """The agent that will do the work."""

    name: str
    agent: Agent
    command: Command


def muster(name: str, agent: Agent) -> Crew:
    """Check the agent's command. Raises UsageError for a bad template, EnvironmentFailure when it is not installed."""
    command = template(agent)
    program = command[0]
    relative = os.sep in program and not os.path.isabs(program)  # noqa: PTH117 - found in the worktree, once there is one
    if "{" not in program and not relative and shutil.which(program) is None:
        raise EnvironmentFailure(
            f"the agent command {program!r} was not found", hint="install it, or set agent.command in .coffee.yaml"
        )
    return Crew(name, agent, command)


def check_steps(config: Config) -> None:
    """Raises UsageError for a placeholder in setup or hooks that nothing fills in."""
    hooks = config.hooks
    for command in (config.worktrees.setup, hooks.after_create, hooks.before_agent, hooks.after_agent):
        check_placeholders(command)
