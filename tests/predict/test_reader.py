"""Many files are read by several processes; the answer is the one that a single process gives."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git
from coffee_hooks.base.project import open_project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.predict import index
from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.read import read_corpus

if TYPE_CHECKING:
    from coffee_hooks.base.git import Repo
    from coffee_hooks.base.model import Sha
    from conftest import Sandbox


def read(sandbox: Sandbox) -> Corpus:
    """The corpus of HEAD, from nothing that is remembered."""
    repo = open_project(sandbox.work).repo
    (repo.state_dir / "predict" / "sources.jsonl").unlink(missing_ok=True)
    head = resolve_commit(repo, "HEAD")
    assert head is not None
    return read_corpus(repo, head)


@pytest.mark.parametrize("works", [True, False], ids=["readers", "readers that fail"])
def test_several_processes_read_as_one_does(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, works: bool) -> None:
    """Odd names, no text, nothing in it; and where no process can be had for it, this one reads."""
    words = {f"src/part_{number}.py": f"def part_{number}(): return 'bean{number}'\n" for number in range(20)}
    sandbox.commit({**words, "ü b.py": "class Kännchen: ...\n", "empty.txt": "", "data.bin": "\0\0"}, "feat: Add parts")
    alone = read(sandbox)
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(git, "trace", [asked.append])
    monkeypatch.setattr(index, "SHARED", 3)
    if not works:
        monkeypatch.setattr(sys, "executable", "/bin/false")
    shared = read(sandbox)
    assert (shared.paths, shared.sources, shared.changes) == (alone.paths, alone.sources, alone.changes)
    assert works is not any("--batch" in argv for argv in asked)


def test_what_is_large_is_read_at_its_beginning_alone(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither one large file nor many that are large together are held in memory, and the answer is the same."""
    log = "brewed a cup of tea\n" * 20_000
    files = {f"logs/{number}.txt": f"{log}{number}" for number in range(4)}
    sandbox.commit({**files, "src/tea.py": "def brew(): ...\n", "src/cup.py": "def fill(): ...\n"}, "feat: Add tea")
    whole = read(sandbox)
    held: list[int] = []
    reading = index.read_blobs

    def read_blobs(repo: Repo, names: Sequence[str]) -> dict[Sha, bytes]:
        found = reading(repo, names)
        held.append(sum(map(len, found.values())))
        return found

    monkeypatch.setattr(index, "read_blobs", read_blobs)
    monkeypatch.setattr(index, "AT_ONCE_BYTES", len(log) * 2 + 100)
    assert read(sandbox).sources == whole.sources
    assert len(held) > 1
    assert max(held) <= index.AT_ONCE_BYTES
    monkeypatch.setattr(index, "LARGE", len(log))
    held.clear()
    assert read(sandbox).sources == whole.sources
    assert sum(held) < len(log)
