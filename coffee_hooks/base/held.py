"""A file that is locked by the process that is at something: no pid and no clock has to be trusted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

LOOKS = 5


@dataclass(frozen=True, slots=True)
class Held:
    """The right to be at something, held by this process and by whoever inherits the descriptor."""

    path: Path
    descriptor: int

    def finish(self) -> None:
        """It is done: the file goes, and with it the right."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def take(path: Path) -> Held | None:
    """The right that *path* stands for; None while another process has it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(LOOKS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            time.sleep(0.01)  # it may only be somebody who looks whether it is held
            continue
        if _names(path, descriptor):
            return Held(path, descriptor)
        os.close(descriptor)  # its last holder unlinked it between our open and our lock
    return None


def is_held(path: Path) -> bool:
    """Whether a living process holds *path*."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _names(path: Path, descriptor: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False
