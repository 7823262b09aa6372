"""What a loop costs while nothing happens, how soon it notices the end of an agent, and how it takes over fifty.

``python benchmarks/loop.py [--idle 60] [--agents 50]`` writes results/loop.md; exit 1 when a limit is broken. The
Python that runs it must have coffee-hooks installed. Processes of git are counted with its own trace.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psutil
from measure import publish, setting

COFFEE = [sys.executable, "-I", "-m", "coffee_hooks", "--json"]
SHARE, MEGABYTES, PAUSE, REACTION, ADOPTION = 0.01, 80, 5.0, 1.0, 2.0
TOGETHER = 2.0
"""Processes of git that begin so soon after each other belong to one round."""


@dataclass(frozen=True)
class Limit:
    """Something that has to hold."""

    what: str
    measured: str
    wanted: str
    held: bool


class Scene:
    """A repository whose planned tasks do not meet, with an agent that waits for a word and then commits."""

    def __init__(self, folder: Path, tasks: int) -> None:
        self.folder, self.work = folder, folder / "work"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "roadmap", folder / "origin"], check=True)
        subprocess.run(["git", "clone", "-q", folder / "origin", self.work], check=True, capture_output=True)
        wait = 'cat "$COFFEE_ROOT/../go-$1"'  # a pipe: it costs nothing
        agent = (
            f'{wait}; echo x > "$1.txt"; git add -A; git commit -qm "feat: Do $1"; date +%s.%N > "$COFFEE_ROOT/../end"'
        )
        config = {
            "gate": {"command": ["true"]},
            "agent": {"command": ["sh", "-c", agent, "agent", "{task}"], "max-parallel": tasks},
            "limits": {"disk": "1MB", "memory": "1MB", "load": None},
        }
        files = {".coffee.yaml": json.dumps(config), "docs/ROADMAP.md": "# Roadmap\n"}
        for number in range(101, 101 + tasks):
            os.mkfifo(folder / f"go-US-{number}")
            files["docs/ROADMAP.md"] += f"\n### US-{number}: Write {number}\n\n**Status**: 📝 Planned\n"
            files[f"docs/architecture/specs/SPEC-{number}-x.md"] = (
                f"# SPEC-{number}: Write {number}\n\n## Files to create\n\n- `./US-{number}.txt`\n"
            )
        for name, text in files.items():
            (self.work / name).parent.mkdir(parents=True, exist_ok=True)
            (self.work / name).write_text(text)
        for args in (
            ("checkout", "-q", "-B", "roadmap"), ("config", "user.name", "L"),
            ("config", "user.email", "l@example.invalid"), ("add", "-A"), ("commit", "-qm", "Start"),
            ("push", "-q", "-u", "origin", "roadmap"),
        ):  # fmt: skip
            subprocess.run(["git", "-C", self.work, *args], check=True)

    def let_go(self, number: int) -> None:
        """Let an agent do its work."""
        (self.folder / f"go-US-{number}").write_text("go")

    def run(self, *args: str) -> float:
        """Seconds that a command takes."""
        began = time.perf_counter()
        subprocess.run([*COFFEE, *args], cwd=self.work, check=True, capture_output=True)
        return time.perf_counter() - began

    def supervisors(self) -> list[int]:
        """Who watches an agent of this repository."""
        orders = f"{self.work}/.git/coffee/agents/"
        return sorted(
            p.pid for p in psutil.process_iter(["cmdline"]) if any(orders in w for w in p.info["cmdline"] or ())
        )


@contextmanager
def looping(scene: Scene, trace: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A loop at work."""
    env = {**os.environ, **({"GIT_TRACE2_EVENT": str(trace)} if trace else {})}
    loop = subprocess.Popen(
        [*COFFEE, "run"], cwd=scene.work, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield loop
    finally:
        loop.kill()
        loop.wait()


def idle(scene: Scene, seconds: float) -> list[Limit]:
    """A loop with nothing to do, after its first rounds."""
    with looping(scene) as loop:
        time.sleep(4)
        process = psutil.Process(loop.pid)
        before = used(process)
        starts: list[float] = []
        end = time.monotonic() + seconds
        seen: set[int] = set()
        while time.monotonic() < end:  # the trace of git is scrubbed at entry, so its processes are looked for
            for child in process.children(recursive=True):
                if child.pid not in seen:
                    seen.add(child.pid)
                    starts.append(time.monotonic())
            time.sleep(0.01)
        share = (used(process) - before) / seconds
        size = process.memory_info().rss / (1 << 20)
    pauses = [b - a for a, b in pairwise(starts) if b - a > TOGETHER]
    shortest = min(pauses, default=seconds)
    return [
        Limit(f"idle for {seconds:.0f} s: of one processor", f"{share:.2%}", f"{SHARE:.0%}", share < SHARE),
        Limit("memory", f"{size:.0f} MB", f"{MEGABYTES} MB", size < MEGABYTES),
        Limit("pause between rounds with git", f"{shortest:.0f} s", f"{PAUSE:.0f} s", shortest > PAUSE),
    ]


def used(process: psutil.Process) -> float:
    """Seconds of the processor, those of ended children included."""
    return float(sum(process.cpu_times()[:4]))


def reaction(scene: Scene, tasks: Sequence[int]) -> Limit:
    """From the end of an agent to the word that its branch is ready."""
    seconds = []
    with looping(scene) as loop:
        assert loop.stdout is not None
        for number in tasks:
            scene.let_go(number)
            for line in loop.stdout:
                if json.loads(line)["event"] == "ready":
                    seconds.append(time.time() - float((scene.folder / "end").read_text()))
                    break
    middle, worst = statistics.median(seconds), max(seconds)
    return Limit(
        f"end of an agent to ready, worst of {len(seconds)}", f"{worst:.2f} s (median {middle:.2f})",
        f"{REACTION:.0f} s", worst < REACTION,
    )  # fmt: skip


def adoption(scene: Scene, agents: int) -> list[Limit]:
    """A new loop beside agents that another one started."""
    before = scene.supervisors()
    seconds = scene.run("run", "--once")
    after = scene.supervisors()
    return [
        Limit(
            f"a new loop takes over {len(before)} agents", f"{seconds:.2f} s", f"{ADOPTION:.0f} s", seconds < ADOPTION
        ),
        Limit(
            "agents doubled or lost", str(len(set(before) ^ set(after))), "0", before == after and len(after) == agents
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=float, default=70.0, metavar="SECONDS")
    parser.add_argument("--agents", type=int, default=50)
    asked = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder).resolve(), asked.agents)
        try:
            scene.run("spawn", "--max-parallel", str(asked.agents))
            found = adoption(scene, asked.agents)
            found.append(reaction(scene, range(101, 106)))
            for number in range(106, 101 + asked.agents):
                scene.let_go(number)
            scene.run("run", "--until-idle")
            found += idle(scene, asked.idle)
        finally:
            for pid in scene.supervisors():
                psutil.Process(pid).terminate()
    lines = [
        f"| {each.what} | {each.measured} | {each.wanted} | {'held' if each.held else '**BROKEN**'} |" for each in found
    ]
    head = "| | measured | limit | |\n|---|---:|---:|---|"
    publish("loop", f"# The loop\n\n{setting(Path(sys.executable).parent, 1)}\n\n{head}\n" + "\n".join(lines) + "\n")
    return 0 if all(each.held for each in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
