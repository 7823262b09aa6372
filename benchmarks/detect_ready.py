"""How long ``coffee detect-ready`` takes for 500 ready branches beside the least that git needs for it.

``python benchmarks/detect_ready.py [ROUNDS]`` writes results/detect_ready.md; exit 1 if a limit is broken. The least is
raw_scan.sh. Both look at copies of one repository of 5,000 files. The first look is at a fresh copy, where every merge
has to be written; the second at the same copy with nothing changed. Set TMPDIR to a folder in memory.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from measure import install_wheel, interleaved, publish, ratio, setting, table, wall

BRANCHES, FILES, COMMITS, AHEAD, OLDEST = 500, 5_000, 2_000, 2, 200
LIMIT, MEGABYTES = 3.0, 200
RAW, COFFEE = "raw_scan.sh", "coffee detect-ready"
SCAN = Path(__file__).with_name("raw_scan.sh")
CONFIG = 'gate: {command: ["true"]}\n'
BODY = "".join(f"line {number} = value\n" for number in range(60))

# Stands in for git on PATH: notes the name of the command, which follows the options of git itself.
COUNTING = """\
#!/bin/sh
value=no
for word; do
    if [ $value = yes ]; then value=no; continue; fi
    case $word in
        -C | -c) value=yes ;;
        -*) ;;
        *) printf '%s\\n' "$word" >>"$COUNTED"; break ;;
    esac
done
exec GIT "$@"
"""

# The sum over the whole family, looked at every few milliseconds.
WATCHING = """\
import psutil, subprocess, sys, time
most, child = 0, subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
while child.poll() is None:
    size = 0
    for process in [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]:
        try:
            size += process.memory_info().rss
        except psutil.NoSuchProcess:
            pass
    most = max(most, size)
    time.sleep(0.003)
sys.stdout.write(str(most))
sys.exit(child.returncode)
"""


def environment(home: Path) -> dict[str, str]:
    """The caller's, without his git settings and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "COFFEE_", "XDG_"))}
    home.mkdir()
    return {**kept, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8"}


def seed(folder: Path, env: dict[str, str]) -> Path:
    """A target with a history and the branches that left it at different times; some meet in a file, some conflict."""
    repository = folder / "seed"
    chance = random.Random(1)
    names = [f"pkg{n % 50:02}/mod{n // 50 % 10}/f{n:04}.py" for n in range(FILES)]
    lines: list[str] = []

    def commit(ref: str, mark: int, parent: int | None, message: str, files: dict[str, str]) -> int:
        lines.append(f"commit {ref}\nmark :{mark}\ncommitter A <a@b> {1760000000 + mark} +0000\n")
        lines.append(f"data {len(message)}\n{message}\n" + (f"from :{parent}\n" if parent else ""))
        lines.extend(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items())
        return mark

    start = {name: f"{BODY}# {name}\n" for name in names} | {".coffee.yaml": CONFIG}
    history = [commit("refs/heads/roadmap", 1, None, "Start", start)]
    for number in range(2, COMMITS + 2):
        change = {chance.choice(names): f"{BODY}# change {number}\n"}
        history.append(commit("refs/heads/roadmap", number, history[-1], f"chore: change {number}", change))
    number = history[-1]
    for branch in range(BRANCHES):
        parent = chance.choice(history[-OLDEST:])
        for step in range(AHEAD):
            number += 1
            files = {f"feature/f{branch}_{step}.py": BODY, chance.choice(names): f"{BODY}# branch {branch}.{step}\n"}
            message = f"feat: Implement US-{branch} - Feature {branch}"
            parent = commit(f"refs/heads/roadmap-wt{branch}", number, parent, message, files)
    subprocess.run(["git", "init", "-q", "-b", "roadmap", repository], check=True, env=env)
    stream = "".join(lines).encode()
    subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input=stream, check=True, env=env)
    subprocess.run(["git", "-C", repository, "reset", "-q", "--hard"], check=True, env=env)
    return repository


