"""Files that only spare the next command some work: replaced whole or not at all, and nothing fails without them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def keep_json(path: Path, value: object) -> None:
    """Replace *path*. Where it cannot be written (a full or read-only disk) the next command takes longer."""
    keep_lines(path, [json.dumps(value)])


def keep_lines(path: Path, lines: Iterable[str]) -> None:
    """Replace *path* by *lines* of ASCII, the folder made where it is missing; as `keep_json` otherwise."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        making = path.with_name(f"{path.name}.new")
        with making.open("a", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # somebody else is at it: that is as good
            if os.fstat(file.fileno()).st_ino == making.stat().st_ino:  # else theirs is in place already
                file.truncate(0)  # of a process that was killed
                file.writelines(f"{line}\n" for line in lines)
                file.flush()
                making.replace(path)


def recall_json(path: Path) -> Any:
    """What `keep_json` wrote to *path*, or whatever else is there; None when that is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
