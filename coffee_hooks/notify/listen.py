"""``user_listener``: shows new notifications and rings. The only place that may make a sound (CFR-009)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from coffee_hooks.base.text import printable
from coffee_hooks.state import notices
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import open_store

USER_LISTENER = "user_listener"
BELL = "\a"


class News(NamedTuple):
    """What to show now, and the number of the newest notification known."""

    fresh: list[Notification]
    newest: int


def news(notifications: Sequence[Notification], seen: int | None) -> News:
    """What a listener that knows everything up to number *seen* has not shown yet; None: it just started.

    At the start that is what waits unread for the user. A database that was deleted counts from 1
    again: then everything in it is new.
    """
    newest = max((n.id for n in notifications), default=0)
    if seen is None:
        return News([n for n in notifications if n.read_at is None and n.recipient == USER_LISTENER], newest)
    after = seen if seen <= newest else 0
    return News([n for n in notifications if n.id > after], newest)


def listen(
    state_dir: Path,
    *,
    show: Callable[[str], None],
    ring: Callable[[], None],
    stop: Callable[[], bool],
    pause: Callable[[], None],
) -> None:
    """Show every new notification until *stop* says so, ring once for each lot, *pause* between looks.

    What was for the user is marked read once shown. Raises what `open_store` raises.
    """
    seen: int | None = None
    while not stop():
        # Opened for each look: the database may be deleted meanwhile.
        with open_store(state_dir) as store:
            fresh, seen = news(notices.every(store), seen)
            for notification in fresh:
                show(described(notification))
                if notification.recipient == USER_LISTENER:
                    notices.mark_read(store, notification.id, time.time())
        if fresh:
            ring()
        pause()


def described(notification: Notification) -> str:
    """One notification as text for a terminal: a line that says who, to whom and what, then its message."""
    sender = printable(notification.sender or "somebody")
    recipient = printable(notification.recipient or "everybody")
    level = notification.level.value
    head = f"#{notification.id} [{level}] {sender} -> {recipient}: {printable(notification.title)}"
    body = [f"    {printable(line)}".rstrip() for line in notification.message.splitlines()]
    return "\n".join([head, *body])
