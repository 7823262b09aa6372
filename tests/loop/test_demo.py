"""The demo as a user starts it: the right end, nothing left behind, whatever surrounds it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from coffee_hooks.base.intervals import covered
from coffee_hooks.loop.demo import measure

COMMAND = [sys.executable, "-I", "-m", "coffee_hooks"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files, with a blank in its name; no process may still use it at the end."""
    folder = tmp_path / "a place"
    folder.mkdir()
    yield folder
    assert users_of(folder) == []


def users_of(folder: Path) -> list[str]:
    """Command lines of the processes that have to do with *folder*."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found


def demo(place: Path, *args: str, env: Mapping[str, str | None] | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``coffee demo``."""
    values: dict[str, str | None] = {**os.environ, "TMPDIR": str(place), **(env or {})}
    done = subprocess.run(
        [*COMMAND, *args], capture_output=True, text=True, timeout=300, check=False, cwd=place,
        env={name: value for name, value in values.items() if value is not None},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def lines_tell_the_right_end(out: str) -> None:
    """Three land, the red one and the conflicting one are explained."""
    for task in ("US-101", "US-102", "US-103"):
        assert f"{task}  landed on roadmap as " in out
    assert "US-104  did not land: gate-failed: the gate is red with it; its work is kept on roadmap-wt" in out
    assert "US-105  did not land: conflict: conflicts in brewery/beans.py; its work is kept on roadmap-wt" in out
    assert "your uncommitted edit in README.md is as you left it" in out
    assert "WRONG" not in out


def test_keep_names_everything_that_is_kept(place: Path) -> None:
    """Every file below the folder is in or below a place that was named. Without a home, and in plain words."""
    homeless = {"HOME": None, "XDG_CONFIG_HOME": None, "GIT_CONFIG_GLOBAL": None, "LC_ALL": "C"}
    rc, out, err = demo(place, "demo", "--keep", env=homeless)
    assert rc == 0, out + err
    lines_tell_the_right_end(out)
    (folder,) = place.iterdir()
    kept = [line[14:].partition(" (")[0] for line in out.partition("kept in ")[2].splitlines() if line.startswith("  ")]
    places = [Path(word) for word in kept if Path(word).is_absolute()]
    loose = [
        path for path in folder.rglob("*")
        if path.is_file() and not any(path == home or home in path.parents for home in places)
    ]  # fmt: skip
    assert loose == []
    assert len(places) == 7 and all(home.exists() for home in places)
    work = folder / "brewery"
    assert (work / "README.md").read_text().endswith("A note to myself that is not committed yet.\n")
    refs = subprocess.run(
        ["git", "-C", work, "for-each-ref", "--format=%(refname)", "refs/heads"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(refs) == 3 and all(ref.removeprefix("refs/heads/") in out or ref == "refs/heads/roadmap" for ref in refs)
    rc, out, _ = demo(place, "-C", str(work), "verify")
    assert rc == 0 and "tested" in out


HOSTILE = """\
[commit]
\tgpgsign = true
[gpg]
\tprogram = false
[user]
\tuseConfigOnly = true
[core]
\thooksPath = {hooks}
\tautocrlf = true
\texcludesFile = {hooks}/excludes
[init]
\ttemplateDir = {hooks}/template
[push]
\tgpgSign = true
[protocol "file"]
\tallow = never
[fetch]
\tprune = false
[merge]
\tff = only
"""


def test_the_right_end_and_nothing_left(place: Path, tmp_path: Path) -> None:
    """The folder is gone, and nothing of the user reaches the sample or is touched.

    One JSON object per line, the same events as `run` and a result; stdout holds nothing else.

    Started inside somebody's repository, with signing, hooks, templates, no name, a PYTHONPATH, a runner's and our own
    variables.
    """
    hooks = tmp_path / "hooks"
    (hooks / "template" / "hooks").mkdir(parents=True)
    for path in (hooks / "pre-commit", hooks / "template" / "hooks" / "pre-commit"):
        path.write_text("#!/bin/sh\nexit 1\n")
        path.chmod(0o755)
    (hooks / "excludes").write_text("*.py\n")
    (tmp_path / "config").write_text(HOSTILE.format(hooks=hooks))
    hostile: dict[str, str | None] = {
        "GIT_CONFIG_GLOBAL": str(tmp_path / "config"), "GIT_DIR": "/nowhere", "GIT_AUTHOR_NAME": "",
        "PYTHONPATH": str(tmp_path), "COFFEE_GATE__COMMAND": "[false]", "COFFEE_TARGET": "main",
        "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": "/nowhere/output", "LC_ALL": "fr_FR.UTF-8",
    }  # fmt: skip
    work = place / "mine"
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    before = sorted(str(path) for path in work.rglob("*"))
    rc, out, err = demo(place, "-C", str(work), "demo", "--json", env=hostile)
    assert rc == 0, out + err
    schema = json.loads(files("coffee_hooks").joinpath("schemas/demo.json").read_text())
    events = [json.loads(line) for line in out.splitlines()]
    for event in events:
        Draft202012Validator(schema).validate(event)
    result = events[-1]
    assert (result["event"], result["landed"], result["wrong"]) == ("result", ["US-101", "US-102", "US-103"], [])
    assert events[-2]["blocked"] == ["US-104", "US-105"]
    assert sorted(str(path) for path in work.rglob("*")) == before
    assert list(place.iterdir()) == [work]


@pytest.mark.parametrize("word", ["a sample repository", "code_developer spawned", "Merge complete"])
def test_ctrl_c_leaves_nothing(place: Path, word: str) -> None:
    """Whenever it comes, at the start, beside agents or between merges: exit 130, no process (the fixture looks) and
    no folder."""
    child = subprocess.Popen(
        [*COMMAND, "demo"], env={**os.environ, "TMPDIR": str(place)}, cwd=place, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert child.stderr is not None
    assert any(word in line for line in child.stderr)
    time.sleep(0.05)
    os.killpg(child.pid, signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130, said
    assert list(place.iterdir()) == []


# --- times ----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda p: (float(p[0]), float(sum(p))))))
def test_overlapping_intervals_count_once(intervals: list[tuple[float, float]]) -> None:
    """Against counting the unit steps that any of them covers."""
    steps = {second for start, end in intervals for second in range(int(start), int(end))}
    assert covered(intervals) == len(steps)


def test_time_is_split_without_a_gap() -> None:
    """What neither an agent nor a gate took is ours."""
    times: Any = measure(0.0, 10.0, [(1.0, 4.0), (2.0, 6.0)], [(5.0, 7.0)])
    assert (times.total, times.agents, times.gates, times.ours) == (10.0, 5.0, 2.0, 4.0)
