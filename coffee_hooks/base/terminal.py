"""A terminal to draw on: its screen is lent, and given back as it was whatever happens meanwhile.

A dozen control sequences that every terminal emulator has known for decades; what is drawn comes from elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from coffee_hooks.base import output

OTHER_SCREEN, OWN_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
NO_CURSOR, CURSOR = "\x1b[?25l", "\x1b[?25h"
NO_WRAP, WRAP = "\x1b[?7l", "\x1b[?7h"
HOLD, RELEASE = "\x1b[?2026h", "\x1b[?2026l"
"""Between the two a terminal that knows them shows nothing half drawn; others ignore them."""
UNKNOWN_SIZE = (80, 24)
KEYS = 0
"""The descriptor of what is typed."""


def can_redraw() -> bool:
    """Whether stdout is a terminal on which what was drawn can be drawn over."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


@dataclass(slots=True)
class Screen:
    """The lent screen. Made by :func:`lent_screen`."""

    _wake: int
    _drawn: list[str] | None = field(default=None, init=False)
    _size: tuple[int, int] = field(default=(0, 0), init=False)
    _keys: list[Any] | None = field(default=None, init=False)

    def size(self) -> tuple[int, int]:
        """Columns and lines now."""
        with contextlib.suppress(OSError, ValueError):
            found = os.get_terminal_size(sys.stdout.fileno())
            if found.columns > 0 and found.lines > 0:
                return found.columns, found.lines
        return UNKNOWN_SIZE

    def draw(self, lines: Sequence[str]) -> None:
        """Show *lines* from the top on; only those that differ from what is there are written, in one piece."""
        size = self.size()
        before = self._drawn if self._drawn is not None and size == self._size else None
        told = [] if before is not None else ["\x1b[0m\x1b[H\x1b[2J"]
        before = before or []
        for place, line in enumerate(lines):
            if place >= len(before) or before[place] != line:
                told.append(f"\x1b[{place + 1};1H\x1b[K{line}")
        if len(lines) < len(before):
            told.append(f"\x1b[{len(lines) + 1};1H\x1b[J")
        if told:
            output.draw(HOLD + "".join(told) + RELEASE)
        self._drawn, self._size = list(lines), size

    def wait(self, seconds: float) -> None:
        """Until the size changes or a signal comes, at most *seconds*."""
        if select.select([self._wake], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)

    def take(self) -> None:
        """Switch to the other screen, and do not show what is typed on it."""
        self._drawn = None
        self._keys = _silence()
        output.draw(OTHER_SCREEN + NO_CURSOR + NO_WRAP)

    def give_back(self) -> None:
        """Everything as it was before."""
        if self._keys is not None:
            with contextlib.suppress(termios.error, OSError, ValueError):
                termios.tcsetattr(KEYS, termios.TCSAFLUSH, self._keys)
            self._keys = None
        output.draw(WRAP + CURSOR + OWN_SCREEN)


@contextlib.contextmanager
def lent_screen() -> Iterator[Screen]:
    """The terminal's other screen, for as long as the context lasts; given back while a Ctrl-Z lasts, too.

    TERM and HUP end it as Ctrl-C does. Only in the main thread.
    """
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    screen = Screen(wake)

    def rest(_number: int, _frame: FrameType | None) -> None:
        screen.give_back()
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # we stand still in here until somebody lets us go on
        signal.signal(signal.SIGTSTP, before)
        screen.take()

    handlers = {
        signal.SIGTSTP: rest,
        signal.SIGWINCH: lambda _number, _frame: None,
        signal.SIGTERM: signal.default_int_handler,
        signal.SIGHUP: signal.default_int_handler,
    }
    with contextlib.ExitStack() as after:
        for descriptor in (wake, woken):
            after.callback(os.close, descriptor)
        after.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(woken, warn_on_full_buffer=False))
        for number, handler in handlers.items():
            after.callback(signal.signal, number, signal.signal(number, handler))
        after.callback(screen.give_back)
        screen.take()
        yield screen


def _silence() -> list[Any] | None:
    """Turn the echo of keys off; returns how the terminal was set, None where there is nothing to set."""
    with contextlib.suppress(termios.error, OSError, ValueError):
        if os.tcgetpgrp(KEYS) == os.getpgrp():  # from the background it would stop us
            before = termios.tcgetattr(KEYS)
            quiet = list(before)
            quiet[3] &= ~termios.ECHO
            termios.tcsetattr(KEYS, termios.TCSADRAIN, quiet)
            return before
    return None
