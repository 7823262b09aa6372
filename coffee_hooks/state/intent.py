"""What a landing is about to do, written before it does it, so that a kill in the middle can be healed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_json, transact, write_json

REF = "refs/coffee/intent"


@dataclass(frozen=True, slots=True)
class Intent:
    """The target goes from *before* to *after*; *moves* belong to it and follow it. *since* is UNIX time."""

    target: str
    before: Sha
    after: Sha
    moves: tuple[Move, ...]
    since: int
    blob: Sha = ABSENT


def declare(repo: Repo, target: str, before: Sha, after: Sha, moves: Sequence[Move]) -> Intent:
    """Write the intent. The caller holds the merge lock, so there is no other one to lose against."""
    since = int(time.time())
    value = {
        "target": target, "before": before, "after": after, "since": since,
        "moves": [[m.ref, m.old, m.new] for m in moves],
    }  # fmt: skip
    blob = write_json(repo, value)
    transact(repo, [Move(REF, list_refs(repo, REF).get(REF, ABSENT), blob)])
    return Intent(target, before, after, tuple(moves), since, blob)


def pending(repo: Repo) -> Intent | None:
    """The intent of a landing that did not get to its end."""
    blob = list_refs(repo, REF).get(REF)
    value = read_json(repo, [blob]).get(blob) if blob else None
    if blob is None or value is None:
        return None
    moves = tuple(Move(ref, Sha(old), Sha(new)) for ref, old, new in value["moves"])
    return Intent(value["target"], Sha(value["before"]), Sha(value["after"]), moves, int(value["since"]), blob)


def clear(intent: Intent) -> Move:
    """The move that removes the intent."""
    return Move(REF, intent.blob, ABSENT)
