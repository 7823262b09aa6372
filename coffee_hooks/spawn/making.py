"""Which branches are being made this very moment: a file for each, locked by the process that is at it.

It is locked from before the claim until the agent is watched. A claim of ours without such a lock and without an
agent was left by a dead process, and the next spawn takes over: no pid and no clock has to be trusted.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.refs import encode

LOOKS = 5


@dataclass(frozen=True, slots=True)
class Making:
    """The right to make the worktree and start the agent of one branch, held by this process."""

    path: Path
    descriptor: int

    def finish(self) -> None:
        """The agent is watched, or everything is undone."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def take(state_dir: Path, branch: str) -> Making | None:
    """The right to make *branch*; None while another process has it. Raises OSError."""
    path = _folder(state_dir) / encode(branch)
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
            return Making(path, descriptor)
        os.close(descriptor)  # its last holder unlinked it between our open and our lock
    return None


def being_made(state_dir: Path, branch: str) -> bool:
    """Whether a living process is at *branch*."""
    return _held(_folder(state_dir) / encode(branch))


def names_being_made(state_dir: Path) -> frozenset[str]:
    """The encoded names of the branches that living processes are at."""
    folder = _folder(state_dir)
    return frozenset(path.name for path in folder.iterdir() if _held(path)) if folder.is_dir() else frozenset()


def forget_dead(state_dir: Path) -> None:
    """Remove the files of dead processes; only under the spawn lock."""
    folder = _folder(state_dir)
    for path in folder.iterdir() if folder.is_dir() else ():
        if not _held(path):
            path.unlink(missing_ok=True)


def _folder(state_dir: Path) -> Path:
    return state_dir / "making"


def _names(path: Path, descriptor: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
