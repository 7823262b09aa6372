"""Knowing a process again later: by pid, start time and boot id, so that a reused pid is never taken for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc/self/stat")
_STATE, _STARTED = 0, 19
"""Fields behind the name in ``/proc/PID/stat`` (proc(5))."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that can be told from a later one with the same pid.

    *start_time* is seconds since the boot where the kernel says that, because setting the clock does not move it;
    elsewhere UNIX seconds.
    """

    pid: int
    start_time: float
    boot_id: str


def boot_id() -> str:
    """A string that changes with every boot; from the kernel where it has one, else the boot time."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()))


def identify(pid: int) -> Identity | None:
    """The identity of a running process, or of a zombie; None when there is none."""
    found = _look_at(pid)
    return Identity(pid, found[0], boot_id()) if found else None


def alive(identity: Identity) -> bool:
    """Whether exactly this process still runs; a zombie does not. One that we may not look at does."""
    import psutil

    if identity.boot_id != boot_id():
        return False
    try:
        found = _look_at(identity.pid)
    except psutil.AccessDenied:
        return True
    return found is not None and abs(found[0] - identity.start_time) < 1.0 and not found[1]


def _look_at(pid: int) -> tuple[float, bool] | None:
    """When a process was made and whether it is a zombie; None when there is none. Raises psutil.AccessDenied."""
    try:
        # Behind the name, which may hold anything, also blanks and brackets.
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK"), fields[_STATE] == b"Z"
    except (OSError, IndexError, ValueError):
        if _PROC.exists():
            return None
    import psutil

    try:
        process = psutil.Process(pid)
        return process.create_time(), process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
