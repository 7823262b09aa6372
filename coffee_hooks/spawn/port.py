"""A port for each worktree, the same as long as it lives and nobody else's, so that servers under test do not meet.

Who has which port is written down for the whole machine, because repositories share its ports. The file may be deleted:
then ports are given anew, past those at which somebody listens.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import Repo
from coffee_hooks.spawn.making import being_made
from coffee_hooks.spawn.numbers import number_of

FIRST, COUNT = 10_000, 10_000


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a port: the worktree of *branch* at *worktree*, which the repository of *state_dir* makes or has made."""

    worktree: str
    state_dir: str
    branch: str


def port_of(common_dir: Path, branch: str) -> int:
    """Where the search for *branch* starts, in 10000..19999: different for every branch number of a repository."""
    seed = int.from_bytes(hashlib.sha256(bytes(common_dir)).digest()[:4], "big")
    return FIRST + (seed + number_of(branch)) % COUNT


def first_free(start: int, taken: Container[int], free: Callable[[int], bool]) -> int | None:
    """The first port from *start* on, around the range, that is not *taken* and that *free* calls free. Pure."""
    ports = (FIRST + (start - FIRST + step) % COUNT for step in range(COUNT))
    return next((port for port in ports if port not in taken and free(port)), None)


def reserve_port(repo: Repo, branch: str, worktree: Path) -> int:
    """The port of *worktree*: the one that it has, or the first from `port_of` on that is nobody's.

    One that a living worktree has, or that is being made, is never given to another. Raises EnvironmentFailure when
    every port is taken, OSError.
    """
    ours = Holder(str(worktree), str(repo.state_dir), branch)
    with _register(repo) as register:
        known = {port: holder for port, holder in read_register(register).items() if _lives(holder)}
        had = next((port for port, holder in known.items() if holder.worktree == ours.worktree), None)
        port = had or first_free(port_of(repo.common_dir, branch), known, is_free)
        if port is None:
            raise EnvironmentFailure(
                f"every port from {FIRST} to {FIRST + COUNT - 1} is taken", hint="coffee cleanup, or end some servers"
            )
        if known.get(port) != ours:
            _write(register, {**known, port: ours})
        return port


def is_free(port: int) -> bool:
    """Whether nobody listens at *port* on this machine."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            probe = socket.socket(family)
        except OSError:  # a machine without this kind of address
            continue
        with probe:
            try:
                probe.bind((address, port))
            except OSError as failed:  # or IPv6 is switched off, or a sandbox forbids it: that says nothing
                if failed.errno == errno.EADDRINUSE:
                    return False
    return True


def read_register(register: Path) -> Mapping[int, Holder]:
    """Who has which port; what cannot be read says nothing."""
    try:
        value = json.loads(register.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    found: dict[int, Holder] = {}
    for port, holder in value.items() if isinstance(value, dict) else ():
        with contextlib.suppress(TypeError, ValueError):
            found[int(port)] = Holder(**holder)
    return {port: holder for port, holder in found.items() if all(isinstance(v, str) for v in asdict(holder).values())}


def _lives(holder: Holder) -> bool:
    try:
        return Path(holder.worktree).exists() or being_made(Path(holder.state_dir), holder.branch)
    except (OSError, ValueError):  # nobody who is there has such a name
        return False


def _write(register: Path, holders: Mapping[int, Holder]) -> None:
    beside = register.with_suffix(".new")
    text = json.dumps({str(port): asdict(holder) for port, holder in holders.items()}, indent=1)
    beside.write_text(text, encoding="ascii")  # names that are not UTF-8 are escaped
    beside.replace(register)


@contextlib.contextmanager
def _register(repo: Repo) -> Iterator[Path]:
    """The file, while nobody else of this machine and user reads or writes it."""
    folder = _folder(repo)
    descriptor = os.open(folder / "ports.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder / "ports.json"
    finally:
        os.close(descriptor)


def _folder(repo: Repo) -> Path:
    """The user's folder for such things; that of the repository where there is none that may be written."""
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 - never raises
    for folder in (Path(home) / "coffee", repo.state_dir):
        if folder.is_absolute():
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                if os.access(folder, os.W_OK):
                    return folder
    return repo.state_dir
