"""The one writer: the answer to stdout, the narration to stderr."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TextIO

SCHEMA = 1


class Loudness(IntEnum):
    """How much narration a person wants."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


@dataclass(slots=True)
class _Settings:
    loudness: Loudness = Loudness.NORMAL
    as_json: bool = False


_settings = _Settings()


def configure(*, loudness: Loudness | None = None, as_json: bool | None = None) -> None:
    """Set how this process speaks; None leaves a setting as it is."""
    if loudness is not None:
        _settings.loudness = loudness
    if as_json is not None:
        _settings.as_json = as_json


def wants_json() -> bool:
    """Whether the answer is for a program."""
    return _settings.as_json


def answer(text: str) -> None:
    """Print the answer for a person; silent when the answer is JSON."""
    if not _settings.as_json:
        _write(sys.stdout, _encoded(sys.stdout, text))


def answer_json(command: str, value: Mapping[str, Any]) -> None:
    """Print one object with the envelope of the contract; silent when the answer is for a person."""
    if _settings.as_json:
        emit_json(command, value)


def emit_json(command: str, value: Mapping[str, Any]) -> None:
    """Print one object with the envelope of the contract, whatever was asked. Always UTF-8, as JSON is."""
    import json

    text = json.dumps({"schema": SCHEMA, "command": command, **value}, ensure_ascii=False)
    # The only thing without UTF-8 is a byte of a name as a lone surrogate; its escape is the same in JSON.
    _write(sys.stdout, text.encode("utf-8", "backslashreplace") + b"\n")


def say(text: str) -> None:
    """Narrate, unless --quiet."""
    if _settings.loudness >= Loudness.NORMAL:
        complain(text)


def detail(text: str) -> None:
    """Narrate only under --verbose."""
    if _settings.loudness >= Loudness.VERBOSE:
        complain(text)


def complain(text: str) -> None:
    """Print an error, always. Nobody hearing it is no reason to stop what is going on."""
    with contextlib.suppress(OSError):
        _write(sys.stderr, _encoded(sys.stderr, text))


def draw(text: str) -> None:
    """Write *text* to stdout as it is: what tells a terminal where to draw, and what."""
    _write(sys.stdout, text.encode("utf-8" if beyond_ascii() else "ascii", "replace"))


def beyond_ascii() -> bool:
    """Whether stdout shows more than ASCII."""
    return (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf") and not _plain_locale()


def colourful() -> bool:
    """Whether stdout is a terminal that wants colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def finish() -> None:
    """Write what is still held back. Raises OSError when it cannot be written (a full disk)."""
    if sys.stdout is not None:
        _write(sys.stdout, b"")


def _encoded(stream: TextIO | None, text: str) -> bytes:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    if encoding.startswith("utf") and not _plain_locale():
        return text.encode("utf-8", "replace") + b"\n"
    from coffee_hooks.base.text import without_emoji

    return without_emoji(text).encode("ascii" if encoding.startswith("utf") else encoding, "backslashreplace") + b"\n"


def _plain_locale() -> bool:
    """Whether the user asked for ASCII; Python writes UTF-8 in the C locale all the same."""
    asked = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    return asked in ("C", "POSIX") and not os.environ.keys() & {"PYTHONUTF8", "PYTHONIOENCODING"}


def _write(stream: TextIO | None, data: bytes) -> None:
    if stream is None:  # closed by whoever started us
        return
    try:
        stream.flush()
        stream.buffer.write(data)
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader (head, a closed pager) has seen enough
            raise
