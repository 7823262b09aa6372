"""Hands each new notification to ``hooks.notify``, in a process that nobody waits for.

Started as ``python -m coffee_hooks.notify.courier ROOT LOCK SECONDS COMMAND...``; LOCK is the inherited descriptor
that makes it the only one. The number of a notification is written down before it is handed over: after a kill it may
be lost, and never comes twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from coffee_hooks.base import held
from coffee_hooks.base.config import Command
from coffee_hooks.base.errors import CoffeeError, UsageError
from coffee_hooks.base.held import Held
from coffee_hooks.base.output import SCHEMA, complain
from coffee_hooks.base.placeholders import fill
from coffee_hooks.base.process import start_detached
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.base.user_hooks import HookFailure, Point, hand_over
from coffee_hooks.state import notices
from coffee_hooks.state.facts import fact, forget_fact, set_fact
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import Store, open_store

LONGEST_SECONDS = 60.0
"""How long one notification may take; ``hooks.timeout`` where that is less."""
LONGEST_VARIABLE = 4_000
_LAST = "notified"
"""The fact that holds the number of the last notification that was handed over."""


@contextlib.contextmanager
def handing_over(project: Project, store: Store) -> Iterator[None]:
    """What is sent meanwhile, by anybody, goes to the user's hook afterwards; what is older than the hook does not."""
    command = project.config.hooks.notify
    known = fact(store, _LAST)
    if command and known is None:
        set_fact(store, _LAST, str(notices.newest(store)))
    elif not command and known is not None:
        forget_fact(store, _LAST)
    try:
        yield
    finally:
        if command:
            with contextlib.suppress(CoffeeError, OSError):  # nothing fails because nobody hears of it
                _start(project, store, command)


def _start(project: Project, store: Store, command: Command) -> None:
    if notices.next_after(store, _last(store)) is None:
        return
    turn = held.take(_lock(project.repo.state_dir))
    if turn is None:
        return  # one is at work, and looks once more before it ends
    seconds = min(LONGEST_SECONDS, project.config.hooks.timeout)
    argv = [sys.executable, "-m", "coffee_hooks.notify.courier", str(project.repo.main), str(turn.descriptor)]
    try:
        start_detached(
            [*argv, str(seconds), *command], cwd=project.repo.state_dir, env=dict(os.environ),
            log=_log(project.repo.state_dir), pass_fds=(turn.descriptor,),
        )  # fmt: skip
    finally:
        os.close(turn.descriptor)


def deliver(state_dir: Path, root: Path, turn: Held, seconds: float, command: Command) -> None:
    """Hand over what is new, one after the other, until nothing is; *turn* is given back. Raises CoffeeError."""
    current: Held | None = turn
    while current is not None:
        try:
            while (notification := _next(state_dir)) is not None:
                failure = _hand_over(state_dir, root, seconds, command, notification)
                if failure is not None:
                    complain(printable(failure.what))
        finally:
            current.finish()
        # Somebody may have sent one after the last look, and found the lock still held.
        with open_store(state_dir) as store:
            more = notices.next_after(store, _last(store)) is not None
        current = held.take(_lock(state_dir)) if more else None


def _hand_over(
    state_dir: Path, root: Path, seconds: float, command: Command, notification: Notification
) -> HookFailure | None:
    try:
        argv = fill(command, {})  # nothing is filled in here: all is on stdin
    except UsageError as wrong:
        return HookFailure(f"hooks.{Point.NOTIFY.value}: {wrong.what}", wrong.hint, False)
    return hand_over(
        argv, seconds, Point.NOTIFY, payload(notification, root), about=f"#{notification.id}", cwd=root,
        environment=variables(notification, root), log=_log(state_dir),
    )  # fmt: skip


def _next(state_dir: Path) -> Notification | None:
    """The next notification, which counts as handed over from now on."""
    with open_store(state_dir) as store:
        if fact(store, _LAST) is None:
            return None
        notification = notices.next_after(store, _last(store))
        if notification is not None:
            set_fact(store, _LAST, str(notification.id))
        return notification


def _last(store: Store) -> int:
    """A database that was deleted counts from 1 again; what it says now is what was not handed over yet."""
    known = fact(store, _LAST)
    return notices.newest(store) if known is None else int(known)


def payload(notification: Notification, root: Path) -> bytes:
    """The JSON object on the hook's stdin. Pure."""
    told = {
        "schema": SCHEMA, "hook": Point.NOTIFY.value, "id": notification.id, "created": notification.created,
        "sender": notification.sender, "recipient": notification.recipient, "level": notification.level.value,
        "title": notification.title, "message": notification.message, "root": str(root),
    }  # fmt: skip
    return json.dumps(told).encode() + b"\n"


def variables(notification: Notification, root: Path) -> dict[str, str]:
    """The same for a shell that reads no JSON: on few lines, without control characters, not longer than it may be."""
    lines = "\n".join(printable(line) for line in notification.message.splitlines())
    return {
        "COFFEE_ROOT": str(root), "COFFEE_LEVEL": notification.level.value,
        "COFFEE_TITLE": printable(notification.title)[:LONGEST_VARIABLE], "COFFEE_MESSAGE": lines[:LONGEST_VARIABLE],
    }  # fmt: skip


def _lock(state_dir: Path) -> Path:
    return state_dir / "courier"


def _log(state_dir: Path) -> Path:
    return state_dir / "logs" / "hooks" / f"{Point.NOTIFY.value}.log"


def main(argv: Sequence[str]) -> int:
    """Be the courier until nothing is new."""
    root, descriptor, seconds, command = Path(argv[0]), int(argv[1]), float(argv[2]), tuple(argv[3:])
    state_dir = Path.cwd()
    try:
        deliver(state_dir, root, Held(_lock(state_dir), descriptor), seconds, command)
    except CoffeeError as failed:
        complain(printable(failed.what))
        return failed.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
