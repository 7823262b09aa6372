"""An agent's log is kept small while the agent writes to it.

The agent holds the file itself, opened for appending, so that no process stands between the two: what it writes after
the file was cut goes to its new end.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

MOST = 16 << 20
"""Bytes of a log that is left alone."""
KEPT = 4 << 20
"""Bytes that are kept of a longer one, the last, in a file beside it."""
CUT = b"--- what was before is in "
"""How a log begins that was cut."""
_PIECE = 1 << 20


def older(log: Path) -> Path:
    """Where the lines before those of *log* are."""
    return log.with_name(f"{log.name}.1")


def rotate(log: Path) -> None:
    """Cut *log* when it has become too long. What cannot be kept, on a full disk, is lost: it is only a log."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > MOST:
            with log.open("r+b") as file:
                with contextlib.suppress(OSError):
                    _keep(file.fileno(), older(log))
                file.truncate(0)
            with log.open("ab") as file:
                file.write(CUT + f"{older(log).name}, as far as it is kept\n".encode())


def _keep(log: int, place: Path) -> None:
    making = place.with_name(f"{place.name}.new")
    size = os.fstat(log).st_size
    with making.open("wb") as copy:
        for at in range(max(0, size - KEPT), size, _PIECE):
            copy.write(os.pread(log, min(_PIECE, size - at), at))
    making.replace(place)
