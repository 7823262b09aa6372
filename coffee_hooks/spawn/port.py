"""A port for each worktree, the same every time, so that servers under test do not meet."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from coffee_hooks.spawn.numbers import number_of

FIRST, COUNT = 10_000, 10_000


def port_of(common_dir: Path, branch: str) -> int:
    """Where the search for *branch* starts, in 10000..19999: different for every branch number of a repository."""
    seed = int.from_bytes(hashlib.sha256(bytes(common_dir)).digest()[:4], "big")
    return FIRST + (seed + number_of(branch)) % COUNT


def choose_port(common_dir: Path, branch: str) -> int:
    """The first port from `port_of` on at which nobody listens now."""
    start = port_of(common_dir, branch) - FIRST
    for step in range(100):
        port = FIRST + (start + step) % COUNT
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    return FIRST + start
