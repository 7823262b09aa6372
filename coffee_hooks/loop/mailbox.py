"""Notifications as they are read: listed once, or as they come."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import open_project
from coffee_hooks.notify import received
from coffee_hooks.notify.listen import BELL, described, listen
from coffee_hooks.state import notices
from coffee_hooks.state.store import open_store

LOOK_SECONDS = 0.5


def print_notifications(start: Path, recipient: str | None, unread: bool, ack: int | None) -> int:
    """List notifications, or mark number *ack* as read."""
    with open_store(open_project(start).repo.state_dir) as store:
        if ack is not None:
            notices.mark_read(store, ack, time.time())
        found = [n for n in received(store, recipient) if n.read_at is None or not unread]
    rows = [
        {"id": n.id, "created": n.created, "sender": n.sender, "recipient": n.recipient, "level": n.level.value,
         "title": n.title, "message": n.message, "read": n.read_at is not None}
        for n in found
    ]  # fmt: skip
    output.answer_json("notifications", {"notifications": rows})
    output.answer("\n".join(described(n) for n in found) or "no notifications")
    return 0


def listen_here(start: Path) -> int:
    """Be user_listener until Ctrl-C: print what is new and ring the bell, which nobody else may."""
    state_dir = open_project(start).repo.state_dir

    def ring() -> None:
        sys.stderr.write(BELL)
        sys.stderr.flush()

    listen(state_dir, show=output.answer, ring=ring, stop=lambda: False, pause=lambda: time.sleep(LOOK_SECONDS))
    return 0
