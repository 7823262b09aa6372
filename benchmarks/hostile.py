"""The agents of ``soak.py``: most do what they should, the others what agents have been seen to do.

``python hostile.py KIND``, in a worktree with the environment of an agent. Each writes ``work/TASK.txt`` and commits
it, if it is one that works at all. `KINDS` says of each kind what has to become of its task.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FOREVER = 100_000.0
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Kind:
    """*lands*: its work is good. *says* is in the reason why it does not land."""

    act: Callable[[], None]
    lands: bool = False
    says: str = ""


def git(*args: str) -> None:
    subprocess.run(["git", *args], check=True, stdout=subprocess.DEVNULL)


def write(more: str = "") -> Path:
    """The work that the spec asks for."""
    place = Path("work") / f"{os.environ['COFFEE_TASK_ID']}.txt"
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"attempt {os.environ['COFFEE_ATTEMPT']} at port {os.environ['COFFEE_PORT']}\n{more}")
    return place


def commit(*more: str) -> None:
    git("add", "-f", "--", str(write()), *more)
    git("commit", "-qm", f"feat: Do {os.environ['COFFEE_TASK_ID']}")


def work() -> None:
    time.sleep(0.5)
    commit()


def hang() -> None:
    time.sleep(FOREVER)


def be_deaf() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(FOREVER)


def leave_orphans() -> None:
    """Twice forked, in a session of its own, deaf, and holding our output."""
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                be_deaf()
            os._exit(0)
        os.wait()
    commit()


def flood() -> None:
    line = b"\x1b]0;pwned\x07" + b"x" * 1000 + b"\n"
    for _ in range(200):
        sys.stdout.buffer.write(line * 1000)
    sys.stdout.buffer.flush()
    commit()


def do_nothing() -> None:
    sys.stdout.write("All done! The tests pass.\n")


def leave_dirty() -> None:
    commit()
    Path("half-finished.txt").write_text("not committed\n")


def commit_elsewhere() -> None:
    git("checkout", "-qB", f"topic-{os.environ['COFFEE_TASK_ID']}")
    commit()


def escape() -> None:
    """Edits the main checkout by its absolute path, besides its own work."""
    with (Path(os.environ["COFFEE_ROOT"]) / "notes.txt").open("a") as file:
        file.write(f"{os.environ['COFFEE_TASK_ID']} was here\n")
    commit()


def vanish() -> None:
    commit()
    shutil.rmtree(os.environ["COFFEE_WORKTREE"])


def run_out_of_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))
    Path("result.txt").write_text("x" * 2 * MEGABYTE)
    commit()


def commit_a_film() -> None:
    with Path("film.bin").open("wb") as film:
        film.truncate(100 * MEGABYTE)
    commit("film.bin")


def commit_a_secret() -> None:
    commit(".env")


def break_the_index() -> None:
    commit()
    Path(subprocess.check_output(["git", "rev-parse", "--git-path", "index"], text=True).strip()).write_bytes(b"DIRC??")


def be_red() -> None:
    Path("red.txt").write_text("the gate looks for this\n")
    commit("red.txt")


KINDS = {
    "work": Kind(work, lands=True),
    "leave orphans": Kind(leave_orphans, lands=True),
    "flood": Kind(flood, lands=True),
    "escape": Kind(escape, lands=True),
    "hang": Kind(hang, says="stalled"),
    "be deaf": Kind(be_deaf, says="stalled"),
    "do nothing": Kind(do_nothing, says="no-commits"),
    "leave dirty": Kind(leave_dirty, says="dirty"),
    "commit elsewhere": Kind(commit_elsewhere, says="not on"),
    "vanish": Kind(vanish, says="worktree is gone"),
    "run out of room": Kind(run_out_of_room, says="failed"),
    "commit a film": Kind(commit_a_film, says="needs-human"),
    "commit a secret": Kind(commit_a_secret, says="needs-human"),
    "break the index": Kind(break_the_index, says="cannot be read"),
    "be red": Kind(be_red, says="gate"),
}

if __name__ == "__main__":
    KINDS[sys.argv[1]].act()
