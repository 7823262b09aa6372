"""Notifications as stored: who tells whom what, and whether it was read. Times are UNIX seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.messages import Draft, Level
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Notification:
    """One delivered message. *recipient* None: it is for everybody."""

    id: int
    created: float
    sender: str | None
    recipient: str | None
    level: Level
    sound: bool
    title: str
    message: str
    dedupe_key: str | None
    read_at: float | None


_SELECT = """
    SELECT id, created, sender, recipient, level, sound, title, message, dedupe_key, read_at
    FROM notifications
"""


def add(store: Store, draft: Draft, when: float) -> int | None:
    """Store *draft*; its number, or None when the recipient already has one with this ``dedupe_key``."""
    text = (draft.title, draft.message, draft.dedupe_key)
    added = store.write(
        "INSERT INTO notifications (created, sender, recipient, level, sound, title, message, dedupe_key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (when, draft.sender, draft.recipient, draft.level.value, int(draft.sound), *text),
    )
    return added.lastrowid if added.rowcount == 1 else None


def every(store: Store) -> list[Notification]:
    """All notifications, oldest first."""
    return [_notification(row) for row in store.rows(f"{_SELECT} ORDER BY id")]


def addressed_to(store: Store, recipient: str) -> list[Notification]:
    """What *recipient* should see, oldest first: its own, and what is for everybody."""
    sql = f"{_SELECT} WHERE recipient = ? OR recipient IS NULL ORDER BY id"
    return [_notification(row) for row in store.rows(sql, (recipient,))]


def next_after(store: Store, number: int) -> Notification | None:
    """The first notification with a higher number."""
    rows = store.rows(f"{_SELECT} WHERE id > ? ORDER BY id LIMIT 1", (number,))
    return _notification(rows[0]) if rows else None


def newest(store: Store) -> int:
    """The number of the last notification; 0 when there is none."""
    ((number,),) = store.rows("SELECT ifnull(max(id), 0) FROM notifications")
    return int(number)


def dedupe_keys(store: Store, beginning: str) -> list[str]:
    """The ``dedupe_key`` of every notification that has one with this *beginning*, oldest first."""
    sql = "SELECT dedupe_key FROM notifications WHERE substr(dedupe_key, 1, ?) = ? ORDER BY id"
    return [str(key) for (key,) in store.rows(sql, (len(beginning), beginning))]


def mark_read(store: Store, number: int, when: float) -> None:
    """Acknowledge one; the first time counts. Raises ``UsageError`` when there is no such notification."""
    done = store.write("UPDATE notifications SET read_at = ifnull(read_at, ?) WHERE id = ?", (when, number))
    if done.rowcount == 0:
        raise UsageError(f"there is no notification {number}", hint="coffee notifications lists them")


def _notification(row: tuple[Any, ...]) -> Notification:
    number, created, sender, recipient, level, sound, *rest = row
    return Notification(number, created, sender, recipient, Level(level), bool(sound), *rest)
