"""What a job that runs the gate hands to the one that lands: a claim about trees, not a permission.

The code of every tested branch ran where it was written, so whoever reads it trusts it for nothing but the verdicts
of trees that he has built himself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import to_sha
from coffee_hooks.base.text import printable
from coffee_hooks.state.verdicts import Remembered, Verdict

LIMIT = 1 << 20
"""Bytes; an output of a job may not be longer either."""
OUTCOMES = ("gate-failed", "conflict", "roadmap-duplicate", "not-ready", "moved", "target-dirty", "error")
_LONGEST = 500

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Green:
    """Branches (name, tip) that were green together, in this order: the tree, and the ref of the verdict on it."""

    members: tuple[tuple[str, Sha], ...]
    tree: Sha
    ref: str
    verdict: Remembered


@dataclass(frozen=True, slots=True)
class Other:
    """A branch that would not land, and why."""

    branch: str
    sha: Sha
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that was found with the target at *base*; each group of *greens* is on top of those before it."""

    base: Sha
    greens: tuple[Green, ...]
    others: tuple[Other, ...]


def write(record: Record) -> str:
    """One line of JSON."""
    greens = [
        {"members": green.members, "tree": green.tree, "ref": green.ref, "seconds": green.verdict.seconds,
         "runs": green.verdict.runs, "flaky": green.verdict.flaky}
        for green in record.greens
    ]  # fmt: skip
    others = [
        {"branch": other.branch, "sha": other.sha, "outcome": other.outcome, "reason": other.reason[:_LONGEST]}
        for other in record.others
    ]
    return json.dumps({"schema": 1, "base": record.base, "greens": greens, "others": others}) + "\n"


def read(text: bytes) -> Record:
    """The record in *text*, which anybody may have written. Raises UsageError when it is none."""
    try:
        if len(text) > LIMIT:
            raise ValueError(f"it is longer than {LIMIT} bytes")
        return _record(json.loads(text))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as wrong:
        raise UsageError(
            "the file of --recorded is no record of a gate", hint="write it with: coffee merge --check --record FILE",
            detail=printable(str(wrong))[:_LONGEST],
        ) from wrong  # fmt: skip


def _record(value: Mapping[str, Any]) -> Record:
    if value["schema"] != 1:
        raise ValueError("it is of another version")
    return Record(to_sha(value["base"]), _all(value["greens"], _green), _all(value["others"], _other))


def _all(values: object, read_one: Callable[[Mapping[str, Any]], Value]) -> tuple[Value, ...]:
    if not isinstance(values, list):
        raise ValueError("a list is missing")
    return tuple(map(read_one, values))


def _green(value: Mapping[str, Any]) -> Green:
    members = tuple((_text(name), to_sha(tip)) for name, tip in value["members"])
    if not members:
        raise ValueError("a tree belongs to no branch")
    seconds, runs = float(value["seconds"]), int(value["runs"])
    if not 0 <= seconds < 1e9 or not 0 < runs < 1e6:
        raise ValueError("a run took no time that can be")
    verdict = Remembered(Verdict.GREEN, seconds, runs, None, value["flaky"] is True)
    return Green(members, to_sha(value["tree"]), _text(value["ref"]), verdict)


def _other(value: Mapping[str, Any]) -> Other:
    if value["outcome"] not in OUTCOMES:
        raise ValueError("an outcome is unknown")
    return Other(
        _text(value["branch"]), to_sha(value["sha"]), value["outcome"], printable(_text(value["reason"])[:_LONGEST])
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is missing")
    return value
