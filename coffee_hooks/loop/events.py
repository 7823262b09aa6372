"""The events that Claude Code and Codex write, one JSON object a line, as what a person wants to read of them.

Everything else in a log is left as it is. The log was written by anybody: whatever an object holds, it becomes text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

LONGEST_LINE = 1 << 20
"""Bytes of a line that is still waited for; what is longer is passed on as it is."""
MOST_LINES, MOST_CHARACTERS = 12, 1_000
"""What is shown of the output of a command."""

Event = Mapping[str, Any]

_BEGIN = b'{"type":'


class Reader:
    """Takes a log in pieces, and gives it back with every whole event as text."""

    def __init__(self) -> None:
        self._rest = b""
        self._inside = False
        """Whether the beginning of the line that goes on has been shown already."""

    def read(self, data: bytes) -> bytes:
        """What can be shown now that *data* has come; only what may become an event is held back."""
        *lines, last = (self._rest + data).split(b"\n")
        shown = []
        for line in lines:
            shown.append(line + b"\n" if self._inside else _shown(line))
            self._inside = False
        held = not self._inside and len(last) <= LONGEST_LINE and _BEGIN.startswith(last[: len(_BEGIN)])
        self._rest = last if held else b""
        if not held:
            shown.append(last)
            self._inside = True
        return b"".join(shown)

    def end(self) -> bytes:
        """What was left at the end."""
        rest, self._rest = self._rest, b""
        return rest


def _shown(line: bytes) -> bytes:
    if not line.startswith(_BEGIN):
        return line + b"\n"
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return line + b"\n"
    if not isinstance(event, dict):
        return line + b"\n"
    return "".join(f"{text}\n" for text in told(event)).encode("utf-8", "replace")


def told(event: Event) -> Iterator[str]:
    """What *event* tells a person, in lines; nothing for one that tells only programs something. Never raises."""
    kind = event.get("type")
    if isinstance(kind, str) and kind in _KINDS:
        yield from _KINDS[kind](event)


def _assistant(event: Event) -> Iterator[str]:
    for block in _blocks(event):
        if block.get("type") == "text":
            yield _text(block.get("text"))
        elif block.get("type") == "tool_use":
            yield f"> {_call(_text(block.get('name')), block.get('input'))}"


def _user(event: Event) -> Iterator[str]:
    for block in _blocks(event):
        if block.get("type") == "tool_result":
            yield from _output(block.get("content"))


def _result(event: Event) -> Iterator[str]:
    if event.get("is_error"):
        yield f"error: {_text(event.get('result'))}"
    seconds, cost = event.get("duration_ms"), event.get("total_cost_usd")
    parts = [f"{seconds / 1000:.0f} s"] if isinstance(seconds, int) and 0 <= seconds < 1 << 50 else []
    parts += [f"${cost:.2f}"] if isinstance(cost, (int, float)) and 0 <= cost < 1e6 else []
    yield f"= ended{' after ' if parts else ''}{', '.join(parts)}"


def _item(event: Event) -> Iterator[str]:
    item = event.get("item")
    if not isinstance(item, dict):
        return
    kind = item.get("type")
    if kind in ("agent_message", "reasoning"):
        yield _text(item.get("text"))
    elif kind == "command_execution":
        code = item.get("exit_code")
        yield f"> {_text(item.get('command'))}" + (f" (exit code {_text(code)})" if code else "")
        yield from _output(item.get("aggregated_output"))
    elif kind == "file_change":
        changes = item.get("changes")
        for change in changes if isinstance(changes, list) else ():
            if isinstance(change, dict):
                yield f"> {_text(change.get('kind'))} {_text(change.get('path'))}"
    elif kind == "error":
        yield f"error: {_text(item.get('message'))}"


def _turn(event: Event) -> Iterator[str]:
    used = event.get("usage")
    if isinstance(used, dict):
        yield f"= ended, {_text(used.get('input_tokens'))} tokens sent, {_text(used.get('output_tokens'))} received"


def _failed(event: Event) -> Iterator[str]:
    error = event.get("error")
    yield f"error: {_text(error.get('message') if isinstance(error, dict) else event.get('message'))}"


_KINDS: Mapping[str, Callable[[Event], Iterator[str]]] = {
    "assistant": _assistant,
    "user": _user,
    "result": _result,
    "item.completed": _item,
    "turn.completed": _turn,
    "turn.failed": _failed,
    "error": _failed,
}


def _blocks(event: Event) -> Sequence[Event]:
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return ({"type": "text", "text": content},)
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else ()


def _call(name: str, given: object) -> str:
    """A tool with what matters of its arguments."""
    if isinstance(given, dict):
        for key in ("command", "file_path", "path", "pattern", "url", "description"):
            if isinstance(given.get(key), str):
                return given[key] if key == "command" else f"{name} {given[key]}"
    return name


def _output(content: object) -> Iterator[str]:
    """The first lines of what a command said, set apart."""
    if isinstance(content, list):
        content = "\n".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    lines = _text(content)[:MOST_CHARACTERS].strip("\n").split("\n")
    for line in lines[:MOST_LINES] if lines != [""] else ():
        yield f"    {line}"
    if len(lines) > MOST_LINES or len(_text(content)) > MOST_CHARACTERS:
        yield "    ..."


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "?" if value is None or isinstance(value, (dict, list)) else str(value)
