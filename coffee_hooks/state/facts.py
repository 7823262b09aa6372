"""Small facts by name: ``last_cleanup`` (UNIX seconds), ``parallel_executions_completed`` (a count), ``notified``."""

from __future__ import annotations

from coffee_hooks.state.store import Store


def set_fact(store: Store, key: str, value: str) -> None:
    """Remember *value* under *key* in place of what was there."""
    store.write(
        "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def add_to_fact(store: Store, key: str, amount: int) -> None:
    """Add to a count that starts at 0; additions of several processes all count."""
    store.write(
        "INSERT INTO facts (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + excluded.value",
        (key, str(amount)),
    )


def forget_fact(store: Store, key: str) -> None:
    """Remember nothing under *key* any more."""
    store.write("DELETE FROM facts WHERE key = ?", (key,))


def fact(store: Store, key: str) -> str | None:
    """What is remembered under *key*."""
    found = store.rows("SELECT value FROM facts WHERE key = ?", (key,))
    return str(found[0][0]) if found else None
