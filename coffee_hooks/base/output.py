"""The one writer: the answer to stdout, the narration to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

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
        _write(sys.stdout, text)


def answer_json(command: str, value: Mapping[str, Any]) -> None:
    """Print one object with the envelope of the contract; silent when the answer is for a person."""
    if _settings.as_json:
        emit_json(command, value)


def emit_json(command: str, value: Mapping[str, Any]) -> None:
    """Print one object with the envelope of the contract, whatever was asked."""
    text = json.dumps({"schema": SCHEMA, "command": command, **value}, ensure_ascii=False)
    _write(sys.stdout, text.encode("utf-8", "replace").decode())


def say(text: str) -> None:
    """Narrate, unless --quiet."""
    if _settings.loudness >= Loudness.NORMAL:
        _write(sys.stderr, text)


def detail(text: str) -> None:
    """Narrate only under --verbose."""
    if _settings.loudness >= Loudness.VERBOSE:
        _write(sys.stderr, text)


def complain(text: str) -> None:
    """Print an error, always."""
    _write(sys.stderr, text)


def colourful() -> bool:
    """Whether stdout is a terminal that wants colour."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _write(stream: Any, text: str) -> None:
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower()
    if not encoding.startswith("utf"):
        from coffee_hooks.base.text import without_emoji

        text = without_emoji(text)
    try:
        stream.buffer.write(text.encode(encoding, "replace") + b"\n")
        stream.flush()
    except BrokenPipeError:  # the reader (head, a closed pager) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
