"""The argument list of an agent: a preset or the user's own, with its placeholders filled in."""

from __future__ import annotations

from collections.abc import Mapping

from coffee_hooks.base.config import Agent, Command, Config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.placeholders import PLACEHOLDERS, check_placeholders

PRESETS: Mapping[str, Command] = {
    # Edits in its folder and every shell command; its own edits elsewhere are denied. The flag that skips all
    # permissions is refused to root, so in most containers. One event a line: signs of life, and the cost at the end.
    "claude": (
        "claude", "--print", "--verbose", "--output-format", "stream-json",
        "--permission-mode", "acceptEdits", "--allowed-tools", "Bash",
    ),
    # Its sandbox keeps it out of the rest of the disk, and out of git's folder, without which nobody commits: the
    # folder of the worktree is named too, because it is closed again within the one that all worktrees share.
    "codex": (
        "codex", "exec", "--json", "--sandbox", "workspace-write", "--config",
        "sandbox_workspace_write.network_access=true", "--add-dir", "{common_dir}", "--add-dir", "{git_dir}", "-",
    ),
    # It says yes to whatever it is asked, so it must not be asked: for statistics, browsers, addresses in a spec.
    "aider": (
        "aider", "--yes-always", "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings",
        "--no-analytics", "--no-detect-urls", "--disable-playwright", "--no-suggest-shell-commands", "--no-gitignore",
        "--no-fancy-input", "--no-pretty", "--git-commit-verify", "--message-file", "{prompt_file}",
    ),
}  # fmt: skip
"""Tried with the real programs by ``nox -s agents``."""

PLACES = PLACEHOLDERS | {"common_dir", "git_dir"}
"""What an agent's command may name: also git's folder, which all worktrees share, and that of its own worktree."""


def choose_agent(config: Config, name: str | None) -> tuple[str, Agent]:
    """The agent called *name* in ``agents:``, a preset of that name, or the default. Raises UsageError."""
    if name is None:
        command = config.agent.command
        return (command if isinstance(command, str) else command[0] if command else "agent"), config.agent
    if name in config.agents:
        return name, config.agents[name]
    if name in PRESETS:
        return name, Agent(command=name)
    known = ", ".join(sorted({*config.agents, *PRESETS}))
    raise UsageError(f"there is no agent {name!r}", hint=f"known agents: {known}")


def template(agent: Agent) -> Command:
    """The argument list with its placeholders. Raises UsageError for an unknown preset or placeholder."""
    if isinstance(agent.command, str):
        if agent.command not in PRESETS:
            known = ", ".join(sorted(PRESETS))
            raise UsageError(
                f"agent.command: there is no preset {agent.command!r}",
                hint=f"write an argument list such as [{agent.command}], or one of: {known}",
            )
        return PRESETS[agent.command]
    if not agent.command or not agent.command[0]:
        raise UsageError("agent.command is empty", hint="set agent.command in .coffee.yaml")
    check_placeholders(agent.command, PLACES)
    return agent.command


def wants_stdin(command: Command) -> bool:
    """Whether the prompt goes to stdin: *command* names it neither as an argument nor as a file.

    A prompt may be longer than an argument may be, and what is on stdin is not seen in the list of processes.
    """
    return not any(name in word for word in command for name in ("{prompt}", "{prompt_file}"))
