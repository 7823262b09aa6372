"""The command of an agent: presets, placeholders, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.config import Agent, Config, Hooks, Worktrees
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.placeholders import fill
from coffee_hooks.spawn.agent import PLACES, PRESETS, choose_agent, template, wants_stdin
from coffee_hooks.spawn.crew import check_steps, muster

VALUES = dict.fromkeys(PLACES, "")


def test_presets_fill_in_without_a_rest() -> None:
    """Every preset names only placeholders that exist."""
    assert all("{" not in "".join(fill(command, VALUES)) for command in PRESETS.values())


@given(st.text(), st.text())
def test_values_are_never_expanded_again(prompt: str, task: str) -> None:
    """An item that says {task} or anything like it arrives as it was written."""
    values = VALUES | {"prompt": prompt, "task": task}
    assert fill(("{prompt}", "--x={task}"), values) == (prompt, f"--x={task}")


@pytest.mark.parametrize("word", ["{tusk}", "a{b}c", "{prompt_text}"])
def test_unknown_placeholders_are_an_error_that_lists_the_known(word: str) -> None:
    """A typing mistake is found before anything starts."""
    with pytest.raises(UsageError) as refused:
        template(Agent(command=("x", word)))
    assert "{prompt_file}" in refused.value.hint


@pytest.mark.parametrize("word", ["{}", "{{", "{A}", "${HOME}", '{"json": 1}'])
def test_other_braces_are_words(word: str) -> None:
    """Only {lower_case} is a placeholder."""
    assert fill((word,), VALUES) == (word,)


@pytest.mark.parametrize(
    ("command", "wants"),
    [(("x",), True), (("x", "{prompt}"), False), (("x", "--f={prompt_file}"), False), (("x", "{task} prompt"), True)],
)
def test_the_prompt_goes_to_stdin_unless_the_command_names_it(command: tuple[str, ...], wants: bool) -> None:
    """One way for each command, and no key to set."""
    assert wants_stdin(command) is wants


def test_agents_are_found_by_name() -> None:
    """The default, one of the configuration, a preset; anything else lists what there is."""
    config = Config(agents={"fast": Agent(command=("quick",))})
    assert choose_agent(config, None) == ("claude", config.agent)
    assert choose_agent(config, "fast")[1].command == ("quick",)
    assert choose_agent(config, "codex")[1].command == "codex"
    with pytest.raises(UsageError) as refused:
        choose_agent(config, "slow")
    assert refused.value.hint == "known agents: aider, claude, codex, fast"


@pytest.mark.parametrize("command", ["nobody", (), ("",)])
def test_commands_that_cannot_be_are_usage_errors(command: str | tuple[str, ...]) -> None:
    """An unknown preset and an empty command are the configuration's fault: exit 2."""
    with pytest.raises(UsageError):
        muster("x", Agent(command=command))


def test_a_missing_program_is_the_environments_fault() -> None:
    """Exit 4, with the program's name."""
    with pytest.raises(EnvironmentFailure, match="no-such-program"):
        muster("x", Agent(command=("no-such-program", "{prompt}")))


def test_a_program_of_the_repository_is_looked_for_in_the_worktree() -> None:
    """./agent.sh is relative to the worktree, which is not there yet."""
    assert muster("x", Agent(command=("./agent.sh",))).command == ("./agent.sh",)


@pytest.mark.parametrize("step", ["setup", "after_create", "before_agent", "after_agent"])
def test_steps_around_the_agent_are_checked_too(step: str) -> None:
    """A placeholder that nothing fills in is found in setup and hooks as well."""
    config = Config()
    if step == "setup":
        config = replace(config, worktrees=Worktrees(setup=("{x}",)))
    else:
        config = replace(config, hooks=replace(Hooks(), **{step: ("{x}",)}))
    with pytest.raises(UsageError):
        check_steps(config)
