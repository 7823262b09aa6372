"""How long ``coffee --help`` takes beside a bare ``import typer``, and what it must not load.

``python benchmarks/startup.py [ROUNDS]`` writes results/startup.md; exit 1 if a limit is broken.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import install_wheel, interleaved, publish, ratio, setting, table, wall

LIMIT = 1.5
HEAVY = ("git", "sqlite3", "rich", "yaml", "psutil")
HELP, TYPER, BARE = "coffee --help", 'python -c "import typer"', 'python -c "pass"'


def loaded(programs: Path) -> set[str]:
    """The top-level modules that ``coffee --help`` imports."""
    asked: list[str | Path] = [programs / "python", "-X", "importtime", programs / "coffee", "--help"]
    traced = subprocess.run(asked, check=True, capture_output=True, text=True).stderr
    names = re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", traced, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def timed(command: list[str | Path]) -> Callable[[int], float]:
    """One run of *command*, whatever the round."""
    return lambda _: wall(command)


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as folder:
        programs = install_wheel(Path(folder))
        python = programs / "python"
        commands: dict[str, list[str | Path]] = {
            HELP: [programs / "coffee", "--help"],
            TYPER: [python, "-c", "import typer"],
            BARE: [python, "-c", "pass"],
        }
        for command in commands.values():
            wall(command)
        seconds = interleaved(rounds, {name: timed(command) for name, command in commands.items()})
        unwanted = sorted(loaded(programs) & set(HEAVY))
        measured = setting(programs, rounds)
    found = ratio(seconds, HELP, TYPER)
    publish(
        "startup",
        f"# Start of the command\n\n{measured}\n\n{table(seconds, TYPER)}\n\n"
        f"`{HELP}` takes {found:.2f} times a bare `import typer` (limit {LIMIT}). "
        f"Of {', '.join(HEAVY)} it loads: {', '.join(unwanted) or 'none'}.\n",
    )
    return int(found > LIMIT or bool(unwanted))


if __name__ == "__main__":
    raise SystemExit(main())
