"""What a landing is about to do, written before it does it, so that a kill in the middle can be healed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, read_json, read_ref, to_sha, to_text, transact, write_json

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
    """Write the intent, replacing a finished one. The caller holds the merge lock.

    Raises EnvironmentFailure when somebody without the lock wrote one at the same time: without an intent of our own
    a kill could not be healed.
    """
    since = int(time.time())
    value = {
        "target": target, "before": before, "after": after, "since": since,
        "moves": [[m.ref, m.old, m.new] for m in moves],
    }  # fmt: skip
    blob = write_json(repo, value)
    there = transact(repo, [Move(REF, ABSENT, blob)])  # mostly there is none, and to look would be one more process
    if not there and not transact(repo, [Move(REF, read_ref(repo, REF) or ABSENT, blob)]):
        raise EnvironmentFailure("another landing has begun in this repository", hint="run: coffee status")
    return Intent(target, before, after, tuple(moves), since, blob)


def pending(repo: Repo) -> Intent | None:
    """The intent of a landing that did not get to its end. Raises EnvironmentFailure when it cannot be read."""
    blob = read_ref(repo, REF)
    if blob is None:
        return None
    try:
        value = read_json(repo, [blob])[blob]
        moves = tuple(Move(to_text(ref), to_sha(old), to_sha(new)) for ref, old, new in value["moves"])
        return Intent(
            to_text(value["target"]), to_sha(value["before"]), to_sha(value["after"]), moves, int(value["since"]), blob
        )
    except (KeyError, ValueError, TypeError, OverflowError) as broken:
        raise EnvironmentFailure(
            f"{REF} cannot be read, so an interrupted landing cannot be finished",
            hint=f"look at it with git cat-file blob {REF}, then drop it with git update-ref -d {REF}",
        ) from broken


def clear(intent: Intent) -> Move:
    """The move that removes the intent."""
    return Move(REF, intent.blob, ABSENT)
