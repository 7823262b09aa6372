"""What a worktree of ``coffee spawn`` costs beside a shell loop of ``git worktree add`` and ``cp .env``.

``python benchmarks/worktree_creation.py [ROUNDS]`` writes results/worktree_creation.md. Eight tasks are
spawned by one command in a repository of 5,000 files; every round has a new clone. The agent is ``true``.
"worktrees" is the time in which they were made, as the command itself records it; "before the agents" is everything
up to the start of the first agent, with the start of Python and the evaluation; "whole command" has the start of
eight agents and their supervisors in it. Before that ``coffee evaluate`` has read the repository once, but for the last
row, where spawn is the first command of the clone. Set TMPDIR to a folder in memory: the write-back of a disk blurs all
of it.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from measure import install_wheel, interleaved, publish, setting, table, wall

FILES = 5_000
TASKS = [f"US-{number}" for number in range(101, 109)]
SHELL, PHASE = "shell loop", "coffee spawn, worktrees"
BEFORE, WHOLE = "coffee spawn, before the agents", "coffee spawn, whole command"
FIRST = "the same to the agents, as the first command"

LOOP = """
set -e
for n in 1 2 3 4 5 6 7 8; do
    git worktree add -q -b roadmap-wt$n ../shell/wt$n roadmap
    cp .env ../shell/wt$n/.env
done
"""

CONFIG = """\
gate: {command: ["true"]}
agent: {command: ["true"], max-parallel: 8}
worktrees: {root: ../worktrees, copy: [.env]}
"""


def environment(home: Path) -> dict[str, str]:
    """The caller's, without his git settings and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "COFFEE_", "XDG_"))}
    identity = "[user]\n\tname = Bench\n\temail = bench@example.invalid\n[gc]\n\tauto = 0\n"
    home.mkdir()
    (home / ".gitconfig").write_text(identity)
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}


def seed(folder: Path, env: dict[str, str]) -> Path:
    """A repository of FILES files with one independent, planned task per worktree."""
    repository = folder / "seed"
    files = {f"src/d{n // 100:02}/f{n:04}.py": f"# file {n}\n" + "x = 1\n" * 30 for n in range(FILES)}
    files[".gitignore"] = ".env\n"
    files[".coffee.yaml"] = CONFIG
    files["docs/roadmap/ROADMAP.md"] = "# Roadmap\n\n" + "".join(f"### {task}: Work 📝 Planned\n\n" for task in TASKS)
    for index, task in enumerate(TASKS):
        spec = f"# SPEC-{task[3:]}: Work\n\n## Files to modify\n\n- `src/d{index:02}/f{index * 100:04}.py`\n"
        files[f"docs/architecture/specs/SPEC-{task[3:]}-work.md"] = spec
    for name, text in files.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(text, encoding="utf-8")
    for command in (["init", "-q", "-b", "roadmap"], ["add", "-A"], ["commit", "-q", "-m", "Start"]):
        subprocess.run(["git", "-C", repository, *command], check=True, env=env)
    return repository


def clone(repository: Path, where: Path, env: dict[str, str]) -> Path:
    """A clone without a remote, so that neither side pays for a network, and with a ``.env``."""
    subprocess.run(["git", "clone", "-q", "-o", "seed", repository, where / "work"], check=True, env=env)
    subprocess.run(["git", "-C", where / "work", "remote", "remove", "seed"], check=True, env=env)
    (where / "work" / ".env").write_text("KEY=value\n")
    return where / "work"


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Seconds in which at least one of the spans ran; what lies between them (a start of an agent) does not count."""
    total, until = 0.0, 0.0
    for started, ended in sorted(spans):
        total += max(0.0, ended - max(started, until))
        until = max(until, ended)
    return total


def recorded(work: Path, began: float) -> tuple[float, float]:
    """Seconds in which worktrees were made, and from *began* (UNIX time) to the first agent, as the command says."""
    with closing(sqlite3.connect(work / ".git/coffee/state.db")) as state:
        spans = state.execute("SELECT started, ended FROM timings WHERE phase = 'worktree'").fetchall()
        (first,) = state.execute("SELECT min(started) FROM agent_runs").fetchone()
    if len(spans) != len(TASKS):
        raise SystemExit(f"{len(spans)} worktrees were recorded, not {len(TASKS)}")
    return covered(spans), first - began


def measure(rounds: int, repository: Path, coffee: Path, env: dict[str, str]) -> dict[str, list[float]]:
    """Seconds for one worktree: of the loop, and of the command up to three points."""
    phases: list[float] = []
    before: list[float] = []

    def shell(_: int) -> float:
        with tempfile.TemporaryDirectory(dir=repository.parent) as folder:
            return wall(["sh", "-c", LOOP], cwd=clone(repository, Path(folder), env), env=env) / len(TASKS)

    def spawn(work: Path) -> tuple[float, float, float]:
        began = time.time()
        seconds = wall([coffee, "spawn", *TASKS], cwd=work, env=env)
        making, to_agents = recorded(work, began)
        return making / len(TASKS), to_agents / len(TASKS), seconds / len(TASKS)

    def whole(_: int) -> float:
        with tempfile.TemporaryDirectory(dir=repository.parent, ignore_cleanup_errors=True) as folder:
            work = clone(repository, Path(folder), env)
            wall([coffee, "evaluate"], cwd=work, env=env)
            making, to_agents, seconds = spawn(work)
            phases.append(making)
            before.append(to_agents)
            return seconds

    def first(_: int) -> float:
        with tempfile.TemporaryDirectory(dir=repository.parent, ignore_cleanup_errors=True) as folder:
            return spawn(clone(repository, Path(folder), env))[1]

    seconds = interleaved(rounds, {SHELL: shell, WHOLE: whole, FIRST: first})
    return {SHELL: seconds[SHELL], PHASE: phases, BEFORE: before, WHOLE: seconds[WHOLE], FIRST: seconds[FIRST]}


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(folder / "home")
        programs = install_wheel(folder)
        seconds = measure(rounds, seed(folder, env), programs / "coffee", env)
        measured = setting(programs, rounds)
    memory = " in memory" if tempfile.gettempdir().startswith("/dev/shm") else ""
    publish(
        "worktree_creation",
        f"# Cost of one worktree\n\n{measured}\n"
        f"{FILES} files{memory}, {len(TASKS)} tasks in one command, `.env` copied.\n"
        "The limit for what is done before the agents start is 1.2.\n\n"
        f"{table(seconds, SHELL, 'per worktree')}\n",
    )


if __name__ == "__main__":
    main()
