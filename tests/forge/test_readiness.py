"""A push to a branch of a repository that uses coffee, up to what its author reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miniforge.forge import Forge

ROOT = Path(__file__).resolve().parent.parent.parent

Files = Callable[..., dict[str, str]]
Ready = Callable[[int], str]


def test_the_summary_says_what_is_ready_and_what_is_missing(forge: Forge, consumer: Files, ready: Ready) -> None:
    """A finished branch, one without a word, and one that conflicts, in a repository that only its own may read."""
    forge.create(consumer("true"), closed=True)
    first = forge.refs()["refs/heads/roadmap"]
    forge.push("roadmap", {"grind.txt": "medium\n"})
    sha = forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    forge.push("roadmap-wt2", {"pour.txt": "slow\n"}, "feat: Begin US-105")
    forge.push("roadmap-wt3", {"grind.txt": "fine\n"}, ready(104), base=first)
    before = forge.refs()
    runs = {run.ref: run for run in forge.wait_idle()}
    assert sorted(runs) == ["roadmap-wt1", "roadmap-wt2", "roadmap-wt3"]
    assert {run.conclusion for run in runs.values()} == {"success"}, "\n".join(run.log for run in runs.values())
    jobs = {name: run.jobs["ready/readiness"] for name, run in runs.items()}
    assert {name: job.outputs["detect.count"] for name, job in jobs.items()} == {
        "roadmap-wt1": "1", "roadmap-wt2": "0", "roadmap-wt3": "0",
    }  # fmt: skip
    told = jobs["roadmap-wt1"].outputs
    entry = {"branch": "roadmap-wt1", "task": "US-106", "sha": sha}
    assert json.loads(told["detect.matrix"]) == {"include": [entry]}
    assert json.loads(told["detect.ready"]) == ["roadmap-wt1"]
    assert "| roadmap-wt1 | US-106 | 1 | yes |" in jobs["roadmap-wt1"].summary
    assert "| roadmap-wt2 | US-105 | 1 | no |" in jobs["roadmap-wt2"].summary
    assert "| roadmap-wt3 | US-104 | 1 | no | conflicts with roadmap in grind.txt |" in jobs["roadmap-wt3"].summary
    notes = {name: [(a.level, a.properties["title"]) for a in job.annotations] for name, job in jobs.items()}
    assert notes == {
        "roadmap-wt1": [("notice", "roadmap-wt1")],
        "roadmap-wt2": [("warning", "roadmap-wt2")],
        "roadmap-wt3": [("warning", "roadmap-wt3")],
    }
    assert "no-signal" in jobs["roadmap-wt2"].annotations[0].message
    assert "grind.txt" in jobs["roadmap-wt3"].annotations[0].message
    assert forge.refs() == before


def test_a_forged_branch_name_is_a_name(forge: Forge, consumer: Files, ready: Ready) -> None:
    """It is run by no shell on its way, and refused with the rule that it breaks."""
    versioned = {name: text.replace('"coffee-hooks"', '"coffee-hooks>=0.1"') for name, text in consumer("true").items()}
    forge.create(versioned)  # so that pip itself looks for it
    name = "roadmap-$(id)`id`';id;'"
    forge.push(name, {"cup.txt": "clean\n"}, ready(106))
    (run,) = forge.wait_idle()
    job = run.jobs["ready/readiness"]
    assert run.conclusion == "failure" and "CFR-013" in job.log and name in job.log, run.log
    assert "uid=" not in run.log and "detect.count" not in job.outputs


def test_a_plain_checkout_is_refused_with_the_command_that_repairs_it(
    forge: Forge, consumer: Files, ready: Ready, steps: Callable[..., str]
) -> None:
    """What `actions/checkout` brings by itself is one commit; the hint is typed as it stands, and then it works."""
    commands = ('coffee detect-ready || echo "exit $?"', "git fetch --unshallow", "coffee detect-ready --json")
    text = "on: push\njobs:\n  look:\n    runs-on: ubuntu-latest\n    steps:\n" + steps(
        *commands, persist=True, depth=1
    )
    forge.create(consumer("true", caller=False) | {".github/workflows/look.yml": text})
    forge.push("roadmap-wt1", {"cup.txt": "clean\n"}, ready(106))
    (run,) = forge.wait_idle()
    said = run.jobs["look"].log
    assert "this clone is shallow" in said and "hint: run: git fetch --unshallow" in said and "exit 4" in said
    assert run.conclusion == "success" and re.search(r'"branch": "roadmap-wt1".*"ready": true', said), run.log


def test_the_workflow_installs_the_version_that_it_is_of() -> None:
    """Whoever pins the workflow has pinned the package."""
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version
    assert f"default: coffee-hooks=={version[1]}\n" in (ROOT / ".github/workflows/readiness.yml").read_text("utf-8")
