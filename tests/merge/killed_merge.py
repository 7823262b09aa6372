"""Play ``coffee merge`` and kill -9 it at one point after the other, each time in a fresh copy.

``python killed_merge.py TEMPLATE SCRATCH FIRST STEP [COMMAND...]`` is used by test_merge_kill and test_revert. A point
is right before a git call, right after one, and right before a file or folder is written, made, moved or removed. For
each point FIRST, FIRST + STEP ... a JSON line says what there is after the killed call and after a second, undisturbed
one. One process that forks is ten times faster than an interpreter for each call.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coffee_hooks.base import git as base_git
from coffee_hooks.base import objects
from coffee_hooks.base.runner import runner
from coffee_hooks.boundary import main as coffee
from coffee_hooks.loop import landing, merging, reverting

LOADED = (runner(), landing, merging, reverting)
"""Loaded once, before the forks: what a command loads when it needs it."""

BRANCHES = os.environ.get("BRANCHES", "roadmap-wt1").split()


CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "sqlite3.connect"}
"""Audit events of Python that come right before something on the disk changes, beside ``open``."""


def kill_at(step: int) -> None:
    """Die at the point number *step*: right before or after a git call, or right before a file or folder changes."""
    done, talk = base_git.execute, base_git.converse
    passed = 0

    def point() -> None:
        nonlocal passed
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1

    def execute(argv: Sequence[str], **more: Any) -> base_git.Result:
        point()
        result = done(argv, **more)
        point()
        return result

    def converse(argv: Sequence[str], env: Mapping[str, str]) -> Any:
        point()
        return talk(argv, env)

    def hear(event: str, values: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and writes(*values)):
            point()

    base_git.execute = execute
    objects.converse = converse
    sys.addaudithook(hear)


def writes(path: object, _mode: object, flags: int) -> bool:
    """Whether opening *path* can change what is on the disk. A file without a name is gone with its process."""
    if path == os.devnull or not isinstance(path, (str, bytes)):
        return False
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and flags & os.O_TMPFILE != os.O_TMPFILE


def forked(act: Callable[[], int]) -> int:
    """Do it in a child and return how that ended."""
    child = os.fork()
    if child == 0:
        try:
            code = act()
        except BaseException:  # noqa: BLE001 - a child of a fork must not return
            traceback.print_exc()
            os._exit(99)
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def command(work: Path, answer: Path, *args: str) -> int:
    """A command in this process, its JSON in a file."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.TextIOWrapper(io.BytesIO())):
        code = coffee(["-C", str(work), "--json", *args])
    answer.write_bytes(out.buffer.getvalue())  # type: ignore[attr-defined]
    return code


def git(where: Path, *args: str) -> str:
    return subprocess.run(["git", "-C", str(where), *args], capture_output=True, text=True, check=True).stdout.strip()


def refs(where: Path, prefix: str) -> dict[str, str]:
    out = git(where, "for-each-ref", "--format=%(refname) %(objectname)", prefix)
    return dict(line.split(" ") for line in out.splitlines())


def picture(home: Path) -> dict[str, object]:
    """What a person would look at: targets, verdicts, runs of the gate, local work, leftovers."""
    work, origin = home / "work", home / "origin.git"
    runs = home / "runs"
    places = [where for where in (work, origin) if (where / "config").exists() or (where / ".git").exists()]
    if not git(work, "remote"):
        places.remove(origin)
    return {
        "targets": [refs(where, "refs/heads/roadmap").get("refs/heads/roadmap") for where in places],
        "trees": [git(where, "rev-parse", "refs/heads/roadmap^{tree}") for where in places],
        "green": [ref.split("/")[3] for ref in refs(work, "refs/coffee/verdicts/")],
        "runs": len(runs.read_text().split()) if runs.exists() else 0,
        "status": git(work, "status", "--porcelain"),
        "notes": (work / "notes.txt").read_text(),
        "left": [
            *refs(work, "refs/coffee/intent"),
            *(path.name for path in (home / "work.worktrees").glob("*.making")),
            *(str(path) for path in home.rglob("*.lock") if path.parent.name != "coffee"),
            *(path.name for path in (home / "tmp").iterdir()),
        ],
    }


def play(template: Path, home: Path, step: int, words: Sequence[str]) -> dict[str, object]:
    """One killed command and one that is not."""
    shutil.copytree(template, home, symlinks=True)
    config = home / "work/.git/config"
    config.write_text(config.read_text().replace(str(template), str(home)))
    (home / "tmp").mkdir()
    tempfile.tempdir = str(home / "tmp")
    os.environ["RUNS"] = str(home / "runs")
    before = picture(home)

    def killed() -> int:
        kill_at(step)
        return command(home / "work", home / "killed", *words)

    code = forked(killed)
    between = picture(home)
    again = forked(lambda: command(home / "work", home / "again", *words))
    after = picture(home)
    proof = forked(lambda: command(home / "work", home / "proof", "verify"))
    claim = json.loads(git(home / "work", "cat-file", "blob", "refs/coffee/tasks/US-104"))
    line = git(home / "work", "rev-list", "--first-parent", "--merges", "roadmap").split()
    found = {
        "step": step, "killed": code, "before": before, "between": between, "again": again, "after": after,
        "answer": json.loads((home / "again").read_text() or "{}"), "proof": proof, "claim": claim["state"],
        "merges": line, "verdicts": [c["verdict"] for c in json.loads((home / "proof").read_text())["commits"]],
    }  # fmt: skip
    shutil.rmtree(home)
    return found


def main(template: Path, scratch: Path, first: int, stride: int, *words: str) -> None:
    """One line for each step, until a merge ends before it comes to its step."""
    step = first
    while True:
        found = play(template, scratch / f"step{step}", step, words or ("merge", *BRANCHES))
        print(json.dumps(found), flush=True)  # noqa: T201
        if found["killed"] != -signal.SIGKILL:
            return
        step += stride


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
