"""What detect-ready prints: JSON by its schema, text that stays on its lines, and what Actions reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from conftest import Completed, Sandbox

Git = Callable[..., str]


def checked(answer: Completed) -> dict[str, Any]:
    """The JSON answer, valid by the schema that ships."""
    schema = json.loads(files("coffee_hooks").joinpath("schemas/detect-ready.json").read_text())
    Draft202012Validator(schema).validate(answer.json)
    return answer.json


def test_json_of_ready_and_other_branches(sandbox: Sandbox, git: Git) -> None:
    """Every field of the contract, for branches here, there and in both places."""
    sandbox.branch("roadmap-wt1", {"a.py": "1\n"}, "feat: Implement US-104 - Feature X")
    sandbox.branch("roadmap-wt2", {"a.py": "2\n"}, "feat: PRIORITY 25 - y")
    sandbox.push("roadmap-wt1")
    git(sandbox.work, "worktree", "add", "-q", "../wt2", "roadmap-wt2")
    (sandbox.work.parent / "wt2" / "scratch").touch()
    found = checked(sandbox.coffee("detect-ready", "--json"))
    first, second = found["worktrees"]
    assert first == {
        "branch": "roadmap-wt1", "sha": git(sandbox.work, "rev-parse", "roadmap-wt1"), "commits_ahead": 1,
        "last_commit_msg": "feat: Implement US-104 - Feature X", "us_number": "104", "task": "US-104", "where": "both",
        "worktree": None, "ready": True, "reasons": [], "conflicts": [],
    }  # fmt: skip
    assert (second["task"], second["us_number"], second["where"]) == ("PRIORITY-25", None, "local")
    assert second["worktree"] == str((sandbox.work.parent / "wt2").resolve())
    assert [reason["code"] for reason in second["reasons"]] == ["dirty"]
    assert found["overlaps"] == [{"a": "roadmap-wt1", "b": "roadmap-wt2", "paths": ["a.py"], "conflict": True}]
    assert (found["target"], found["target_sha"]) == ("roadmap", git(sandbox.work, "rev-parse", "roadmap"))


def test_exit_codes(sandbox: Sandbox) -> None:
    """0 even when nothing is ready, unless --exit-code; 2 for a branch that is not there."""
    assert sandbox.coffee("detect-ready").rc == 0
    assert sandbox.coffee("detect-ready", "--exit-code").rc == 1
    sandbox.branch("roadmap-wt1", {"a.py": "1\n"})
    assert sandbox.coffee("detect-ready", "--exit-code").rc == 0
    assert sandbox.coffee("detect-ready", "--branch", "roadmap-wt1", "--exit-code").rc == 0
    missing = sandbox.coffee("detect-ready", "--branch", "roadmap-wt9")
    assert (missing.rc, missing.out) == (2, "")
    assert missing.err == "error: there is no roadmap-* branch roadmap-wt9\nhint: coffee detect-ready lists them\n"


def test_a_clone_of_one_branch_sees_the_others(sandbox: Sandbox, git: Git) -> None:
    """It would find nothing and say so: it fetches, and tells that it does."""
    sandbox.branch("roadmap-wt1", {"a.py": "1\n"})
    sandbox.push("roadmap-wt1")
    narrow = sandbox.work.parent / "narrow"
    git(sandbox.work.parent, "clone", "-q", "--single-branch", "-b", "roadmap", str(sandbox.origin), "narrow")
    done = sandbox.coffee("detect-ready", "--json", cwd=narrow)
    assert [branch["branch"] for branch in checked(done)["worktrees"]] == ["roadmap-wt1"]
    assert "follows only some branches of origin" in done.err


def test_fetch_brings_what_others_pushed(sandbox: Sandbox, git: Git) -> None:
    """Without --fetch nothing asks the remote."""
    other = sandbox.work.parent / "other"
    git(sandbox.work.parent, "clone", "-q", str(sandbox.origin), str(other))
    git(other, "switch", "-qc", "roadmap-wt7")
    sandbox.commit({"a.py": "1\n"}, cwd=other)
    git(other, "push", "-q", "origin", "HEAD")
    assert checked(sandbox.coffee("detect-ready", "--json"))["worktrees"] == []
    (found,) = checked(sandbox.coffee("detect-ready", "--json", "--fetch"))["worktrees"]
    assert (found["branch"], found["where"]) == ("roadmap-wt7", "remote")


def test_hostile_subjects_do_not_steer_a_terminal(sandbox: Sandbox) -> None:
    """Escapes and line breaks of a commit message or a file name arrive as visible text, in text and JSON."""
    sandbox.branch("roadmap-wt1", {"a\nb\x1b[31m.py": "1\n"}, "feat: \x1b]0;title\x07 x\u202e y")
    sandbox.branch("roadmap-wt2", {"a\nb\x1b[31m.py": "2\n"}, "feat: y")
    text = sandbox.coffee("detect-ready").out
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert text.splitlines()[-1].startswith("conflict: roadmap-wt1 and roadmap-wt2")
    assert checked(sandbox.coffee("detect-ready", "--json"))["overlaps"][0]["paths"] == ["a\nb\x1b[31m.py"]


def test_github_format(sandbox: Sandbox, tmp_path: Path) -> None:
    """Outputs are one line each, the summary is a table, stdout has an annotation for each branch."""
    tip = sandbox.branch("roadmap-wt1", {"a.py": "1\n"}, "feat: US-104\n\nStatus: Ready for merge")
    sandbox.branch("roadmap-wt2", {".github/workflows/x.yml": "1\n"}, "feat: x | y\n\nStatus: Ready for merge")
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.write_text("before=1\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    asked = sandbox.coffee("detect-ready", "--format", "github", env=env)
    assert asked.rc == 0, asked.err
    values = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert (values["before"], values["count"], json.loads(values["ready"])) == ("1", "1", ["roadmap-wt1"])
    assert json.loads(values["matrix"]) == {"include": [{"branch": "roadmap-wt1", "task": "US-104", "sha": tip}]}
    rows = summary.read_text().splitlines()
    assert len(rows) == 4 and all(row.startswith("| ") or row.startswith("|-") for row in rows)
    notice, warning = asked.out.splitlines()
    assert notice == f"::notice title=roadmap-wt1::US-104 is ready at {tip[:12]}"
    assert warning.startswith("::warning title=roadmap-wt2::needs-human: touches protected paths: .github/workflows")


def test_annotations_cannot_be_forged(sandbox: Sandbox, tmp_path: Path) -> None:
    """A file name with a line break and a workflow command stays inside its own annotation."""
    sandbox.branch("roadmap-wt1", {".github/workflows/x\n::error::100%.yml": "1\n"}, "x\n\nStatus: Ready for merge")
    env = {"GITHUB_OUTPUT": str(tmp_path / "o"), "GITHUB_STEP_SUMMARY": str(tmp_path / "s")}
    (line,) = sandbox.coffee("detect-ready", "--format", "github", env=env).out.splitlines()
    assert line.startswith("::warning title=roadmap-wt1::needs-human")
    assert "100%25.yml" in line


def test_nothing_open(sandbox: Sandbox) -> None:
    """An empty list is an answer, not an error."""
    assert sandbox.coffee("detect-ready").out == "no open roadmap-* branches\n"
    assert checked(sandbox.coffee("--json", "detect-ready"))["worktrees"] == []
