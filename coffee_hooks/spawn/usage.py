"""What a run cost, read from the end of its log where the agent's program says it. Anybody may have written that log.

Claude Code (``--output-format json`` or ``stream-json``) ends with one object of type ``result``, Codex with one of
type ``turn.completed`` under ``--json`` and with a line ``tokens used`` without, aider with a line ``Tokens: ...
Cost: ...`` for each answer.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from coffee_hooks.spawn.rotate import CUT, older
from coffee_hooks.state.agents import Usage

TAIL = 256 << 10
"""Bytes of a log that are read, however long it is."""

MOST_COST, MOST_TOKENS = 1e6, 1 << 50
"""What is more than that is no figure."""

_ATTEMPT = re.compile(rb"^--- attempt (\d+)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_USED = re.compile(r"^tokens used:?\s{1,4}([0-9][0-9,._]{0,20})$", re.MULTILINE | re.IGNORECASE)
_TOKENS = re.compile(
    r"^Tokens: ([0-9.]{1,12})([kM]?) sent\b[^\n]{0,80}?, ([0-9.]{1,12})([kM]?) received\.", re.MULTILINE
)
_COST = re.compile(r"\bCost: \$[0-9.]{1,20} message, \$([0-9.]{1,20}) session\.")
_SCALE = {"": 1, "k": 1_000, "M": 1_000_000}


def read_usage(argv: Sequence[str], log: Path, attempt: int) -> Usage | None:
    """What the run of *attempt* with the command *argv* cost; None when its program did not say."""
    tail = read_tail(log)
    if tail.startswith(CUT):  # a moment ago, perhaps: what was said last stands at the end of the older part
        tail = read_tail(older(log)) + tail
    marks = [mark for mark in _ATTEMPT.finditer(tail) if int(mark[1][:9]) == attempt]
    text = tail[marks[-1].end() :] if marks else tail
    return usage_in(text.decode("utf-8", "replace"), argv, whole=bool(marks))


def read_tail(log: Path) -> bytes:
    """The last `TAIL` bytes of *log*, from a line's start on; nothing when it is no file or cannot be read."""
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place stops nobody
    except OSError:
        return b""
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return b""
        start = max(0, found.st_size - TAIL)
        data = os.pread(descriptor, TAIL, start)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    return data.partition(b"\n")[2] if start else data


def usage_in(text: str, argv: Sequence[str] = (), *, whole: bool = True) -> Usage | None:
    """What *text*, the end of a run's output, says. Pure; never raises.

    *whole* says that the output starts there too, so that figures of its parts may be added up. A command that starts
    a program we know is read as that program's, any other one as that of the first that has said something.
    """
    plain = _COLOUR.sub("", text).replace("\r\n", "\n")
    known = [name for name in map(program_name, argv) if name in READERS]
    for name in known[:1] or READERS:
        usage = READERS[name](plain, whole)
        if usage is not None and usage != Usage():
            return usage
    return None


def program_name(word: str) -> str:
    """``claude`` for a path to it."""
    return PurePath(word).name if len(word) < 4096 else ""


def _claude(text: str, _whole: bool) -> Usage | None:
    for value in _objects(text, "result"):
        models = value.get("modelUsage")
        parts = [part for part in models.values() if isinstance(part, Mapping)] if isinstance(models, Mapping) else []
        if parts:  # every model that was asked, also for titles and summaries
            sent = _sum(parts, "inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")
            back = _sum(parts, "outputTokens")
        else:
            used = value.get("usage")
            one = [used] if isinstance(used, Mapping) else []
            sent = _sum(one, "input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
            back = _sum(one, "output_tokens")
        return _usage(_cost(value.get("total_cost_usd")), sent, back)
    return None


def _codex(text: str, _whole: bool) -> Usage | None:
    for value in _objects(text, "turn.completed"):
        used = value.get("usage")
        one = [used] if isinstance(used, Mapping) else []
        return _usage(None, _sum(one, "input_tokens"), _sum(one, "output_tokens"))
    said = _USED.findall(text)
    return Usage(tokens=_count(int(re.sub(r"\D", "", said[-1])))) if said else None


def _aider(text: str, whole: bool) -> Usage | None:
    costs = _COST.findall(text)
    cost = _cost(_number(costs[-1])) if costs else None
    reports = _TOKENS.findall(text)
    if not reports or not whole:
        return Usage(cost) if cost is not None else None
    sent = [_scaled(number, unit) for number, unit, _, _ in reports]
    back = [_scaled(number, unit) for _, _, number, unit in reports]
    return _usage(cost, _total(sent), _total(back))


READERS: Mapping[str, Callable[[str, bool], Usage | None]] = {"claude": _claude, "codex": _codex, "aider": _aider}
"""By the name of the program: what its output says, and whether all of it is there."""


def _objects(text: str, kind: str) -> Iterator[Mapping[str, object]]:
    """The JSON objects of type *kind* that are a line of their own, or in a list that is one; the last first."""
    for line in reversed(text.split("\n")):
        if not line.startswith(("{", "[")) or f'"{kind}"' not in line:
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        for each in reversed(value) if isinstance(value, list) else (value,):
            if isinstance(each, Mapping) and each.get("type") == kind:
                yield each


def _usage(cost: float | None, sent: int | None, back: int | None) -> Usage:
    both = _count(sent + back) if sent is not None and back is not None else None
    return Usage(cost, both, sent, back)


def _sum(parts: Sequence[Mapping[str, object]], *names: str) -> int | None:
    """The sum of what is said under *names*, of which the first must be there. None when there is nothing to add."""
    if not parts or any(_count(part.get(names[0])) is None for part in parts):
        return None
    return _total([_count(part.get(name, 0)) for part in parts for name in names])


def _total(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return _count(sum(known)) if len(known) == len(numbers) else None


def _scaled(number: str, unit: str) -> int | None:
    value = _number(number)
    return _count(round(value * _SCALE[unit])) if value is not None else None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _count(value: object) -> int | None:
    """*value* as a number of tokens."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS:
        return value
    return None


def _cost(value: object) -> float | None:
    """*value* as an amount of US dollars."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < MOST_COST:
        return float(value)
    return None
