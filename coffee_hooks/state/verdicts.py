"""Gate verdicts, kept under the tree they belong to: the same bytes are never tested twice."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from coffee_hooks.base.config import Command
from coffee_hooks.base.git import ABSENT, OID, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, read_ref, read_stored, transact, write_json
from coffee_hooks.base.remote import COPIES

PREFIX = "refs/coffee/verdicts/"


class Verdict(Enum):
    """What the gate said. Only these two are remembered; an error never is."""

    GREEN = "green"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the runs of a tree gave: *seconds* of the last one, how many *runs*, the log's path where it ran.

    Green is final. Red is final after as many runs as the configuration asks for. *flaky*: the runs disagreed.
    """

    verdict: Verdict
    seconds: float
    runs: int
    log: str | None
    flaky: bool = False


def key(tree: Sha, command: Command, environment: Mapping[str, Sha | None]) -> str:
    """The ref of a verdict: tree, gate command, OS/architecture, interpreter and the blobs of ``gate.environment``."""
    parts = [
        list(command), platform.system(), platform.machine(),
        f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}", sorted(environment.items()),
    ]  # fmt: skip
    return f"{PREFIX}{tree}/{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]}"


def recall(repo: Repo, ref: str, remote: str | None = None) -> Remembered | None:
    """The verdict under *ref*, else the one that another machine pushed to *remote*, as far as it was fetched.

    None when there is none that can be read.
    """
    names = [ref, *([f"{COPIES}{remote}/{ref.removeprefix('refs/coffee/')}"] if remote else [])]
    stored = read_stored(repo, *names)
    return next(filter(None, (_decode(stored[name].value) for name in names if name in stored)), None)


def _decode(value: Mapping[str, Any]) -> Remembered | None:
    try:
        log = value.get("log")
        return Remembered(
            Verdict(value["verdict"]), float(value.get("seconds", 0)), int(value.get("runs", 1)),
            log if isinstance(log, str) else None, value.get("flaky") is True,
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, OverflowError):  # by hand or by a later version: tested again
        return None


def remember(repo: Repo, ref: str, verdict: Remembered) -> None:
    """Keep a verdict with the time, replacing what was there."""
    value = {
        "verdict": verdict.verdict.value, "seconds": round(verdict.seconds, 3), "runs": verdict.runs,
        "log": verdict.log, "flaky": verdict.flaky, "when": int(time.time()),
    }  # fmt: skip
    blob = write_json(repo, value)
    if not transact(repo, [Move(ref, ABSENT, blob)]):
        transact(repo, [Move(ref, read_ref(repo, ref) or ABSENT, blob)])


def tree_of(ref: str) -> Sha | None:
    """The tree whose verdict is kept under *ref*, None when *ref* is no name of ours."""
    tree, _, name = ref.removeprefix(PREFIX).partition("/")
    return Sha(tree) if ref.startswith(PREFIX) and name and OID.fullmatch(tree) else None


def written_at(value: Mapping[str, Any]) -> float:
    """When a verdict was remembered, in UNIX seconds; 0 where it does not say."""
    when = value.get("when")
    return float(when) if isinstance(when, (int, float)) and abs(when) < 1e12 else 0.0
