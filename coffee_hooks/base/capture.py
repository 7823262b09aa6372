"""What a command writes to stdout, up to a limit: the rest is read and forgotten, so that nothing fills the disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHUNK = 1 << 16
LAST_SECONDS = 2.0
"""How long the rest is waited for; what left the command's session may hold its stdout open for ever."""


@dataclass(slots=True)
class Captured:
    """The first bytes of an output in *kept*, and how many bytes there were in all."""

    limit: int
    kept: bytearray = field(default_factory=bytearray)
    total: int = 0

    def take(self, data: bytes) -> None:
        """Remember *data* as far as there is room."""
        self.total += len(data)
        self.kept += data[: max(0, self.limit - len(self.kept))]


@contextmanager
def capture(limit: int) -> Iterator[tuple[int, Captured]]:
    """A descriptor to write to, and what was written: at most *limit* bytes, complete when this ends."""
    read, write = os.pipe()
    captured = Captured(limit)
    reader = threading.Thread(target=_drain, args=(read, captured), daemon=True)
    reader.start()
    try:
        yield write, captured
    finally:
        os.close(write)
        reader.join(LAST_SECONDS)


def _drain(descriptor: int, captured: Captured) -> None:
    try:
        while data := os.read(descriptor, CHUNK):
            captured.take(data)
    finally:
        os.close(descriptor)
