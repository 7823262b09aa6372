"""CFR-013 for pushes: what git tells a ``pre-push`` or ``pre-receive`` hook, and which of it is refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from coffee_hooks.base.errors import UsageError
from coffee_hooks.guard.cfr_013 import HEADS, PREFIX, CFR013ViolationError, branch_allowed, rule, visible

Ancestry = Callable[[str, str], bool]
"""Whether the second commit contains the first."""


class Change(Enum):
    """What a push does to one ref."""

    FORWARD = "create or fast-forward"
    REWRITE = "non-fast-forward"
    DELETE = "delete"


class RefUpdate(NamedTuple):
    """One ref of the receiving repository, from ``old`` to ``new``; all zeros: it does not exist."""

    ref: str
    old: str
    new: str


class Refusal(NamedTuple):
    """Why one ref may not be pushed, and the command to type instead."""

    reason: str
    hint: str


def parse_pre_push(data: bytes) -> tuple[RefUpdate, ...]:
    """Read ``local-ref local-oid remote-ref remote-oid`` lines; the local side may hold spaces.

    Raises ``UsageError`` for a line that is not of this form.
    """
    rows = [line.rsplit(" ", 3) for line in _lines(data)]
    return tuple(_update(row[2], row[3], row[1]) if len(row) == 4 else _malformed(row) for row in rows)


def parse_pre_receive(data: bytes) -> tuple[RefUpdate, ...]:
    """Read ``old-oid new-oid ref`` lines. Raises ``UsageError`` for a line that is not of this form."""
    rows = [line.split(" ", 2) for line in _lines(data)]
    return tuple(_update(row[2], row[0], row[1]) if len(row) == 3 else _malformed(row) for row in rows)


def from_framework(environ: Mapping[str, str]) -> tuple[RefUpdate, ...]:
    """The one ref that the pre-commit framework shows of a push (``PRE_COMMIT_*``), or none.

    The remote side is judged: the local one may be called ``HEAD``. Without ``FROM_REF`` the ref is new.
    """
    ref = environ.get("PRE_COMMIT_REMOTE_BRANCH")
    if not ref:
        return ()
    full = ref if ref.startswith("refs/") else HEADS + ref
    return (RefUpdate(full, environ.get("PRE_COMMIT_FROM_REF") or "0", environ.get("PRE_COMMIT_TO_REF") or "HEAD"),)


def check_push(updates: Iterable[RefUpdate], target: str, contains: Ancestry) -> None:
    """Let the whole push pass, or raise ``CFR013ViolationError`` that names every refused ref."""
    refusals = [found for update in updates if (found := refusal(update, target, contains))]
    if refusals:
        reasons = "; ".join(found.reason for found in refusals)
        raise CFR013ViolationError(f"CFR-013: push refused: {reasons}", hint=refusals[0].hint)


def refusal(update: RefUpdate, target: str, contains: Ancestry) -> Refusal | None:
    """Judge one ref. Refs outside ``refs/heads/`` pass, tags among them; ``contains`` is asked for the target only."""
    if not update.ref.startswith(HEADS):
        return None
    branch = update.ref.removeprefix(HEADS)
    name = visible(branch)
    if not branch_allowed(branch, target):
        reason = f"branch {name} may not be pushed: {rule(target)}"
        return Refusal(reason, f"git push REMOTE HEAD:{HEADS}{PREFIX}NAME")
    if branch != target:
        return None
    change = change_of(update, contains)
    if change is Change.DELETE:
        return Refusal(f"{name} is the target and is never deleted", "push without deleting it")
    if change is Change.REWRITE:
        return Refusal(
            f"{name} is the target and only moves forward (non-fast-forward)",
            "git fetch, then build on the remote's commits; take a landed task back with: coffee revert TASK",
        )
    return None


def change_of(update: RefUpdate, contains: Ancestry) -> Change:
    """What the update does; an old commit that cannot be shown to be contained counts as rewritten."""
    if _is_zero(update.new):
        return Change.DELETE
    if _is_zero(update.old) or contains(update.old, update.new):
        return Change.FORWARD
    return Change.REWRITE


def _lines(data: bytes) -> list[str]:
    return [os.fsdecode(line) for line in data.split(b"\n") if line]


def _update(ref: str, old: str, new: str) -> RefUpdate:
    if not all(set(name) <= set("0123456789abcdef") for name in (old, new)):
        return _malformed([ref, old, new])
    return RefUpdate(ref, old, new)


def _malformed(row: list[str]) -> RefUpdate:
    raise UsageError(
        f"not a line that git gives to this hook: {visible(' '.join(row))}",
        hint="call it from the hook itself, with the hook's standard input: coffee-hook --help",
    )


def _is_zero(name: str) -> bool:
    return set(name) == {"0"}
