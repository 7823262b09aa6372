"""The kernel's lock on one machine: held by a process, freed by its death."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from coffee_hooks.base.errors import LockedError
from coffee_hooks.base.git import Repo


@dataclass(frozen=True, slots=True)
class LockProof:
    """Only :func:`hold` makes these; functions that must not run twice at once ask for one."""

    name: str


@contextlib.contextmanager
def hold(repo: Repo, name: str, *, wait: float = 0.0) -> Iterator[LockProof]:
    """Hold the repository's lock *name* (``merge``, ``spawn``, ``run``), waiting up to *wait* seconds.

    Raises LockedError (exit 75) that names the holder's pid.
    """
    repo.state_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(repo.state_dir / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
                    raise LockedError(
                        f"another coffee {name} is running here" + (f" (pid {holder})" if holder else ""),
                        hint="wait for it with --wait SECONDS",
                    ) from None
                time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield LockProof(name)
    finally:
        os.close(descriptor)
