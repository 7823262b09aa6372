"""A port for each worktree, the same every time, so that servers under test do not meet."""

from __future__ import annotations

import hashlib
import socket

FIRST, COUNT = 10_000, 10_000


def choose_port(branch: str) -> int:
    """The first free port at or after the one that the branch name hashes to, in 10000..19999."""
    start = int.from_bytes(hashlib.sha256(branch.encode("utf-8", "surrogateescape")).digest()[:4], "big") % COUNT
    for step in range(100):
        port = FIRST + (start + step) % COUNT
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    return FIRST + start
