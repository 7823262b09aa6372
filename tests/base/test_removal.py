"""Folders that others filled are deleted whatever is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from coffee_hooks.base.removal import remove_tree
from coffee_hooks.spawn.signs import fingerprint

LEVELS = 2200
"""More than Python recurses, and a path longer than the system takes in one piece."""


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """What a program leaves that copies a folder into itself; gone at the end, or pytest could not clean up."""
    top = tmp_path / "deep"
    top.mkdir()
    (top / "file").write_text("x")
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(top)
        for _ in range(LEVELS):
            Path("a").mkdir()
            os.chdir("a")
    finally:
        os.fchdir(here)
        os.close(here)
    yield top
    remove_tree(top)


def test_thousands_of_levels_go(deep: Path) -> None:
    """A loop ended with a report of a bug when it cleaned up after such an agent."""
    remove_tree(deep)
    assert not deep.exists()
    remove_tree(deep)


def test_thousands_of_levels_are_looked_at(deep: Path) -> None:
    """A supervisor that looked for signs of life in them died, and nobody watched its agent any more."""
    before = fingerprint(deep)
    assert fingerprint(deep) == before
    (deep / "file").write_text("xy")
    assert fingerprint(deep) != before


def test_a_link_goes_alone(tmp_path: Path) -> None:
    """What it leads to is not ours."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    remove_tree(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_cannot_go_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked hears of it, in the words of the system."""
    (tmp_path / "bin").mkdir()
    rm = tmp_path / "bin" / "rm"
    rm.write_text("#!/bin/sh\necho rm: no >&2\nexit 1\n")
    rm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(OSError, match="rm: no"):
        remove_tree(tmp_path)
