"""The sample of ``coffee demo``: a small package with a roadmap, specs, tests and a scripted agent."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from coffee_hooks.base.git import in_worktree

LANDS = ("US-101", "US-103", "US-102")
STAYS = {"US-104": "gate-failed", "US-105": "conflict"}
LOCAL_EDIT = "\nA note to myself that is not committed yet.\n"
GATE = "gate1"
"""The folder of the gate's clone, beside the worktrees."""

_SETTINGS = """\
[user]
\tname = A Roaster
\temail = roaster@example.org
[core]
\tautocrlf = false
[gc]
\tauto = 0
[remote "origin"]
\turl = {origin}
\tfetch = +refs/heads/*:refs/remotes/origin/*
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the sample is: the bare *origin*, the checkout *work*, the agent's script."""

    folder: Path
    origin: Path
    work: Path
    agent: Path


def make_sample(folder: Path) -> Sample:
    """Make the sample below *folder*: origin, checkout on ``roadmap`` with an uncommitted edit, and the agent."""
    sample = Sample(folder, folder / "origin.git", folder / "brewery", folder / "agent.py")
    sample.agent.write_text(_resource("agent.py"), encoding="utf-8")
    new = ("init", "--quiet", "--template=", "--initial-branch=roadmap")
    in_worktree(folder, *new, "--bare", str(sample.origin))
    in_worktree(folder, *new, str(sample.work))
    with (sample.work / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(_SETTINGS.format(origin=json.dumps(str(sample.origin), ensure_ascii=False)))
    for name, text in _files(sample).items():
        path = sample.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    in_worktree(sample.work, "add", "--all")
    in_worktree(sample.work, "commit", "--quiet", "--no-verify", "-m", "Start the brewery")
    in_worktree(sample.work, "push", "--quiet", "origin", "roadmap")
    (sample.work / ".env").write_text("KETTLE_TOKEN=not-a-secret\n")
    with (sample.work / "README.md").open("a", encoding="utf-8") as readme:
        readme.write(LOCAL_EDIT)
    return sample


def _files(sample: Sample) -> Mapping[str, str]:
    found = json.loads(_resource("files.json"))
    return {**found, ".coffee.yaml": _config(sample)}


def _config(sample: Sample) -> str:
    gate = [sys.executable, "-m", "unittest", "discover", "-q", "-s", "tests", "-t", "."]
    agent = [sys.executable, str(sample.agent), "{task}"]
    return (
        "# Everything coffee needs to know about this repository.\n"
        f"gate: {{command: {json.dumps(gate)}}}\n"
        f"agent: {{command: {json.dumps(agent)}, max-parallel: 4, retries: 0}}\n"
    )


def _resource(name: str) -> str:
    return resources.files("coffee_hooks.sample").joinpath(name).read_text(encoding="utf-8")
