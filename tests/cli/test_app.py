"""The command line itself: help, common flags, wrong usage, start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from coffee_hooks.cli import architect, everyday, rest, steps
from coffee_hooks.cli.app import EVERY_DAY, REST, STEPS, app

if TYPE_CHECKING:
    from conftest import Said, Sandbox

Say = Callable[..., "Said"]

assert everyday and rest and steps  # importing them registers their commands
COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
HEAVY = ("git", "sqlite3", "rich", "yaml", "psutil")
GROUPS = {
    EVERY_DAY: ["init", "run", "status", "merge"],
    STEPS: ["evaluate", "spawn", "detect-ready", "cleanup", "done"],
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_an_example_that_starts_it(say: Say, name: str) -> None:
    """`--help` works everywhere, and its example is a command that exists."""
    for flag in ("--help", "-h"):
        said = say(name, flag)
        assert (said.rc, said.err) == (0, "")
    lines = said.out.splitlines()
    example = lines[next(i for i, line in enumerate(lines) if line.strip() == "Example:") + 1].split()
    assert example[:2] == ["coffee", name]
    assert all(f"  {flag}" in said.out for flag in ("--json", "-q, --quiet", "-v, --verbose"))


def test_help_has_three_groups(say: Say) -> None:
    """Every day, the steps, the rest, in the order of the contract; alone it prints the same and exits 0."""
    said = say("--help")
    alone = say()
    assert (alone.rc, alone.out) == (0, said.out)
    text = said.out
    places = [text.index(f"\n{group}:\n") for group in (EVERY_DAY, STEPS, REST)]
    assert places == sorted(places)
    for group, names in GROUPS.items():
        block = text[text.index(f"\n{group}:\n") :].split("\n\n")[0]
        found = [line.split()[0] for line in block.splitlines()[2:] if line.startswith("  ") and line[2] != " "]
        assert found == names
    assert all(f"\n  {name} " in text for name, command in COMMANDS.items() if not command.hidden)


def test_the_first_sentence_of_every_command_is_whole(say: Say) -> None:
    """The list of commands cuts no sentence off."""
    assert "..." not in say("--help").out.partition("\n")[2]


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["evalute"], "coffee --help"),
        (["status", "--nope"], "coffee status --help"),
        (["run", "--poll", "soon"], "for example 30s, 45m or 2h"),
        (["run", "--poll"], None),
        (["run", "--max-parallel", "0"], "coffee run --help"),
        (["run", "--once", "--until-idle"], "coffee run --help"),
        (["evaluate", "--format", "xml"], "use one of: text json github mermaid"),
        (["detect-ready", "--format", "mermaid"], "use one of: text json github"),
        (["evaluate", "--risk", "2"], "coffee evaluate --help"),
        (["logs"], "coffee logs --help"),
        (["schema", "nothing"], None),
        (["-C", "/nowhere/at/all", "status"], "name an existing one with -C PATH"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_error_and_one_hint(say: Say, args: list[str], hint: str | None) -> None:
    """Exit 2, two lines, nothing on stdout."""
    said = say(*args)
    assert (said.rc, said.out) == (2, "")
    error, then = said.err.splitlines()
    assert error.startswith("error: ") and then.startswith("hint: ")
    assert hint is None or then == f"hint: {hint}"


def test_a_mistyped_command_gets_the_nearest(say: Say) -> None:
    """The word that was meant is in the error."""
    assert "evaluate" in say("evalute").err.splitlines()[0]


def test_an_unknown_task_is_told_with_what_there_is(sandbox: Sandbox, say: Say) -> None:
    """Every command that takes a task refuses one that nobody knows, with a hint."""
    for command in ("evaluate", "spawn", "logs", "stop", "resume"):
        said = say("-C", str(sandbox.work), command, "US-999")
        assert said.rc == 2, (command, said.err)
        assert len(said.error) == 2 and "999" in said.error[0]


def test_flags_are_taken_before_and_after_the_command(sandbox: Sandbox, say: Say, valid: Any) -> None:
    """`--json`, `-q` and `-v` in both places; `-C` before."""
    work = str(sandbox.work)
    placed = (["--json", "-C", work, "status"], ["-C", work, "status", "--json"], ["-C", work, "--json", "status"])
    for said in [say(*args) for args in placed]:
        assert said.rc == 0, said.err
        assert valid("status", said.out)[0]["tasks"] == []
    for args in (["-v", "-C", work, "status"], ["-C", work, "status", "--verbose"]):
        assert any(line.startswith("$ git ") for line in say(*args).err.splitlines())
    for args in (["-q", "-C", work, "status"], ["-C", work, "status", "--quiet"]):
        assert say(*args).err == ""
    assert "$ git" not in say("-C", work, "status").err


def test_it_works_from_any_folder_and_worktree(sandbox: Sandbox, git: Callable[..., str], say: Say) -> None:
    """A folder below, and a linked worktree: the same repository, the same answer."""
    git(sandbox.work, "worktree", "add", "-q", "../elsewhere", "main")
    places = [sandbox.work, sandbox.work / "docs" / "roadmap", sandbox.work.parent / "elsewhere" / "pkg"]
    assert len({say("--json", "-C", str(place), "detect-ready").out for place in places}) == 1


def test_version(say: Say) -> None:
    """The installed one."""
    said = say("--version")
    assert said.rc == 0 and said.out.startswith("coffee ")


def test_help_loads_nothing_heavy() -> None:
    """Every command pays for its own imports; asking for help pays for none of them."""
    script = (
        "import sys; from coffee_hooks.boundary import main; rc = main(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); sys.exit(rc)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")


def test_no_colour_and_no_emoji_where_they_are_not_wanted(sandbox: Sandbox) -> None:
    """Piped output has no escape at all; a locale without UTF-8 gets plain words."""
    sandbox.branch("roadmap-mine", {"a.py": "1\n"}, "feat: mine")
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}):
        done = sandbox.coffee_apart("status", env=env)
        assert done.rc == 0, done.err
        assert "\x1b" not in done.out + done.err
    assert (done.out + done.err).isascii()


def test_a_closed_pipe_is_no_error(sandbox: Sandbox) -> None:
    """`coffee ... | head` ends quietly."""
    command = f"{sys.executable} -I -m coffee_hooks schema run | head -n 1"
    done = subprocess.run(command, shell=True, cwd=sandbox.work, capture_output=True, text=True, check=False)  # noqa: S602
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_variables_of_a_hook_do_not_lead_elsewhere(sandbox: Sandbox, tmp_path: Path) -> None:
    """Inside a git hook GIT_DIR and GIT_INDEX_FILE point at another place; we look at ours."""
    env = {"GIT_DIR": str(tmp_path), "GIT_INDEX_FILE": str(tmp_path / "index"), "GIT_WORK_TREE": str(tmp_path)}
    assert sandbox.coffee_apart("status", env=env).rc == 0


# --- schemas --------------------------------------------------------------------------------------


def test_schema_lists_and_prints(say: Say, valid: Any) -> None:
    """Every schema of the package is one that a validator accepts, under its own command's name."""
    known = valid("schema", say("--json", "schema").out)[0]["schemas"]
    assert known == say("schema").out.split()
    for name in known:
        said = say("schema", name)
        value = json.loads(said.out)
        assert value == json.loads(files("coffee_hooks").joinpath(f"schemas/{name}.json").read_text())
        assert say("--json", "schema", name).out == said.out


def test_every_command_that_answers_in_json_has_a_schema() -> None:
    """What is printed for programs is described, and what hooks read; `logs` and `listen` print what others wrote."""
    folder = files("coffee_hooks").joinpath("schemas")
    described = {Path(str(entry)).stem for entry in folder.iterdir()}
    assert described == set(COMMANDS) - {"logs", "listen"} | {"hook"}


def test_architect_has_the_verbs_of_the_workflow(say: Say) -> None:
    """Its help works, and it takes exactly one of its verbs."""
    assert architect.app
    said = say("merge-worktree-branches", "--help", program="architect")
    assert said.rc == 0 and "--us-number" in said.out
    for args in ([], ["--list", "--check", "roadmap-wt1"]):
        said = say("merge-worktree-branches", *args, program="architect")
        assert said.rc == 2 and said.err.startswith("error: say exactly one of")


def test_environment_is_left_as_it_was(sandbox: Sandbox, say: Say) -> None:
    """A command run inside a program of somebody's changes none of the variables that are not git's."""
    before = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    say("-C", str(sandbox.work), "status")
    assert {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} == before
