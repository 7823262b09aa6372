"""``coffee status --watch`` on real terminals, read by a small one of our own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil
import pytest

from coffee_hooks.base.cells import cells
from coffee_hooks.loop.watch import AGAIN_SECONDS, LOOK_SECONDS, due

if TYPE_CHECKING:
    from conftest import Shop

PATIENCE = 60.0
QUICK = (
    "import sys; from coffee_hooks.loop import watch; watch.TICK_SECONDS, watch.LOOK_SECONDS = 0.05, 0.0;"
    "from coffee_hooks.boundary import main; sys.exit(main(sys.argv[1:]))"
)
"""The program with shorter pauses: nothing in a test waits for a clock."""

SHELL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
ready, go = os.pipe()
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.read(ready, 1)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-I", "-c", *sys.argv[1:]])
os.setpgid(child, child)
os.tcsetpgrp(0, child)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGCONT):
    signal.signal(number, lambda number, _: os.kill(child, number))
os.write(go, b"x")
while True:
    status = os.waitpid(child, os.WUNTRACED)[1]
    if not os.WIFSTOPPED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
"""
"""What a shell does for a command: a process group of its own in the foreground. It passes signals on."""

_SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")


@dataclass
class Emulator:
    """A terminal as far as the table needs one. What it does not know is an error."""

    width: int
    height: int
    modes: dict[str, bool] = field(default_factory=dict)
    screen: dict[int, str] = field(default_factory=dict)
    own: dict[int, str] = field(default_factory=dict)
    row: int = 0
    rest: str = ""
    wrapped: list[str] = field(default_factory=list)
    colours: int = 0
    written: int = 0

    def feed(self, text: str) -> None:
        """Take what the program wrote; a sequence may be torn."""
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = _SEQUENCE.match(text, at)
                if found is None:
                    assert len(text) - at < 12, repr(text[at : at + 20])
                    self.rest = text[at:]
                    return
                self._obey(found[1], found[2], found[3])
                at = found.end()
                continue
            end = text.find("\x1b", at)
            self._put(text[at : end if end >= 0 else len(text)])
            at = end if end >= 0 else len(text)

    def _obey(self, private: str, values: str, what: str) -> None:
        if private:
            assert what in "hl"
            self.modes[values] = what == "h"
            if values == "1049":
                self.own, self.screen, self.row = self.screen, ({} if what == "h" else self.own), 0
        elif what == "H":
            self.row = int(values.split(";", maxsplit=1)[0] or 1) - 1
        elif what == "K":
            self.screen[self.row] = ""
        elif what == "J":
            for row in [row for row in self.screen if row >= (0 if values == "2" else self.row)]:
                del self.screen[row]
        else:
            assert what == "m", what
            self.colours += values != "0"

    def _put(self, text: str) -> None:
        self.written += 1
        for part in re.split(r"(\r?\n)", text):
            if part in ("\n", "\r\n"):
                self.row += 1
            elif part:
                assert part.replace("\r", "").isprintable(), repr(part)
                self.screen[self.row] = self.screen.get(self.row, "") + part.replace("\r", "")
                if cells(self.screen[self.row]) > self.width or self.row >= self.height:
                    self.wrapped.append(self.screen[self.row])

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.screen.get(row, "") for row in range(max(self.screen, default=-1) + 1))


@dataclass
class Session:
    """The program on a terminal."""

    process: subprocess.Popen[bytes]
    master: int
    slave: int
    terminal: Emulator

    def until(self, true: Callable[[], object]) -> None:
        """Read until something is true."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, self.terminal.text
            if select.select([self.master], [], [], 0.02)[0]:
                with contextlib.suppress(OSError):
                    self.terminal.feed(os.read(self.master, 1 << 16).decode())

    def shows(self, *words: str) -> None:
        """Until all of *words* are on the screen."""
        self.until(lambda: all(word in self.terminal.text for word in words))

    def resize(self, width: int, height: int) -> None:
        """As when a person pulls at the window's corner."""
        self.terminal.width, self.terminal.height = width, height
        self.terminal.screen.clear()  # what a terminal makes of the old lines is its own affair
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal to the program; its exit code."""
        self.process.send_signal(number)
        self.until(lambda: self.process.poll() is not None)
        self.until(lambda: not select.select([self.master], [], [], 0)[0])
        return self.process.returncode


Start = Callable[..., Session]


@pytest.fixture
def start(shop: Shop) -> Iterator[Start]:
    """``start(*args, size=(80, 24), **environment)`` runs ``coffee`` on a terminal of that size."""
    made: list[Session] = []

    def run(*args: str, size: tuple[int, int] = (80, 24), env: Mapping[str, str] | None = None) -> Session:
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", SHELL, QUICK, *(args or ("status", "--watch"))], cwd=shop.work, stdin=slave,
            stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm-256color", **(env or {})},
            start_new_session=True,
        )  # fmt: skip
        made.append(Session(process, master, slave, Emulator(*(size if size[0] else (80, 24)))))
        return made[-1]

    yield run
    for session in made:
        session.process.kill()
        session.process.wait()
        os.close(session.master)
        os.close(session.slave)


# --- when to look ---------------------------------------------------------------------------------


def test_a_reading_is_due_when_something_changed_or_after_a_while() -> None:
    """Changes are taken together; and what no file's time tells is seen in the end."""
    assert due(100.0, float("-inf"), changed=False)
    assert not due(100.0 + LOOK_SECONDS - 0.1, 100.0, changed=True)
    assert due(100.0 + LOOK_SECONDS, 100.0, changed=True)
    assert not due(100.0 + AGAIN_SECONDS - 0.1, 100.0, changed=False)
    assert due(100.0 + AGAIN_SECONDS, 100.0, changed=False)


