"""Hundreds of branches cost a handful of git processes, however many; what is known is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base import parts
from coffee_hooks.base.target import read_target
from coffee_hooks.ready.observe import detect_ready

if TYPE_CHECKING:
    from conftest import Sandbox, Watch

Git = Callable[..., str]
BRANCHES = 500
MERGES = "merge-tree"
SHARED_OUT = 3
"""Commands that are shared out: the merges into the target, the paths they change, the merges of pairs."""


@pytest.fixture
def calls() -> Iterator[list[Sequence[str]]]:
    """Every git command from now on."""
    seen: list[Sequence[str]] = []
    gate.trace.append(seen.append)
    yield seen
    gate.trace.remove(seen.append)


def many(box: Sandbox, git: Git, count: int) -> None:
    """*count* branches here and on the remote: each has a file of its own, neighbours share one, some lag behind."""
    root = git(box.work, "rev-parse", "roadmap")
    lines = []
    for number in range(count):
        for place in ("refs/heads", "refs/remotes/origin"):
            ref = f"{place}/roadmap-wt{number}"
            text = f"{number}\n" if place == "refs/heads" or number % 2 else "older\n"
            lines.append(
                f"commit {ref}\ncommitter A <a@b> {1760900000 + number} +0000\ndata 3\nx {number % 10}\nfrom {root}\n"
                f"M 100644 inline files/{number}.txt\ndata {len(text)}\n{text}\n"
                f"M 100644 inline shared/{number // 2}.txt\ndata 2\n{number % 10}\n\n"
            )
    git(box.work, "fast-import", "--quiet", "--force", input="".join(lines))


@pytest.mark.parametrize("processors", [1, 2, 64])
def test_the_number_of_processes_does_not_grow(
    watch: Watch, git: Git, calls: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, processors: int
) -> None:
    """Ten branches and five hundred take the same handful, overlaps and two places included."""
    monkeypatch.setattr(parts, "processors", lambda: processors)
    project = watch.project
    target = read_target(project)
    taken = []
    for count in (10, BRANCHES):
        many(watch.box, git, count)
        calls.clear()
        found = detect_ready(project, watch.store, target)
        taken.append(len(calls))
        assert (len(found.candidates), len(found.overlaps)) == (count, count // 2)
        assert all(overlap.conflict for overlap in found.overlaps)
    more = SHARED_OUT * (min(processors, parts.MOST_PARTS) - 1)
    assert taken[0] <= 12
    assert taken[1] <= taken[0] + more


def test_what_has_not_moved_is_not_merged_again(watch: Watch, git: Git, calls: list[Sequence[str]]) -> None:
    """A second look runs fewer commands and no merge, and says the same."""
    many(watch.box, git, 10)
    first = watch.look()
    calls.clear()
    assert watch.look() == first
    assert not [argv for argv in calls if MERGES in argv or "diff-tree" in argv or "ls-tree" in argv]
