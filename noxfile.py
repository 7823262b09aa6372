"""Every check of the repository: ``nox`` runs them all, ``nox -s tests`` one of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
# The tests come last, so that what they say is the last thing to be read.
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.error_on_external_run = True

ROOM = 4 << 30
"""Bytes that must be free in memory before the tests keep their files there; they need a quarter of it."""

PYPROJECT = nox.project.load_toml("pyproject.toml")
WORKFLOWS = [str(path) for path in sorted(Path(".github/workflows").glob("*.yml"))]


def group(name: str) -> tuple[str, ...]:
    """The requirements of a dependency group, read here because an older pip cannot."""
    return nox.project.dependency_groups(PYPROJECT, name)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, the direction of imports, and the safety of the workflows."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-cache")
    session.run("yamllint", "--strict", ".")
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    if (Path(session.bin) / "actionlint").exists():
        session.run("actionlint", *WORKFLOWS)
    else:
        session.warn("actionlint did not run: there is no wheel for this platform")
    session.run("zizmor", "--offline", "--pedantic", "--quiet", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Types, strictly."""
    session.install(*PYPROJECT["project"]["dependencies"], *group("typing"))
    session.run("mypy")
    session.run("mypy", "-p", "miniforge", env={"MYPYPATH": "tests/forge"})


@nox.session
def tests(session: nox.Session) -> None:
    """The tests, on the built wheel: what is not in it cannot be imported."""
    # Not `create_tmp()`: that moves TMPDIR into this repository, and the tests need a place outside of any.
    dist = str(Path(session.virtualenv.location) / "dist")
    session.run("pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", dist, ".", silent=True)
    wheels = sorted(Path(dist).glob("*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("--force-reinstall", str(wheels[-1]), *group("test"))
    # The script, not `python -m pytest`: that would put this folder on sys.path.
    with place_in_memory() as place:
        session.run(
            "pytest",
            *(session.posargs or ("-n", "3", "--dist", "worksteal")),
            env={"EXPECT_WHEEL": "1", "PYTHONPATH": "", **place},
        )


@nox.session
def agents(session: nox.Session) -> None:
    """The presets against the programs that they start, as new as this machine can run them. Needs npm, no account."""
    session.install(".", *group("test"))
    room = Path(session.virtualenv.location) / "programs"
    session.run("python", "-m", "venv", str(room / "aider"))  # what it pins would not go with ours
    session.run(str(room / "aider" / "bin" / "pip"), "install", "--quiet", "aider-chat", external=True)
    npm = ("npm", "install", "--no-audit", "--no-fund", "--prefix", str(room / "npm"))
    session.run(*npm, "@anthropic-ai/claude-code", "@openai/codex", external=True)
    node, aider = str(room / "npm" / "node_modules" / ".bin"), str(room / "aider" / "bin")
    (room / "home").mkdir(exist_ok=True)
    path = os.pathsep.join((session.bin, node, aider, os.environ["PATH"]))
    env = {"PATH": path, "HOME": str(room / "home"), "PYTHONPATH": ""}
    for program in (f"{node}/claude", f"{node}/codex", f"{aider}/aider"):
        session.run(program, "--version", external=True, env=env)
    session.run("pytest", "tests/agents/real_agents.py", *session.posargs, env=env)


@nox.session
def browser(session: nox.Session) -> None:
    """The report page in headless Chromium: on a phone and a desk, by day and by night, and for screen readers.

    The browser is the system's (Debian: apt-get install chromium), or the one that CHROMIUM names. Screenshots are left
    in the folder that SHOTS names.
    """
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        session.error("there is no Chromium: install it (Debian: apt-get install chromium), or name one with CHROMIUM=")
    session.install(".", *group("browser"))
    env = {"CHROMIUM": found, "PYTHONPATH": "", "SHOTS": os.environ.get("SHOTS", "")}
    session.run("pytest", "tests/report/in_browser.py", *session.posargs, env=env)


@nox.session
def pictures(session: nox.Session) -> None:
    """The pictures of the README, made again from real runs of the sample; takes three minutes."""
    session.install(".", *group("browser"))
    session.run("python", "docs/pictures.py", *session.posargs, env={"PYTHONPATH": ""})


@contextmanager
def place_in_memory() -> Iterator[dict[str, str]]:
    """The variable that has temporary files kept in memory, where there is room: the tests make 200,000 files."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > ROOM
    if not roomy or os.statvfs(shared).f_flag & os.ST_NOEXEC:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="coffee-tests-", dir=shared) as folder:
        yield {"TMPDIR": folder}
