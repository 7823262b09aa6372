"""The presets against the real programs: ``nox -s agents`` installs them and runs this, no other command does.

No account is needed: what answers them is a model of our own (`model_server`). All else is as a user has it: they read
the prompt of coffee, work in the worktree of a real repository, commit there, and say what it cost.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.spawn.agent import PRESETS
from coffee_hooks.spawn.usage import READERS
from model_server import SENT, Model, serving

if TYPE_CHECKING:
    from conftest import Sandbox

HELP = {"claude": ("claude", "--help"), "codex": ("codex", "exec", "--help"), "aider": ("aider", "--help")}
PATIENCE = 180.0
WORK = 'git add -A && git commit -qm "feat: Implement US-104"; echo out > "$COFFEE_ROOT/escaped"; coffee -q done'
EDIT = "pkg/work.py\n```python\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n```\n"
CODEX = """\
model = "gpt-5"
model_provider = "own"
[model_providers.own]
name = "own"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
[sandbox_workspace_write]
exclude_slash_tmp = true
exclude_tmpdir_env_var = true
"""
"""Where the model is; and the tests' own folder is no place that everybody may write to."""


@pytest.fixture
def model(sandbox: Sandbox, hermetic: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Model]:
    """A model that all three are configured for, in a home of their own."""
    made = sandbox.work.parent / "work.worktrees" / "wt1" / "pkg" / "work.py"
    with serving(Model(WORK, EDIT, made)) as served:
        (hermetic / ".codex").mkdir()
        (hermetic / ".codex" / "config.toml").write_text(CODEX.format(url=served.url))
        for name, value in {
            "ANTHROPIC_BASE_URL": served.url, "ANTHROPIC_API_KEY": "key", "OPENAI_API_KEY": "key",
            "OPENAI_API_BASE": f"{served.url}/v1", "AIDER_MODEL": "openai/gpt-4o",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        yield served


def flags(preset: str) -> list[str]:
    """The flags of a preset."""
    return [word for word in PRESETS[preset] if word.startswith("--")]


def ended(box: Sandbox) -> dict[str, Any]:
    """The agent of US-104 once it has ended."""
    deadline = time.monotonic() + PATIENCE
    while True:
        (agent,) = box.coffee("--json", "status").json["agents"]
        if agent["ended"] is not None:
            return dict(agent)
        assert time.monotonic() < deadline, Path(agent["log"]).read_text(errors="replace")
        time.sleep(0.2)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_flag_is_one_that_the_program_knows(preset: str) -> None:
    """A flag that is renamed or dropped is found here and not by a user at night."""
    said = subprocess.run(HELP[preset], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said))
    assert [flag for flag in flags(preset) if flag not in known] == []


@pytest.mark.parametrize("preset", PRESETS)
def test_the_program_does_the_work_and_says_what_it_cost(preset: str, sandbox: Sandbox, model: Model) -> None:
    """From a prompt longer than an argument may be to a branch that is ready, with nobody at the keyboard."""
    spec = "docs/architecture/specs/SPEC-104-feature-x.md"
    config = json.loads((sandbox.work / ".coffee.yaml").read_text().partition("command: ")[2].rstrip("}\n"))
    sandbox.commit(
        {
            spec: (sandbox.work / spec).read_text() + "word " * 30_000 + "the very end",
            ".coffee.yaml": json.dumps({"gate": {"command": config}, "agent": {"command": preset}}),
        }
    )
    sandbox.push()
    spawned = sandbox.coffee("spawn", "US-104")
    assert spawned.rc == 0, spawned.err
    agent = ended(sandbox)
    log = Path(agent["log"]).read_text(errors="replace")
    assert (agent["state"], agent["exit_code"]) == ("done", 0), log
    asked = json.dumps([body for _, body in model.asked])
    assert "the very end" in asked and "Work only inside" in asked
    (branch,) = sandbox.coffee("--json", "detect-ready").json["worktrees"]
    assert (branch["ready"], branch["commits_ahead"]) == (True, 1), branch["reasons"]
    assert agent["tokens"] == agent["tokens_in"] + agent["tokens_out"] > SENT
    assert (agent["cost_usd"] is None) is (preset == "codex")
    assert preset in READERS
    if preset == "codex":
        assert not (sandbox.work / "escaped").exists(), "its sandbox keeps it inside"
    left = sandbox.coffee("cleanup", branch["branch"], "--force-delete")
    assert left.rc == 0 and not Path(branch["worktree"]).exists(), left.err