# --- on a terminal --------------------------------------------------------------------------------


def test_the_table_stands_still_and_the_terminal_is_given_back(shop: Shop, start: Start) -> None:
    """What was on the screen is there again after Ctrl-C, with its cursor, its wrapping and its echo."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    session = start()
    before = termios.tcgetattr(session.slave)
    session.terminal.screen[0] = "$ coffee status --watch"
    session.shows("roadmap-mine", "queue:", "1 ready")
    assert session.terminal.modes == {"1049": True, "25": False, "7": False, "2026": False}
    assert not termios.tcgetattr(session.slave)[3] & termios.ECHO, "what is typed does not fall into the table"
    shop.box.branch("roadmap-other", {"pkg/other.py": "1\n"}, "feat: other")
    session.shows("roadmap-other", "2 ready")
    assert session.terminal.wrapped == []
    assert session.end() == 130
    assert session.terminal.modes == {"1049": False, "25": True, "7": True, "2026": False}
    assert session.terminal.text == "$ coffee status --watch"
    assert termios.tcgetattr(session.slave) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_every_polite_end_gives_the_terminal_back(start: Start, number: int) -> None:
    """kill, and a window that is closed, end it as Ctrl-C does."""
    session = start()
    session.shows("nothing is claimed")
    assert session.end(number) == 130
    assert session.terminal.modes["1049"] is False and session.terminal.modes["25"] is True


def test_it_can_be_put_aside(start: Start) -> None:
    """Ctrl-Z gives the screen back and the shell its echo; fg draws the table again."""
    session = start()
    session.shows("nothing is claimed")
    session.process.send_signal(signal.SIGTSTP)
    session.until(lambda: session.terminal.modes["1049"] is False)
    (coffee,) = psutil.Process(session.process.pid).children()
    session.until(lambda: coffee.status() == psutil.STATUS_STOPPED)
    assert termios.tcgetattr(session.slave)[3] & termios.ECHO, "what is typed to the shell is seen"
    session.process.send_signal(signal.SIGCONT)
    session.until(lambda: session.terminal.modes["1049"] is True)
    session.shows("nothing is claimed")
    assert session.end() == 130


@pytest.mark.parametrize("size", [(20, 6), (500, 60), (37, 3), (1, 1), (0, 0)])
def test_it_fits_any_terminal(shop: Shop, start: Start, size: tuple[int, int]) -> None:
    """Narrow, wide, low, and one that does not know its size: nothing is wrapped, the clock is at the top."""
    for name in ("roadmap-mine", "roadmap-" + "long" * 40):
        shop.box.branch(name, {f"pkg/{name}.py": "1\n"}, "feat: mine")
    session = start(size=size)
    session.until(lambda: session.terminal.text)
    session.until(lambda: session.terminal.modes.get("2026") is False)
    lines = session.terminal.text.splitlines()
    width, height = size if size[0] else (80, 24)
    assert session.terminal.wrapped == [] and len(lines) <= height
    assert all(cells(line) <= width for line in lines)
    assert session.end() == 130


def test_it_follows_the_size_of_the_window(shop: Shop, start: Start) -> None:
    """A resize draws everything anew, at once, and for the new size."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    session = start(size=(100, 30))
    session.shows("branch", "commits", "roadmap-mine")
    session.resize(24, 5)
    session.until(lambda: "task" in session.terminal.text and "commits" not in session.terminal.text)
    session.resize(100, 30)
    session.shows("branch", "commits", "roadmap-mine")
    assert session.terminal.wrapped == []
    assert session.end() == 130


