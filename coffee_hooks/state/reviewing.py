"""Which commits are being reviewed this very moment: an order for each, locked by the process that is at it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from coffee_hooks.base import held
from coffee_hooks.base.git import OID
from coffee_hooks.base.held import Held
from coffee_hooks.base.model import Sha


@dataclass(frozen=True, slots=True)
class ReviewOrder:
    """What to review: the commit *sha* of *branch*, against *base*, which it has in common with the target."""

    sha: str
    branch: str
    task: str | None
    base: str


def take_order(state_dir: Path, order: ReviewOrder) -> Held | None:
    """The right to review the commit of *order*; None while another process is at it. Raises OSError."""
    turn = held.take(order_path(state_dir, order.sha))
    if turn is not None:
        os.ftruncate(turn.descriptor, 0)
        os.pwrite(turn.descriptor, json.dumps(asdict(order)).encode(), 0)
        stop_file(state_dir, order.sha).unlink(missing_ok=True)
    return turn


def read_review_order(descriptor: int) -> ReviewOrder:
    """The order in an open file. Raises ValueError, TypeError and KeyError."""
    return ReviewOrder(**json.loads(os.pread(descriptor, 1 << 20, 0)))


def being_reviewed(state_dir: Path) -> dict[Sha, float]:
    """The commits that living processes are at, each with the UNIX time at which that began."""
    found: dict[Sha, float] = {}
    for path in _orders(state_dir):
        if held.is_held(path):
            with suppress(FileNotFoundError):
                found[Sha(path.stem)] = path.stat().st_mtime
    return found


def dead_orders(state_dir: Path) -> Iterator[Path]:
    """The orders whose process is gone."""
    return (path for path in _orders(state_dir) if not held.is_held(path))


def stop_file(state_dir: Path, sha: str) -> Path:
    """Where whoever reviews a commit looks whether nobody wants to know any more."""
    return order_path(state_dir, sha).with_suffix(".stop")


def folder(state_dir: Path) -> Path:
    """Where the orders are; it changes with each that begins or ends."""
    return state_dir / "reviews"


def _orders(state_dir: Path) -> Iterator[Path]:
    return (path for path in sorted(folder(state_dir).glob("*.json")) if OID.fullmatch(path.stem))


def order_path(state_dir: Path, sha: str) -> Path:
    """The order of a commit's review, which its process holds locked."""
    return folder(state_dir) / f"{sha}.json"
