"""What an agent started and left behind, also in sessions of its own: adopted, so that it can be ended too.

Only Linux lets a process adopt; elsewhere the process group is all that can be reached.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """From now on orphaned descendants become children of this process (prctl(2))."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(own: int) -> None:
    """Collect adopted children that have ended; *own* is the pid of the child that somebody else waits for."""
    for pid in _children():
        if pid != own:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


def end_orphans(grace: float) -> None:
    """TERM, wait up to *grace* seconds, KILL every adopted child, and theirs as they are orphaned in turn."""
    for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + seconds
        told: set[int] = set()
        while (left := _living_children()) and time.monotonic() < deadline:
            for pid in left - told:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
            told |= left
            time.sleep(0.02)


def _living_children() -> set[int]:
    reap_orphans(0)
    return set(_children())


def _children() -> list[int]:
    with contextlib.suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []
