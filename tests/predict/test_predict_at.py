"""Predictions on a real repository and what is remembered of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as git_
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import open_project
from coffee_hooks.predict.answers import predict_at

if TYPE_CHECKING:
    from coffee_hooks.base.git import Repo
    from conftest import Sandbox

TEXTS = ["Repair pkg/alpha.py and its tests", "Names of odd files"]


@pytest.fixture
def repo(sandbox: Sandbox) -> Repo:
    """A repository with odd names among its files."""
    sandbox.commit({"pkg/über odd.py": "def odd(): ...\n", 'pkg/"q".py': "", "data.bin": "\0"}, "feat: Name odd files")
    return open_project(sandbox.work).repo


def head(repo: Repo) -> Sha:
    return Sha(repo.objects("rev-parse", "HEAD").text)


def processes(repo: Repo, texts: list[str], commit: Sha) -> list[str]:
    """The git commands of one call."""
    seen: list[str] = []

    def listen(argv: object) -> None:
        seen.append(next(word for word in list(argv) if word in ("ls-tree", "log", "cat-file")))  # type: ignore[call-overload]

    git_.trace.append(listen)
    try:
        predict_at(repo, commit, texts)
    finally:
        git_.trace.remove(listen)
    return seen


def test_what_is_known_is_not_worked_out_again(repo: Repo, sandbox: Sandbox) -> None:
    """Four processes at first, none for the same texts, and only new blobs for a new commit."""
    first = head(repo)
    assert processes(repo, TEXTS, first) == ["ls-tree", "cat-file", "cat-file", "log"]
    answers = predict_at(repo, first, TEXTS)
    assert processes(repo, TEXTS, first) == processes(repo, TEXTS[:1], first) == []
    assert processes(repo, ["Another text"], first) == ["ls-tree", "log"]
    assert predict_at(repo, first, list(reversed(TEXTS))) == list(reversed(answers))
    sandbox.commit({"pkg/new.py": "def brand_new(): ...\n"})
    second = head(repo)
    assert processes(repo, TEXTS, second) == ["ls-tree", "cat-file", "cat-file", "log"]


@pytest.mark.parametrize("name", ["answers.jsonl", "sources.jsonl"])
@pytest.mark.parametrize("damage", ["gone", "empty", "torn", "foreign", "folder"])
def test_a_damaged_memory_only_costs_time(repo: Repo, name: str, damage: str) -> None:
    """The answer is that of a first look, byte for byte."""
    fresh = predict_at(repo, head(repo), TEXTS)
    file = repo.state_dir / "predict" / name
    data = file.read_bytes()
    (repo.state_dir / "predict" / "answers.jsonl").unlink()
    file.unlink(missing_ok=True)
    if damage == "folder":
        file.mkdir()
    elif damage != "gone":
        file.write_bytes({"empty": b"", "torn": data[: len(data) - 40], "foreign": data.replace(b"1", b"[")}[damage])
    assert predict_at(repo, head(repo), TEXTS) == fresh


def test_the_same_bytes_in_every_process(sandbox: Sandbox) -> None:
    """Neither the seed of hashes nor the memory changes what is printed."""
    said = []
    for seed in ("1", "2", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "coffee_hooks", "evaluate", "--all", "--json"],
            cwd=sandbox.work, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        )  # fmt: skip
        said.append(done.stdout)
        if seed == "1":
            for file in (sandbox.work / ".git" / "coffee" / "predict").iterdir():
                file.unlink()
    assert said[0] == said[1] == said[2]
    places = [place for task in json.loads(said[0])["tasks"].values() for place in task["footprint"]]
    assert any(reason.startswith("predicted: ") for place in places for reason in place["evidence"])


def test_two_at_once_give_the_same(sandbox: Sandbox) -> None:
    """Two processes that find no memory do not disturb each other."""
    command = [sys.executable, "-m", "coffee_hooks", "evaluate", "--all", "--json"]
    both = [subprocess.Popen(command, cwd=sandbox.work, stdout=subprocess.PIPE) for _ in range(2)]
    first, second = (process.communicate()[0] for process in both)
    assert first == second and json.loads(first)["tasks"]


def test_a_folder_that_cannot_be_made(repo: Repo) -> None:
    """Where a file stands in the way of the memory, there is none."""
    fresh = predict_at(repo, head(repo), TEXTS)
    folder = repo.state_dir / "predict"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    folder.write_bytes(b"in the way")
    assert predict_at(repo, head(repo), TEXTS) == fresh
