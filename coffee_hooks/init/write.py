"""Files that appear whole or not at all, and never in place of somebody's own."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure, UsageError


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to be: *before* is what was read there, None where there was nothing."""

    path: Path
    before: bytes | None
    after: bytes


def read_regular(path: Path) -> bytes | None:
    """The bytes of a plain file, None where nothing is.

    Raises UsageError for a link or a folder (git would commit the link, not the text), EnvironmentFailure when it
    cannot be read.
    """
    try:
        kind = path.lstat().st_mode
        if not stat.S_ISREG(kind):
            what = "a symbolic link" if stat.S_ISLNK(kind) else "not a file"
            raise UsageError(f"{path.name} is {what}", hint="put a plain file there, or move it away")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as broken:
        raise EnvironmentFailure(f"{path.name} cannot be read: {broken.strerror}", hint="check its rights") from broken


@contextlib.contextmanager
def staged(drafts: Sequence[Draft]) -> Iterator[Callable[[], None]]:
    """Write every draft beside its place and yield the call that puts them there; what is not placed goes again.

    Raises EnvironmentFailure when the disk or the folder refuses, or when a place was changed since it was read.
    """
    ready: list[tuple[Path, Draft]] = []
    try:
        for draft in drafts:
            temporary = draft.path.with_name(f"{draft.path.name}.{secrets.token_hex(4)}.new")
            ready.append((temporary, draft))
            with _explained(draft.path):
                _write(temporary, draft)
        yield lambda: _place(ready)
    finally:
        for temporary, _ in ready:
            with contextlib.suppress(OSError):
                temporary.unlink()


def _write(temporary: Path, draft: Draft) -> None:
    temporary.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(draft.after)
        file.flush()
        os.fsync(file.fileno())
    if draft.before is not None:
        temporary.chmod(stat.S_IMODE(draft.path.stat().st_mode))


def _place(ready: Sequence[tuple[Path, Draft]]) -> None:
    for temporary, draft in ready:
        if read_regular(draft.path) != draft.before:
            raise EnvironmentFailure(f"{draft.path.name} was changed by somebody else", hint="run this again")
        with _explained(draft.path):
            temporary.replace(draft.path)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        raise EnvironmentFailure(
            f"{path.name} cannot be written: {failed.strerror}", hint="free space or rights, then run this again"
        ) from failed
