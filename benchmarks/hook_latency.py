"""What the branch check costs at every commit, beside the bare interpreter and the usual hook for the job.

    python benchmarks/hook_latency.py [--python ENVIRONMENT_PYTHON] [--pairs 40] > benchmarks/results/hook_latency.md

Without ``--python`` the wheel of this checkout is built and installed, with pre-commit-hooks, into an environment of
its own. Runs are interleaved, so that a busy moment of the machine hits all of them. Exit 1 above the limit.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 1.8
WARM_UP = 3
BASE, OURS, NATIVE, THEIRS = (
    "`python -c pass`",
    "`coffee-hook cfr-013`",
    "native `pre-commit` hook",
    "`no-commit-to-branch`",
)


def main() -> int:
    """Measure, print the table, and return 0 if the check stays within the limit."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        python = options.python.absolute() if options.python else _environment(Path(folder) / "env")
        repository = _repository(Path(folder) / "repository", python)
        commands: Mapping[str, list[str]] = {
            BASE: [str(python), "-c", "pass"],
            OURS: [str(python.parent / "coffee-hook"), "cfr-013"],
            NATIVE: [str(repository / ".git/hooks/pre-commit")],
            THEIRS: [str(python.parent / "no-commit-to-branch"), "--branch", "main"],
        }
        os.chdir(repository)
        medians = measure(commands, options.pairs)
        sys.stdout.write(table(medians, options.pairs, _versions(python)))
    return 0 if medians[OURS] <= LIMIT * medians[BASE] else 1


def measure(commands: Mapping[str, list[str]], pairs: int) -> dict[str, float]:
    """Run every command once a round; the median seconds of each over the rounds, warm-up left out."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(WARM_UP + pairs):
        for name, command in commands.items():
            taken = _timed(command)
            if turn >= WARM_UP:
                seconds[name].append(taken)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def table(medians: Mapping[str, float], pairs: int, versions: str) -> str:
    """The result as Markdown: milliseconds and the ratio to the bare interpreter."""
    rows = [f"| {name} | {s * 1000:.1f} | {s / medians[BASE]:.2f} |" for name, s in medians.items()]
    return "\n".join(
        [
            "# Latency of the branch check",
            "",
            f"{datetime.datetime.now(datetime.timezone.utc).date()}, {versions}, {os.cpu_count()} cores.",
            f"Median of {pairs} interleaved runs on an allowed branch; the limit for `coffee-hook cfr-013` is {LIMIT}.",
            "",
            "| command | ms | ratio |",
            "|---|---:|---:|",
            *rows,
            "",
        ]
    )


def _timed(command: list[str]) -> float:
    start = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status = os.waitpid(child, 0)
    taken = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(command)} failed with status {status}")
    return taken


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", type=Path, help="interpreter of an environment that has both packages")
    parser.add_argument("--pairs", type=int, default=40)
    return parser.parse_args()


def _environment(folder: Path) -> Path:
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    for what in (["--no-deps", str(ROOT)], ["pre-commit-hooks"]):
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *what], check=True, stdout=sys.stderr)
    return python


def _repository(folder: Path, python: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", "--initial-branch=roadmap", str(folder)], check=True)
    install = [str(python), "-I", "-m", "coffee_hooks.hook", "install"]
    subprocess.run(install, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def _versions(python: Path) -> str:
    code = (
        "import platform; from importlib.metadata import version as v;"
        "print(f'Python {platform.python_version()}, coffee-hooks {v(\"coffee-hooks\")},'"
        " f' pre-commit-hooks {v(\"pre-commit-hooks\")}')"
    )
    shown = subprocess.run([str(python), "-I", "-c", code], check=True, capture_output=True, encoding="utf-8").stdout
    git = subprocess.run(["git", "--version"], check=True, capture_output=True, encoding="utf-8").stdout
    return f"{shown.strip()}, {git.strip().replace('version ', '')}, {platform.system()}"


if __name__ == "__main__":
    sys.exit(main())
