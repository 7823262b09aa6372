"""The small process beside each agent: owns its output, watches for silence, ends the whole group, says how it ended.

Started as ``python -m coffee_hooks.spawn.supervisor ORDER`` in a session of its own; it survives whoever started
it. It holds a kernel lock on its order file for as long as it lives, so nobody has to trust a pid.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.process import end_group, group_members, identify
from coffee_hooks.state.agents import EndReason, end_run, heartbeat, note_pid, note_supervisor
from coffee_hooks.state.order import Order, read_order
from coffee_hooks.state.store import open_store

BEAT_SECONDS = 5.0
GRACE_SECONDS = 10.0


class _Stop(Exception):
    """Somebody asked this supervisor to end its agent."""


def main(argv: list[str]) -> int:
    """Run the order in the file *argv[0]*; tells the pid, or what went wrong, on descriptor *argv[1]*."""
    path, answer = Path(argv[0]), int(argv[1])
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        order = read_order(held)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _stop)
        _record(order, lambda store: note_supervisor(store, order.run, os.getpid()))
        try:
            child = _start(order)
        except OSError as missing:
            _end(order, None, EndReason.FAILED)
            os.write(answer, f"error {missing.strerror or missing}".encode())
            return 1
        agent = identify(child.pid)
        _record(order, lambda store: note_pid(store, order.run, child.pid, agent.start_time if agent else time.time()))
        with contextlib.suppress(BrokenPipeError):  # whoever started us has gone; we go on
            os.write(answer, f"pid {child.pid}".encode())
        os.close(answer)
        reason = _watch(order, child)
        _end(order, child.returncode, reason)
    path.unlink(missing_ok=True)
    return 0


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _start(order: Order) -> subprocess.Popen[bytes]:
    with Path(order.log).open("ab") as sink:
        sink.write(f"--- attempt {order.attempt}\n".encode())
        sink.flush()
        return subprocess.Popen(
            order.argv, cwd=order.worktree, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def _watch(order: Order, child: subprocess.Popen[bytes]) -> EndReason:
    """Wait for the end, or bring it about. On return the group is empty and the child is reaped."""
    reason = EndReason.FAILED
    try:
        reason = _until_end(order, child)
    except _Stop:
        reason = EndReason.CANCELLED
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if child.poll() is None or group_members(child.pid):
            end_group(child.pid, grace=GRACE_SECONDS)
        child.wait()
    return reason


def _until_end(order: Order, child: subprocess.Popen[bytes]) -> EndReason:
    started = last_sign = time.monotonic()
    signs = _signs(order)
    beat = min(BEAT_SECONDS, max(order.idle_timeout / 4, 0.05))
    while True:
        try:
            child.wait(timeout=beat)
            return EndReason.DONE if child.returncode == 0 else EndReason.FAILED
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if (seen := _signs(order)) != signs:
            signs, last_sign = seen, now
            _record(order, lambda store: heartbeat(store, order.run, time.time()))
        if now - started > order.timeout:
            return EndReason.TIMED_OUT
        if now - last_sign > order.idle_timeout:
            return EndReason.STALLED


def _signs(order: Order) -> tuple[float, ...]:
    """What changes while an agent is at work: bytes in its log, its commits, the files it writes."""
    newest = 0.0
    with contextlib.suppress(OSError):
        newest = _newest(Path(order.worktree))
    return (_stat(Path(order.log)), newest)


def _newest(top: Path, most: int = 20_000) -> float:
    newest = 0.0
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in (".git", "node_modules", ".venv")]
        for name in files:
            with contextlib.suppress(OSError):
                newest = max(newest, (Path(folder) / name).lstat().st_mtime)
        most -= len(files)
        if most < 0:
            break
    return newest


def _stat(path: Path) -> float:
    try:
        return float(path.stat().st_size)
    except OSError:
        return -1.0


def _end(order: Order, code: int | None, reason: EndReason) -> None:
    """Say how it ended: the claim first, because that is what readiness reads, then the database."""
    from coffee_hooks.spawn.outcome import record_end

    final = reason
    try:
        final = record_end(order, reason)
    except CoffeeError as failed:
        with contextlib.suppress(OSError), Path(order.log).open("ab") as sink:
            sink.write(f"--- the end could not be recorded: {failed.what}\n".encode())
    _record(order, lambda store: end_run(store, order.run, time.time(), code, final))


def _record(order: Order, write: Callable[..., object]) -> None:
    # The database is a convenience: losing it must never end an agent's work.
    with contextlib.suppress(CoffeeError, OSError), open_store(order.state_dir) as store:
        write(store)


if __name__ == "__main__":
    from coffee_hooks.base.environment import scrub

    scrub()
    sys.exit(main(sys.argv[1:]))