def test_colours_are_for_who_wants_them(shop: Shop, start: Start) -> None:
    """NO_COLOR takes the colours and nothing else."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    session = start(env={"NO_COLOR": "1"})
    session.shows("roadmap-mine")
    assert session.terminal.modes["1049"] and session.terminal.colours == 0
    assert session.end() == 130
    session = start()
    session.shows("roadmap-mine")
    assert session.terminal.colours > 0


@pytest.mark.parametrize("args", [("status", "--watch"), ("--json", "status", "--watch")])
def test_a_terminal_that_cannot_move_its_cursor_gets_one_block_for_each_change(
    shop: Shop, start: Start, args: tuple[str, ...]
) -> None:
    """TERM=dumb, and JSON on any terminal: no control sequence at all."""
    session = start(*args, env={"TERM": "xterm" if "--json" in args else "dumb"}, size=(2000, 50))
    session.until(lambda: session.terminal.text.endswith(("coffee run", "}}")))
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    session.shows("roadmap-mine")
    assert session.terminal.modes == {} and session.terminal.colours == 0
    assert session.end() == 130


def test_a_plain_terminal_gets_plain_characters(shop: Shop, start: Start) -> None:
    """In the C locale what is cut ends in a tilde, and nothing is beyond ASCII."""
    shop.box.branch("roadmap-" + "long" * 40, {"pkg/mine.py": "1\n"}, "feat: mine")
    session = start(env={"LC_ALL": "C"}, size=(60, 10))
    session.shows("long", "~")
    assert session.terminal.text.isascii() and session.terminal.wrapped == []
    assert session.end() == 130


def test_nothing_that_others_write_steers_the_terminal(shop: Shop, start: Start) -> None:
    """Claims travel: their reasons, owners and tasks may hold sequences, line ends, wide and reversed characters."""
    evil = "\x1b[2J\x1b]0;title\x07\x9b31m\r\n\u202eesrever\u2028漢字"
    claim = {
        "task": "US-104", "branch": "roadmap-wt1", "base": "1" * 40, "owner": evil, "attempt": 1, "nonce": "n",
        "state": "blocked", "sha": None, "reason": f"because {evil} of it", "since": 1,
    }  # fmt: skip
    blob = shop.git(shop.work, "hash-object", "-w", "--stdin", input=json.dumps(claim))
    shop.git(shop.work, "update-ref", "refs/coffee/tasks/US-104", blob)
    session = start()
    session.shows("US-104", "because", "esrever")
    assert session.terminal.wrapped == [] and session.terminal.modes["1049"]
    assert session.end() == 130


def test_while_nothing_changes_git_is_left_alone(shop: Shop, start: Start) -> None:
    """The clock goes on, the files are looked at, and no git process is started: it was read once."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    calls, real = shop.work.parent / "calls", shutil.which("git")
    counting = shop.work.parent / "bin" / "git"
    counting.parent.mkdir()
    counting.write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {real} "$@"\n')
    counting.chmod(0o755)
    session = start(env={"PATH": f"{counting.parent}:{os.environ['PATH']}"})
    session.shows("roadmap-mine")
    first, seen = calls.read_text(), session.terminal.text.split()[0]
    session.until(lambda: session.terminal.text.split()[0] != seen)
    seen = session.terminal.text.split()[0]
    session.until(lambda: session.terminal.text.split()[0] != seen)
    assert calls.read_text() == first != ""
    assert session.end() == 130


def test_what_other_machines_do_is_seen(shop: Shop, start: Start) -> None:
    """Where claims travel the remote is asked now and then, also while nothing happens here."""
    shop.configure(shared=True, poll="1s")
    session = start()
    session.shows("nothing is claimed")
    claim = {"task": "US-104", "branch": "roadmap-wt7", "base": "1" * 40, "state": "claimed", "owner": "she@there"}
    blob = shop.git(shop.box.origin, "hash-object", "-w", "--stdin", input=json.dumps(claim))
    shop.git(shop.box.origin, "update-ref", "refs/coffee/tasks/US-104", blob)
    session.shows("US-104", "roadmap-wt7")
    assert session.end() == 130


def test_a_failure_while_it_watches_is_shown_and_gets_over(shop: Shop, start: Start) -> None:
    """A target that is gone for a moment: the last table stays, with the reason above it."""
    shop.box.branch("roadmap-mine", {"pkg/mine.py": "1\n"}, "feat: mine")
    session = start(size=(100, 20))
    session.shows("roadmap-mine")
    config = shop.work / ".git" / "config"
    text = config.read_text()
    config.write_text(text + "\n[broken\n")
    session.shows("error:", "trying again", "roadmap-mine")
    config.write_text(text)
    session.until(lambda: "error:" not in session.terminal.text)
    assert session.end() == 130


def test_a_failure_at_the_start_is_told_on_the_own_screen(shop: Shop, start: Start) -> None:
    """Nobody would read it on one that is taken away again."""
    session = start("-C", str(shop.work.parent), "status", "--watch")
    session.until(lambda: session.process.poll() is not None)
    session.shows("error:")
    assert session.process.returncode == 2 and "1049" not in session.terminal.modes
