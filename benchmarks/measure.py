"""What the benchmarks share: an installed wheel, interleaved rounds, and one form for results."""

from __future__ import annotations

import datetime
import platform
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def install_wheel(folder: Path) -> Path:
    """Build the wheel, install it into a new environment below *folder*; returns its folder of programs."""
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    pip = [programs / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder / "dist", ROOT], check=True)
    subprocess.run([*pip, "install", *(folder / "dist").glob("*.whl")], check=True)
    return programs


def interleaved(rounds: int, variants: Mapping[str, Callable[[int], float]]) -> dict[str, list[float]]:
    """Seconds of each variant, called with the round's number, one of each per round.

    A machine that slows down for a while then slows every variant, and the ratios stay honest. Every
    second round goes backwards, so that none always follows the same neighbour.
    """
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        order = list(variants)
        for name in order if number % 2 == 0 else reversed(order):
            seconds[name].append(variants[name](number))
    return seconds


def wall(command: Sequence[str | Path], **options: object) -> float:
    """Seconds that a command took; it must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    return time.perf_counter() - began


def ratio(seconds: Mapping[str, Sequence[float]], name: str, against: str) -> float:
    """The median of the ratios within each round."""
    return statistics.median(a / b for a, b in zip(seconds[name], seconds[against], strict=True))


def table(seconds: Mapping[str, Sequence[float]], against: str, unit: str = "command") -> str:
    """Median, range and ratio of each variant as a markdown table, in milliseconds."""
    lines = [f"| {unit} | median ms | range ms | ratio |", "|---|---:|---:|---:|"]
    for name, times in seconds.items():
        low, middle, high = (1000 * value for value in (min(times), statistics.median(times), max(times)))
        lines.append(f"| {name} | {middle:.0f} | {low:.0f}-{high:.0f} | {ratio(seconds, name, against):.2f} |")
    return "\n".join(lines)


def setting(programs: Path, rounds: int) -> str:
    """When and on what this was measured."""
    frozen = subprocess.run([programs / "python", "-m", "pip", "freeze"], check=True, capture_output=True, text=True)
    names = ("typer==", "GitPython==", "PyYAML==")
    versions = [line.replace("==", " ") for line in frozen.stdout.splitlines() if line.startswith(names)]
    git = subprocess.run(["git", "version"], check=True, capture_output=True, text=True).stdout.split()[2]
    system = f"{platform.system()} {platform.machine()}"
    return (
        f"{datetime.date.today()}, {system}, Python {platform.python_version()}, git {git}, "
        f"{', '.join(versions)}; {rounds} interleaved rounds."
    )


def publish(name: str, text: str) -> None:
    """Print the result and keep it beside the benchmark."""
    sys.stdout.write(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
