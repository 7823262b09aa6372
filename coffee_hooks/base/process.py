"""Processes: run a command in its own group, end the whole group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coffee_hooks.base.identity import Identity, alive, identify

GRACE_SECONDS = 5.0
STOP_SECONDS = 0.02
"""How long it takes at most until the end of a command, or the wish to stop it, is noticed."""


class End(Enum):
    """Why a command stopped."""

    EXITED = "exited"
    TIMED_OUT = "timed-out"
    NOT_FOUND = "not-found"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: *rc* is negative for a signal, None when it never started; *seconds* of wall time."""

    end: End
    rc: int | None
    seconds: float


def group_members(group: int) -> tuple[int, ...]:
    """Pids of the living processes in a process group or session."""
    import psutil

    # Asking the kernel about each pid is thirty times faster than asking for each process's status.
    return tuple(pid for pid in psutil.pids() if _belongs(pid, group) and not _ended(pid))


def group_seconds(group: int) -> float:
    """Seconds of the processor that the members of a process group or session, and their children, have used."""
    import psutil

    used = 0.0
    for pid in group_members(group):
        with contextlib.suppress(psutil.Error):
            used += sum(psutil.Process(pid).cpu_times()[:4])
    return used


def _belongs(pid: int, group: int) -> bool:
    try:
        return group in (os.getpgid(pid), os.getsid(pid))
    except OSError:
        return False


def _ended(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def end_group(group: int, *, grace: float = GRACE_SECONDS) -> bool:
    """TERM, wait up to *grace* seconds, KILL everything in the group or session; True once it is empty.

    What left the group for a session of its own is ended too, as long as it can still be traced to a member.
    """
    strays = _strays(group)
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, GRACE_SECONDS)):
        deadline = time.monotonic() + patience
        # At once: a shell must not go on because its child was ended first.
        told = {pid for pid in group_members(group) if _group_of(pid) == group}
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, sign)
        while members := {*group_members(group), *(who.pid for who in strays if alive(who))}:
            for pid in members - told:  # a second TERM would cut short what the first one made it do
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, sign)
            told |= members
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return True
    return not group_members(group)


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None


def _strays(group: int) -> tuple[Identity, ...]:
    """The descendants of the group's members that are not members themselves."""
    import psutil

    children: dict[int, list[int]] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            children.setdefault(process.ppid(), []).append(process.pid)
    members = group_members(group)
    family = list(members)
    for pid in family:  # grows while it is read
        family += [child for child in children.pop(pid, ()) if child not in members]
    return tuple(who for pid in family[len(members) :] if (who := identify(pid)))


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    seconds: float,
    stdin: bytes = b"",
    stop: threading.Event | None = None,
    stdout: int | None = None,
) -> Ended:
    """Run *argv* in a session of its own, its output appended to *log*, and leave no process of that session behind.

    With the descriptor *stdout* only what it complains about goes to the log.

    Returns NOT_FOUND when the program does not exist, TIMED_OUT after *seconds*, STOPPED once *stop* is set. An
    exception (Ctrl-C) passes through once the group is empty.
    """
    started = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    child = None
    with log.open("ab") as sink:
        try:
            with interrupts_wait():
                child = subprocess.Popen(
                    list(argv), cwd=cwd, env=dict(env), stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                    stdout=sink if stdout is None else stdout, stderr=sink, start_new_session=True,
                )  # fmt: skip
            import psutil  # noqa: F401 - needed once it has ended; now there is time

            if stop is None or stdin:
                child.communicate(stdin or None, timeout=seconds)
                end = End.EXITED
            else:
                end = _wait(child, started + seconds, stop)
        except (FileNotFoundError, PermissionError, NotADirectoryError, ValueError) as missing:
            sink.write(f"{argv[0]}: {missing}\n".encode("utf-8", "replace"))
            return Ended(End.NOT_FOUND, None, time.monotonic() - started)
        except subprocess.TimeoutExpired:
            end = End.TIMED_OUT
        finally:
            if child is not None:
                if child.poll() is None or group_members(child.pid):
                    end_group(child.pid)
                child.wait()
    assert child is not None
    return Ended(end, child.returncode, time.monotonic() - started)


def _wait(child: subprocess.Popen[bytes], deadline: float, stop: threading.Event) -> End:
    """Wait for *child* until *deadline* on the monotonic clock, or until *stop* is set."""
    pause = 0.001
    while child.poll() is None:
        if stop.wait(min(pause, max(0.0, deadline - time.monotonic()))):
            return End.STOPPED
        if time.monotonic() > deadline:
            return End.TIMED_OUT
        pause = min(pause * 1.5, STOP_SECONDS)
    return End.EXITED


@contextlib.contextmanager
def interrupts_wait() -> Iterator[None]:
    """Put off Ctrl-C: while a process is being made, it already runs but nobody could end it yet."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    caught: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: caught.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if caught:
        signal.raise_signal(signal.SIGINT)


def start_detached(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], log: Path, pass_fds: Sequence[int] = ()
) -> int:
    """Start a process that outlives us, in a session of its own, and return its pid. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        child = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )
    _detached.append(child)
    return child.pid


_detached: list[subprocess.Popen[bytes]] = []


def reap() -> None:
    """Collect detached children that have ended, so that none stays a zombie of a long-running loop."""
    _detached[:] = [child for child in _detached if child.poll() is None]


def end_companions() -> None:
    """Ask the children of our own group to end: those that a Ctrl-C at a terminal reaches, where only we were told."""
    import psutil

    for child in psutil.Process().children():
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(child.pid) == os.getpgrp():
                os.kill(child.pid, signal.SIGTERM)


def end_marked(name: str, values: Container[str]) -> None:
    """KILL every process that was started with one of *values* in the environment variable *name*."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(name) in values and process.pid != os.getpid():
                process.kill()


def works_in(program: str, folder: Path) -> bool:
    """Whether a process called *program* has its current directory in *folder*, as far as we may see."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() == program and Path(process.cwd()).is_relative_to(folder):
                return True
    return False
