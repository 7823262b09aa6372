"""Gate verdicts, kept under the tree they belong to: the same bytes are never tested twice."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.config import Command
from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, read_json, read_ref, transact, write_json

PREFIX = "refs/coffee/verdicts/"
REMOTES = "refs/coffee-remote/"


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


def recall(repo: Repo, ref: str) -> Remembered | None:
    """The verdict under *ref*, None when there is none that can be read."""
    blob = read_ref(repo, ref)
    value = read_json(repo, [blob]).get(blob) if blob else None
    if value is None:
        return None
    try:
        log = value.get("log")
        return Remembered(
            Verdict(value["verdict"]), float(value.get("seconds", 0)), int(value.get("runs", 1)),
            log if isinstance(log, str) else None, value.get("flaky") is True,
        )  # fmt: skip
    except (KeyError, ValueError, TypeError, OverflowError):  # by hand or by a later version: tested again
        return None


def recall_shared(repo: Repo, remote: str | None, ref: str) -> Remembered | None:
    """The verdict that another machine pushed to *remote*, as far as it was fetched."""
    return recall(repo, f"{REMOTES}{remote}/{ref.removeprefix('refs/coffee/')}") if remote else None


def remember(repo: Repo, ref: str, verdict: Remembered) -> None:
    """Keep a verdict, replacing what was there."""
    value = {
        "verdict": verdict.verdict.value, "seconds": round(verdict.seconds, 3), "runs": verdict.runs,
        "log": verdict.log, "flaky": verdict.flaky,
    }  # fmt: skip
    transact(repo, [Move(ref, read_ref(repo, ref) or ABSENT, write_json(repo, value))])
