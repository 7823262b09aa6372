"""A small repository without a remote, seen as the package sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.base.git import Repo, discover

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
def repo(tmp_path: Path, git: Callable[..., str]) -> Repo:
    """One commit on ``roadmap``, which is checked out; the file ``a.txt`` holds one line."""
    top = tmp_path / "work"
    git(tmp_path, "init", "-q", "-b", "roadmap", str(top))
    git(top, "fast-import", "--quiet", input=START)
    git(top, "reset", "-q", "--hard")
    return discover(top)
