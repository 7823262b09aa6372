"""The local state database ``<git-common-dir>/coffee/state.db``: processes, timings, notifications, facts.

SQLite in WAL mode, one short IMMEDIATE transaction per write, safe for many processes at once. It is
local to the machine and may be deleted at any time without losing work. Standard library only: the
supervisor of every agent imports it.
"""

from __future__ import annotations

import fcntl
import shlex
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, LockedError, UsageError
from coffee_hooks.state.schema import MIGRATIONS

BUSY_SECONDS = 10.0
"""How long a statement waits for another process before it is told that the database is locked."""

Value = str | int | float | None

_DAMAGE = ("not a database", "malformed", "no such", "already exists", "duplicate column", "not decode")


class Store:
    """An open state database. Made by `open_store`; every method raises the errors named there."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Every row that the query selects, as plain tuples in the order of its columns."""
        with _explained(self.path):
            found = self._connection.execute(sql, [_bound(value) for value in values]).fetchall()
        try:
            return [tuple(_read(cell) for cell in row) for row in found]
        except UnicodeDecodeError as broken:
            raise self.damaged(str(broken)) from broken

    def damaged(self, detail: str) -> EnvironmentFailure:
        """The error for a row that nobody of ours wrote so: agents can reach the database too."""
        return EnvironmentFailure(
            f"the local state database {self.path} is damaged", hint=_delete(self.path), detail=detail
        )

    def write(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run one statement in its own transaction; the cursor tells ``rowcount`` and ``lastrowid``."""
        with _explained(self.path), _transaction(self._connection):
            return self._connection.execute(sql, [_bound(value) for value in values])


@contextmanager
def open_store(state_dir: Path) -> Iterator[Store]:
    """The state database of *state_dir*, created and migrated as needed, closed at the end.

    Raises ``EnvironmentFailure`` when it is damaged, read-only, or the disk is full or failing,
    ``LockedError`` when another process holds it for longer than `BUSY_SECONDS`, and ``UsageError``
    when a newer coffee has written it.
    """
    path = state_dir / "state.db"
    with _explained(path):
        state_dir.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    with closing(connection):
        with _explained(path):
            _prepare(connection, path)
        yield Store(connection, path)


def explanation(path: Path, said: str) -> CoffeeError | None:
    """What SQLite or the system *said*, read for a person; None when only a bug of ours explains it."""
    if "locked" in said:
        return LockedError("another process holds the local state database", hint="try again", detail=said)
    if "full" in said or "disk I/O" in said or "No space" in said:
        return EnvironmentFailure(f"cannot write {path}", hint="free some disk space", detail=said)
    if "readonly" in said or "unable to open" in said:
        return _unwritable(path, said)
    if any(words in said for words in _DAMAGE):
        return EnvironmentFailure(f"the local state database {path} is damaged", hint=_delete(path), detail=said)
    return None


def _unwritable(path: Path, said: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"cannot open {path} for writing", hint="check who owns it", detail=said)


def _delete(path: Path) -> str:
    return f"delete it, no work is lost: rm {shlex.quote(str(path))}*"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        meaning = explanation(path, str(error))
        if meaning is None:
            raise
        raise meaning from error
    except OSError as error:
        said = error.strerror or str(error)
        raise explanation(path, said) or _unwritable(path, said) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    if _version(connection, path) == len(MIGRATIONS):
        return
    # SQLite does not wait, it fails, when two processes turn on WAL at the same moment.
    with path.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        connection.execute("PRAGMA journal_mode = WAL")
        with _transaction(connection):
            for step in MIGRATIONS[_version(connection, path) :]:
                for statement in step:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise UsageError(
            f"{path} was written by a newer coffee (schema {version}, this one knows {len(MIGRATIONS)})",
            hint=f"upgrade coffee, or {_delete(path)}",
        )
    return int(version)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk makes SQLite roll back by itself; a second rollback would hide the reason.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _bound(value: Value) -> Value | bytes:
    """Names of files need not be UTF-8; SQLite's text must be, so such a name travels as a blob."""
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
    return value


def _read(cell: Value | bytes) -> Value:
    return cell.decode("utf-8", "surrogatepass") if isinstance(cell, bytes) else cell
