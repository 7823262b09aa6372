"""`coffee spawn --on github`: from the claim on a laptop to the landed work of two runners."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from miniforge.bare import run_git

if TYPE_CHECKING:
    from miniforge.forge import Forge

ROOT = Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((ROOT / "coffee_hooks/schemas/spawn.json").read_text(encoding="utf-8"))
WORKS = (
    "env | grep -E 'gh[ps]_[0-9a-f]{36}' && exit 1; "
    '[ "$COFFEE_TASK_ID" != US-106 ] || exit 3; '
    'echo "$COFFEE_TASK_ID" >"$COFFEE_TASK_ID.txt" && git add . && git commit -qm "feat: $COFFEE_TASK_ID"'
)
SPEC = "# SPEC-{0}\n\nFiles to create:\n- `US-{0}.txt`\n"

Files = Callable[..., dict[str, str]]


def files_of(consumer: Files) -> dict[str, str]:
    """A repository whose agent writes one file for each task and looks for a token first."""
    config = {"gate": {"command": ["true"]}, "agent": {"command": ["sh", "-c", WORKS]}, "shared": True}
    specs = {f"docs/architecture/specs/SPEC-{n}-x.md": SPEC.format(n) for n in (104, 105, 106)}
    return consumer(caller=False, agents=True) | specs | {".coffee.yaml": json.dumps(config)}


def laptop(forge: Forge, *args: str, **more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, answer and narration of a command in the user's clone."""
    env = {**os.environ, "GITHUB_API_URL": forge.url, "GH_TOKEN": forge.user_token, **more}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "coffee_hooks", "--json", *args],
        cwd=forge.work, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_two_tasks_are_done_there_and_land(forge: Forge, consumer: Files) -> None:
    """A third agent fails: its task stays claimed. The laptop sees what became of all; no agent found a token."""
    forge.create(files_of(consumer))
    rc, answer, said = laptop(forge, "spawn", "--on", "github", "US-104", "US-105", "US-106")
    assert rc == 0, said
    Draft202012Validator(SCHEMA).validate(answer)
    assert sorted(each["task"] for each in answer["spawned"]) == ["US-104", "US-105", "US-106"]
    (run,) = forge.wait_idle()
    assert run.conclusion == "success", run.log
    assert [a.level for job in run.jobs.values() for a in job.annotations].count("warning") == 1
    tree = run_git(forge.bare, "ls-tree", "--name-only", "roadmap").splitlines()
    assert {"US-104.txt", "US-105.txt"} < set(tree), run.log
    assert sorted(forge.refs("refs/heads/")) == ["refs/heads/roadmap"]
    rc, status, said = laptop(forge, "status")
    assert {task["task"]: task["state"] for task in status["tasks"]} == {
        "US-104": "landed", "US-105": "landed", "US-106": "claimed",
    }, said  # fmt: skip
    assert not run_git(forge.work, "for-each-ref", "refs/heads/roadmap-*")


def test_what_did_not_get_to_a_runner_is_made_up_for(forge: Forge, consumer: Files) -> None:
    """A wrong token: said, with exit code 4, and the claim is given back on the remote.

    Then kill -9 between the claim and the word to GitHub: the same command again goes on with that claim.
    """
    forge.create(files_of(consumer))
    rc, _, said = laptop(forge, "spawn", "--on", "github", "US-104", GH_TOKEN="wrong")
    assert rc == 4 and "HTTP 401" in said and "GH_TOKEN" in said
    assert forge.wait_idle() == [] and not run_git(forge.work, "for-each-ref", "refs/heads/roadmap-*")
    code = (
        "import os, sys; from coffee_hooks.loop import dispatch;"
        "dispatch.dispatch = lambda *asked: os.kill(os.getpid(), 9);"
        "from coffee_hooks.boundary import main; sys.exit(main(['spawn', '--on', 'github', 'US-104']))"
    )
    env = {**os.environ, "GITHUB_API_URL": forge.url, "GH_TOKEN": forge.user_token}
    killed = subprocess.run([sys.executable, "-I", "-c", code], cwd=forge.work, env=env, check=False)
    assert killed.returncode == -9 and "refs/coffee/tasks/US-104" in forge.refs()
    rc, answer, said = laptop(forge, "spawn", "--on", "github", "US-104")
    assert (rc, [each["branch"] for each in answer["spawned"]]) == (0, ["roadmap-wt2"]), said
    (run,) = forge.wait_idle()
    assert run.conclusion == "success" and "refs/heads/roadmap-wt2" not in forge.refs(), run.log
    assert not run_git(forge.work, "for-each-ref", "refs/heads/roadmap-*")
