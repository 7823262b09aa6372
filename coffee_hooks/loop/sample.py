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
    sample.agent.write_text(_resource("agent.py"))
    in_worktree(folder, "init", "--quiet", "--bare", "--initial-branch=roadmap", str(sample.origin))
    in_worktree(folder, "init", "--quiet", "--initial-branch=roadmap", str(sample.work))
    for name, text in _files(sample).items():
        path = sample.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    identity = {"user.name": "A Roaster", "user.email": "roaster@example.org", "core.autocrlf": "false"}
    for key, value in identity.items():
        in_worktree(sample.work, "config", key, value)
    in_worktree(sample.work, "add", "--all")
    in_worktree(sample.work, "commit", "--quiet", "--no-verify", "-m", "Start the brewery")
    in_worktree(sample.work, "remote", "add", "origin", str(sample.origin))
    in_worktree(sample.work, "push", "--quiet", "origin", "roadmap")
    (sample.work / ".env").write_text("KETTLE_TOKEN=not-a-secret\n")
    with (sample.work / "README.md").open("a") as readme:
        readme.write(LOCAL_EDIT)
    return sample


def _files(sample: Sample) -> Mapping[str, str]:
    found = json.loads(_resource("files.json"))
    return {**found, ".coffee.yaml": _config(sample)}


def _config(sample: Sample) -> str:
    gate = [
        sys.executable,
        "-m",
        "unittest",
        "discover",
        "--quiet",
        "--start-directory",
        "tests",
        "--top-level-directory",
        ".",
    ]
    agent = [sys.executable, str(sample.agent), "{task}"]
    return (
        "# Everything coffee needs to know about this repository.\n"
        f"gate: {{command: {json.dumps(gate)}}}\n"
        f"agent: {{command: {json.dumps(agent)}, max-parallel: 4, retries: 0}}\n"
        "poll: 1s\n"
    )


def _resource(name: str) -> str:
    return resources.files("coffee_hooks.sample").joinpath(name).read_text(encoding="utf-8")
