"""The small process beside each agent: owns its output, watches for silence, ends the whole group, says how it ended.

Started as ``python -m coffee_hooks.spawn.supervisor ORDER LOCK ANSWER [AFTER...]`` in a session of its own; it
survives whoever started it. LOCK is the inherited descriptor that holds the kernel lock on the order file for as long
as the supervisor lives, so nobody has to trust a pid.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.identity import identify
from coffee_hooks.base.process import end_group, group_members, group_seconds
from coffee_hooks.spawn.orphans import adopt, end_orphans, reap_orphans
from coffee_hooks.spawn.rotate import rotate
from coffee_hooks.spawn.signs import Silence
from coffee_hooks.state.agents import EndReason, end_run, heartbeat, note_pid, note_supervisor, note_usage
from coffee_hooks.state.order import Order, order_path, read_order
from coffee_hooks.state.store import Store, open_store

LOOK_SECONDS = 0.2
BEAT_SECONDS = 5.0
GRACE_SECONDS = 10.0

_signals: list[int] = []
"""Signals that asked this process to end; a handler that raised could leave an agent that nobody watches."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent's process, and when it was started on the monotonic clock."""

    process: subprocess.Popen[bytes]
    started: float


def stop_file(state_dir: Path, run: int) -> Path:
    """Where a supervisor looks whether somebody wants its agent to end. A pid could mean another process by then."""
    return order_path(state_dir, run).with_suffix(".stop")


def main(argv: Sequence[str]) -> int:
    """Carry out one order. Tells the agent's pid, or what went wrong, on the descriptor ANSWER."""
    path, lock, answer, after = Path(argv[0]), int(argv[1]), int(argv[2]), tuple(argv[3:])
    with os.fdopen(lock) as held:
        order = read_order(held)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _frame: _signals.append(received))
        adopt()
        try:
            agent = _start(order)
        except (OSError, ValueError) as missing:
            # The claim is left to whoever waits for the answer, or to the next spawn.
            _record(order, lambda store: end_run(store, order.run, time.time(), None, EndReason.FAILED))
            held.close()  # before the answer: whoever hears it undoes the claim only when nobody works on it
            _tell(answer, f"error {getattr(missing, 'strerror', None) or missing}")
            return 1
        _tell(answer, f"pid {agent.process.pid}")
        reason = _watch(order, agent)
        _leave_nothing(agent.process, min(GRACE_SECONDS, order.timeout))
        rotate(Path(order.log))
        if after:
            from coffee_hooks.spawn.after_agent import run_after

            run_after(order, after, reason, agent.process.returncode)
        _end(order, agent.process.returncode, reason)
        for done in (path, stop_file(order.state_dir, order.run)):
            with contextlib.suppress(OSError):
                done.unlink(missing_ok=True)
    if order.shared:
        _tell_others(order)  # nobody here waits for the network
    return 0


def _start(order: Order) -> Agent:
    """Start the agent and record which process it is. Raises OSError and ValueError when it cannot be started."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(Path(order.log).open("ab"))
        sink.write(f"--- attempt {order.attempt}\n".encode())
        sink.flush()
        store: Store | None = None
        with contextlib.suppress(CoffeeError):  # open before the agent starts: its pid is then written at once
            store = stack.enter_context(open_store(order.state_dir))
        stdin = stack.enter_context(Path(order.stdin).open("rb")) if order.stdin else subprocess.DEVNULL
        process = subprocess.Popen(
            order.argv, cwd=order.worktree, stdin=stdin, stdout=sink, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        # One that has ended already is still there until we wait for it. Where the system does not say when it was
        # made, no time is better than a wrong one, by which it would be taken for a stranger.
        agent = identify(process.pid)
        if store is not None:
            with contextlib.suppress(CoffeeError):
                note_supervisor(store, order.run, os.getpid())
                if agent is not None:
                    note_pid(store, order.run, process.pid, agent.start_time)
    return Agent(process, time.monotonic())


def _tell(answer: int, text: str) -> None:
    with contextlib.suppress(OSError):  # whoever started us has gone; we go on
        os.write(answer, text.encode("utf-8", "replace"))
    os.close(answer)


def _watch(order: Order, agent: Agent) -> EndReason:
    """Wait until the agent has ended, or has to."""
    log = Path(order.log)
    silence = Silence(
        log, Path(order.worktree), order.idle_timeout, agent.started, lambda: group_seconds(agent.process.pid)
    )
    beat = agent.started
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return EndReason.DONE if agent.process.wait(timeout=LOOK_SECONDS) == 0 else EndReason.FAILED
        now = time.monotonic()
        rotate(log)
        if _signals or _is_there(stop_file(order.state_dir, order.run)):
            return EndReason.CANCELLED
        if now - agent.started > order.timeout:
            return EndReason.TIMED_OUT
        if silence.seconds(now) > order.idle_timeout:
            return EndReason.STALLED
        if now - beat > BEAT_SECONDS:
            if silence.last_sign > beat:
                _record(order, lambda store: heartbeat(store, order.run, time.time()))
            beat = now
            reap_orphans(agent.process.pid)


def _is_there(path: Path) -> bool:
    """Not `Path.exists`, which raises where an agent has closed the folder to us."""
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _leave_nothing(process: subprocess.Popen[bytes], grace: float) -> None:
    """End the agent, its group, and what it left in sessions of its own; *grace* seconds between TERM and KILL."""
    if process.poll() is None or group_members(process.pid):
        end_group(process.pid, grace=grace)
    process.wait()
    end_orphans(grace)


def _cwd(order: Order) -> Path:
    worktree = Path(order.worktree)
    return worktree if worktree.is_dir() else order.state_dir


def _end(order: Order, code: int | None, reason: EndReason) -> None:
    """Say how it ended: the claim first, because that is what readiness reads, then the database."""
    from coffee_hooks.spawn.outcome import record_end
    from coffee_hooks.spawn.usage import read_usage

    final = reason
    try:
        final = record_end(order, reason)
    except CoffeeError as failed:
        with contextlib.suppress(OSError), Path(order.log).open("ab") as sink:
            sink.write(f"--- the end could not be recorded: {failed.what} {failed.detail}\n".encode("utf-8", "replace"))
    usage = read_usage(order.argv, Path(order.log), order.attempt)
    if usage is not None:
        _record(order, lambda store: note_usage(store, order.run, usage))
    _record(order, lambda store: end_run(store, order.run, time.time(), code, final))


def _tell_others(order: Order) -> None:
    """The remote gets claim and branch; what fails is made up for by the next command."""
    from coffee_hooks.base.project import open_project
    from coffee_hooks.state.sharing import share

    with contextlib.suppress(CoffeeError, OSError):
        share(open_project(_cwd(order)))


def _record(order: Order, write: Callable[[Store], object]) -> None:
    # The database is a convenience: losing it must never end an agent's work.
    with contextlib.suppress(CoffeeError, OSError), open_store(order.state_dir) as store:
        write(store)


if __name__ == "__main__":
    from coffee_hooks.base.environment import scrub

    scrub()
    sys.exit(main(sys.argv[1:]))