def measure(rounds: int, repository: Path, coffee: Path, env: dict[str, str]) -> list[dict[str, list[float]]]:
    """Seconds of the first and of the second look."""
    again: dict[str, list[float]] = {RAW: [], COFFEE: []}

    def looks(name: str, *command: str | Path) -> Callable[[int], float]:
        def look(_: int) -> float:
            with tempfile.TemporaryDirectory(dir=repository.parent) as folder:
                work = shutil.copytree(repository, Path(folder) / "work", symlinks=True)
                first = wall(command, cwd=work, env=env)
                again[name].append(wall(command, cwd=work, env=env))
            return first

        return look

    first = interleaved(
        rounds, {RAW: looks(RAW, "sh", SCAN, "roadmap"), COFFEE: looks(COFFEE, coffee, "detect-ready", "--json")}
    )
    return [first, again]


def examine(repository: Path, programs: Path, env: dict[str, str]) -> tuple[str, list[Counter[str]], float]:
    """The answer, the git commands of a first and a second look, and the most megabytes of all its processes."""
    shim, counted = repository.parent / "bin", repository.parent / "counted"
    shim.mkdir()
    (shim / "git").write_text(COUNTING.replace("GIT", shutil.which("git") or "git"))
    (shim / "git").chmod(0o755)
    counting = env | {"PATH": f"{shim}{os.pathsep}{env['PATH']}", "COUNTED": str(counted)}
    asked = [str(programs / "coffee"), "detect-ready", "--json"]
    work = shutil.copytree(repository, repository.parent / "examined", symlinks=True)
    commands, answer = [], ""
    for _ in range(2):
        counted.write_text("")
        answer = subprocess.run(asked, cwd=work, env=counting, check=True, capture_output=True, text=True).stdout
        commands.append(Counter(counted.read_text().split()))
    shutil.rmtree(work)
    shutil.copytree(repository, work, symlinks=True)
    watched = [str(programs / "python"), "-c", WATCHING, *asked]
    size = subprocess.run(watched, cwd=work, env=env, check=True, capture_output=True, text=True).stdout
    return answer, commands, int(size) / 1e6


def listed(commands: Counter[str]) -> str:
    """How many processes, and of what."""
    return f"{commands.total()} ({', '.join(f'{count} {name}' for name, count in commands.most_common())})"


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = environment(folder / "home")
        programs = install_wheel(folder)
        repository = seed(folder, env)
        answer, commands, megabytes = examine(repository, programs, env)
        first, again = measure(rounds, repository, programs / "coffee", env)
        measured = setting(programs, rounds)
    found = json.loads(answer)
    branches, overlaps = found["worktrees"], found["overlaps"]
    if len(branches) != BRANCHES:
        raise SystemExit(f"{len(branches)} branches were listed, not {BRANCHES}")
    memory = " in memory" if tempfile.gettempdir().startswith("/dev/shm") else ""
    publish(
        "detect_ready",
        f"# Listing ready branches\n\n{measured}\n"
        f"{BRANCHES} branches, {FILES} files{memory}: {sum(b['ready'] for b in branches)} ready, the others conflict; "
        f"{len(overlaps)} pairs share a path, {sum(bool(o['conflict']) for o in overlaps)} of them conflict, which the "
        f"scan does not look for.\nThe limits are {LIMIT:.0f} times the scan and {MEGABYTES} MB.\n\n"
        f"{table(first, RAW, 'first look, fresh copy')}\n\n{table(again, RAW, 'second look, nothing moved')}\n\n"
        f"All processes together hold at most {megabytes:.0f} MB.\n\n"
        f"git processes of the first look: {listed(commands[0])}.\n\n"
        f"Of the second: {listed(commands[1])}.\n",
    )
    slow = any(ratio(seconds, COFFEE, RAW) > LIMIT for seconds in (first, again))
    return int(slow or megabytes > MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())
