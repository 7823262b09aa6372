"""A small repository without a remote, seen as the package sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.discover import discover
from coffee_hooks.base.git import Repo

if TYPE_CHECKING:
    from conftest import Pour

START = """\
commit refs/heads/roadmap
committer Dev Eloper <dev@example.invalid> 1760900000 +0000
data 6
Start
M 100644 inline a.txt
data 4
one

"""


@pytest.fixture
def repo(tmp_path: Path, git: Callable[..., str], made_once: Pour) -> Repo:
    """One commit on ``roadmap``, which is checked out; the file ``a.txt`` holds one line."""
    top = tmp_path / "work"

    def make() -> None:
        git(tmp_path, "init", "-q", "-b", "roadmap", str(top))
        git(top, "fast-import", "--quiet", input=START)
        git(top, "reset", "-q", "--hard")

    if made_once("repo", tmp_path, make):
        git(top, "update-index", "-q", "--refresh")
    return discover(top)
