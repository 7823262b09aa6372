"""A night of hostile agents, shortened.

``python benchmarks/soak.py [--seconds 60] [--tasks 30] [--seed N] [--keep]`` makes a repository with a bare origin and
as many planned tasks, half of them done by agents of ``hostile.py`` that misbehave. ``coffee run`` is started and
killed with SIGKILL at random moments for so many seconds, alone or with what it runs, then left alone until it is
idle. At the end every good task has landed once, every other has its reason and its work is kept, nothing else is left
(process, lock, worktree, secret), the checkout has only the edits that agents made there, and ``coffee verify`` is
green. Exit 1 when anything of that is not so. The Python that runs it must have coffee-hooks installed.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from hostile import KINDS, Kind

COFFEE = [sys.executable, "-I", "-m", "coffee_hooks"]
PATIENCE = 300.0
"""Seconds after which a loop that is left alone has to be idle."""
SECRET = "s3cr3t-0f-the-kettle"
CONFIG: Mapping[str, Any] = {
    "gate": {"command": ["test", "!", "-e", "red.txt"], "retries": 0},
    "agent": {
        "command": ["sh", "-c", 'exec "$0" "$1" "$(cat "kinds/$2.txt")"', sys.executable,
                    str(Path(__file__).with_name("hostile.py")), "{task}"],
        "max-parallel": 8, "timeout": "30s", "idle-timeout": "5s", "retries": 2,
    },
    "limits": {"disk": "1MB", "memory": "1MB", "load": None},
    "poll": "1s",
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A repository with tasks, each with the kind of its agent."""

    folder: Path
    tasks: Mapping[str, str]

    @property
    def work(self) -> Path:
        """The main checkout."""
        return self.folder / "work"

    @property
    def state_dir(self) -> Path:
        """Where coffee keeps what it knows."""
        return self.work / ".git" / "coffee"

    def git(self, *args: str, where: str = "work") -> str:
        """What git prints."""
        done = subprocess.run(["git", "-C", self.folder / where, *args], check=True, capture_output=True, text=True)
        return done.stdout.rstrip("\n")

    def coffee(self, *args: str) -> Any:
        """The answer of a command, as JSON."""
        done = subprocess.run([*COFFEE, "--json", *args], cwd=self.work, capture_output=True, text=True, check=False)
        if done.returncode > 1:
            raise SystemExit(f"coffee {' '.join(args)} -> {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout)


def make(folder: Path, number: int, chance: random.Random) -> Scene:
    """The repository; every kind that misbehaves once in thirty tasks, the rest works."""
    kinds = [kind for kind in KINDS if kind != "work"] * (number // 30)
    kinds += ["work"] * (number - len(kinds))
    chance.shuffle(kinds)
    scene = Scene(folder, {f"US-{at}": kind for at, kind in enumerate(kinds, 101)})
    subprocess.run(["git", "init", "-q", "--bare", "-b", "roadmap", folder / "origin"], check=True)
    subprocess.run(["git", "clone", "-q", folder / "origin", folder / "work"], check=True, capture_output=True)
    files = {
        ".coffee.yaml": json.dumps(CONFIG),
        ".gitignore": ".env\n",
        "notes.txt": "mine\n",
        "docs/ROADMAP.md": "# R\n",
    }
    for task, kind in scene.tasks.items():
        files["docs/ROADMAP.md"] += f"\n### {task}: Write work {task}\n\n**Status**: 📝 Planned\n"
        files[f"docs/architecture/specs/SPEC-{task[3:]}-work.md"] = (
            f"# SPEC-{task[3:]}: Write work {task}\n\n## Files to create\n\n- `work/{task}.txt`\n"
        )
        files[f"kinds/{task}.txt"] = kind
    for name, text in files.items():
        (scene.work / name).parent.mkdir(parents=True, exist_ok=True)
        (scene.work / name).write_text(text)
    scene.git("checkout", "-q", "-B", "roadmap")
    for key, value in (("user.name", "S"), ("user.email", "s@example.invalid"), ("gc.auto", "0")):
        scene.git("config", key, value)
    scene.git("add", "-A")
    scene.git("commit", "-qm", "Start")
    scene.git("push", "-q", "-u", "origin", "roadmap")
    (scene.work / ".env").write_text(f"KETTLE={SECRET}\n")
    return scene


def torment(scene: Scene, seconds: float, chance: random.Random) -> int:
    """Start the loop and kill it, again and again; how often."""
    end, kills = time.monotonic() + seconds, 0
    with (scene.folder / "loops.log").open("ab") as log:
        while time.monotonic() < end:
            loop = subprocess.Popen(
                [*COFFEE, "run"], cwd=scene.work, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
            time.sleep(min(chance.uniform(0.2, 6.0), max(0.1, end - time.monotonic())))
            if chance.random() < 0.5:
                os.killpg(loop.pid, signal.SIGKILL)
            loop.kill()
            loop.wait()
            kills += 1
    return kills


def settle(scene: Scene) -> None:
    """Let the loop come to its end."""
    with (scene.folder / "loops.log").open("ab") as log:
        command = [*COFFEE, "run", "--until-idle"]
        done = subprocess.run(command, cwd=scene.work, stdout=log, stderr=log, timeout=PATIENCE, check=False)
    if done.returncode > 1:
        raise SystemExit(
            f"coffee run --until-idle -> {done.returncode}\n{(scene.folder / 'loops.log').read_text()[-3000:]}"
        )


def faults(scene: Scene) -> Iterator[str]:
    """Everything that is not as it has to be."""
    claims = {task["task"]: task for task in scene.coffee("status")["tasks"]}
    open_ = {branch["task"]: branch for branch in scene.coffee("detect-ready")["worktrees"]}
    landed = scene.git("ls-tree", "-r", "--name-only", "roadmap", where="origin").splitlines()
    for task, kind in scene.tasks.items():
        yield from (f"{task} ({kind}): {fault}" for fault in _faults(scene, task, KINDS[kind], claims, open_, landed))
    yield from _leaks(scene)
    if edits := scene.git("status", "--porcelain") != " M notes.txt":
        yield f"the checkout has other edits: {edits}"
    if SECRET in scene.git("log", "--all", "-p", "-S", SECRET, where="origin"):
        yield "the secret is on the remote"
    if subprocess.run([*COFFEE, "verify"], cwd=scene.work, capture_output=True, check=False).returncode:
        yield "verify is not green"


def _faults(
    scene: Scene, task: str, kind: Kind, claims: Mapping[str, Any], open_: Mapping[str, Any], landed: list[str]
) -> Iterator[str]:
    claim, mine = claims.get(task), f"work/{task}.txt"
    if claim is None:
        yield "was never claimed"
        return
    if kind.lands:
        if claim["state"] != "landed" or landed.count(mine) != 1:
            yield f"did not land: {claim['state']}, {claim['reason']}, {open_.get(task, {}).get('reasons')}"
        merges = scene.git(
            "log", "--merges", "--format=%s", f"--grep=: {task}\\|- {task}\\|{task} ", "roadmap"
        ).splitlines()
        if sum(subject.startswith("Merge parallel work") for subject in merges) > 1:
            yield f"landed more than once: {merges}"
        return
    reasons = open_.get(task, {}).get("reasons", [])
    why = f"{claim['reason']} {[(reason['code'], reason['detail']) for reason in reasons]}"
    if mine in landed or claim["state"] not in ("blocked", "done") or kind.says not in why:
        yield f"should say {kind.says!r}: {claim['state']}, {why}"
    branch = f"refs/heads/{claim['branch']}"
    if not scene.git("for-each-ref", branch):
        yield "its branch is gone"


def _leaks(scene: Scene) -> Iterator[str]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("COFFEE_ROOT") == str(scene.work) and process.status() != psutil.STATUS_ZOMBIE:
                yield f"a process is left: {process.pid} {process.cmdline()}"
        except psutil.Error:
            continue
    for path in (scene.work / ".git").rglob("*.lock"):
        if scene.state_dir not in path.parents:
            yield f"git's lock is left: {path}"
            continue
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield f"a lock is held: {path.name}"
    if orders := list((scene.state_dir / "agents").glob("*")):
        yield f"orders are left: {orders}"
    trees = [line for line in scene.git("worktree", "list", "--porcelain").splitlines() if line.startswith("branch ")]
    bad = sum(not KINDS[kind].lands for kind in scene.tasks.values())
    if len(trees) > 1 + bad:
        yield f"worktrees are left: {trees}"


def say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the loop is tormented (default: 60)")
    parser.add_argument("--tasks", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the repository, and say where it is")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = Path(tempfile.mkdtemp(prefix="soak-")).resolve()
    try:
        scene = make(folder, asked.tasks, chance)
        began = time.monotonic()
        kills = torment(scene, asked.seconds, chance)
        settle(scene)
        wrong = list(faults(scene))
        landed = sum(KINDS[kind].lands for kind in scene.tasks.values())
        say(
            f"{len(scene.tasks)} tasks, {landed} of them good, the loop killed {kills} times,"
            f" {time.monotonic() - began:.0f} s: {len(wrong)} faults"
        )
        say(*wrong)
        return 1 if wrong else 0
    finally:
        if asked.keep:
            say(str(folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
