"""Telling each other things: notifications that only ``user_listener`` may make audible (CFR-009)."""

from __future__ import annotations

import time
from pathlib import Path

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.locate import find_common_dir
from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.guard.cfr_009 import CFR009ViolationError, check_sound
from coffee_hooks.guard.cfr_013 import CFR013ViolationError
from coffee_hooks.state import notices
from coffee_hooks.state.notices import Notification
from coffee_hooks.state.store import Store, open_store

__all__ = [
    "CFR009ViolationError",
    "CFR013ViolationError",
    "Notification",
    "create_notification",
    "get_notifications",
    "received",
    "send",
]


def create_notification(
    *,
    title: str,
    message: str,
    level: str = "info",
    sound: bool = False,
    agent_id: str | None,
    recipient: str | None = None,
    dedupe_key: str | None = None,
) -> int | None:
    """Notify *recipient* (None: everybody) in the repository of the current folder.

    Returns the number of the notification, None when the recipient has one with this *dedupe_key*.
    Raises ``CFR009ViolationError`` for ``sound=True`` from anyone but ``user_listener``, ``UsageError``
    for an unknown *level* or outside a repository, and what `open_store` raises.
    """
    check_sound(sound, agent_id)
    draft = Draft(agent_id, title, message, _level(level), recipient, sound, dedupe_key)
    with open_store(find_common_dir(Path()) / "coffee") as store:
        return send(store, draft, time.time())


def get_notifications(agent_id: str | None = None, *, unread: bool | None = None) -> list[Notification]:
    """Notifications in the repository of the current folder, oldest first.

    *agent_id* is the recipient, who also gets what is for everybody; None: all of them. *unread*
    True or False keeps those alone. Raises ``UsageError`` outside a repository and what `open_store` raises.
    """
    with open_store(find_common_dir(Path()) / "coffee") as store:
        return [n for n in received(store, agent_id) if unread is None or unread is (n.read_at is None)]


def send(store: Store, draft: Draft, when: float) -> int | None:
    """Deliver *draft* at UNIX time *when*; returns and raises as `create_notification` does."""
    check_sound(draft.sound, draft.sender)
    return notices.add(store, draft, when)


def received(store: Store, recipient: str | None) -> list[Notification]:
    """What *recipient* should see, oldest first; None: everything."""
    return notices.every(store) if recipient is None else notices.addressed_to(store, recipient)


def _level(name: str) -> Level:
    try:
        return Level(name)
    except ValueError as error:
        known = " ".join(level.value for level in Level)
        raise UsageError(f"there is no notification level {name!r}", hint=f"use one of: {known}") from error
