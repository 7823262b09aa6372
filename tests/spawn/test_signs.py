"""Signs of life: what counts as one, and that silence is measured to the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.base.worktrees import pointer_of
from coffee_hooks.spawn.signs import Silence, fingerprint


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A worktree with one file and a git folder with a journal."""
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/file").write_text("x")
    (tmp_path / "git/logs").mkdir(parents=True)
    (tmp_path / "git/logs/HEAD").write_text("start\n")
    (tmp_path / "tree/.git").write_text(f"gitdir: {tmp_path / 'git'}\n")
    (tmp_path / "log").write_text("")
    return tmp_path / "tree"


def silence(tree: Path, idle: float = 100.0, used: Callable[[], float] = lambda: 0.0) -> Silence:
    """An agent that gave its last sign at time 0."""
    return Silence(tree.parent / "log", tree, idle, 0.0, used)


def test_every_kind_of_change_differs(tree: Path) -> None:
    """Made, changed, touched, deleted and renamed files each change the fingerprint; a second look does not."""
    seen = [fingerprint(tree), fingerprint(tree)]
    assert seen[0] == seen[1]
    (tree / "new").write_text("y")
    seen.append(fingerprint(tree))
    os.utime(tree / "new", ns=(1, 1))
    seen.append(fingerprint(tree))
    (tree / "new").rename(tree / "other")
    seen.append(fingerprint(tree))
    (tree / "other").unlink()
    seen.append(fingerprint(tree))
    assert len(set(seen[1:])) == 5


def test_a_file_from_the_future_hides_nothing(tree: Path) -> None:
    """One modification time far ahead must not make all later changes look like silence."""
    os.utime(tree / "sub/file", (4e9, 4e9))
    before = fingerprint(tree)
    (tree / "sub/more").write_text("x")
    assert fingerprint(tree) != before


def test_git_and_packages_are_not_work(tree: Path) -> None:
    """What git and package managers write by themselves says nothing about the agent."""
    before = fingerprint(tree)
    (tree / "node_modules").mkdir()
    os.utime(tree / "node_modules", (1, 1))
    middle = fingerprint(tree)
    (tree / "node_modules/x").write_text("x")
    assert fingerprint(tree) == middle and before != middle


@pytest.mark.parametrize("sign", ["log", "git/logs/HEAD", "tree/sub/file"])
def test_output_commits_and_files_end_a_silence(tree: Path, sign: str) -> None:
    """Each of the three alone is a sign."""
    watch = silence(tree)
    assert watch.seconds(50.0) == 50.0
    with (tree.parent / sign).open("a") as file:
        file.write("more")
    assert watch.seconds(99.0) == 0.0
    assert watch.seconds(109.0) == 10.0


def test_files_are_looked_at_before_silence_is_declared(tree: Path) -> None:
    """A change right after the last look at the files still counts when the time is over."""
    watch = silence(tree)
    assert watch.seconds(99.0) == 99.0
    (tree / "sub/late").write_text("x")
    assert watch.seconds(100.5) == 0.0


def test_work_of_the_processor_ends_a_silence(tree: Path) -> None:
    """A compiler that says nothing for an hour works; what only wakes up now and then does not, nor what has ended."""
    used = iter([0.5, 4.0, 4.3, 0.0, 0.0])
    watch = silence(tree, used=lambda: next(used))
    assert watch.seconds(20.0) == 20.0
    assert watch.seconds(40.0) == 0.0
    assert watch.seconds(60.0) == 20.0
    assert watch.seconds(80.0) == 40.0


def test_a_tree_that_is_gone_is_silent(tree: Path, tmp_path: Path) -> None:
    """Without a worktree there are no signs, and no error."""
    watch = silence(tmp_path / "nowhere")
    assert watch.seconds(200.0) == 200.0 and pointer_of(tmp_path / "nowhere") is None
    assert pointer_of(tree) == tmp_path / "git"


@pytest.mark.parametrize("kind", ["pipe", "folder", "nul"])
def test_what_stands_in_the_place_of_a_git_file_stops_nobody(tree: Path, kind: str) -> None:
    """An agent put a pipe there, and the loop waited for somebody to write into it."""
    place = tree / ".git"
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"gitdir: /\0\n")
    assert pointer_of(tree) is None
    assert silence(tree).seconds(200.0) == 200.0
