"""The order a supervisor works on. It holds a kernel lock on the file for as long as it lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from coffee_hooks.base.held import is_held


@dataclass(frozen=True, slots=True)
class Order:
    """What to run and how long; paths are absolute, times are seconds. *shared*: other machines wait for its end.

    *stdin* is the file that the agent reads there, None for nothing. *hook_timeout* is for the hook behind it.
    """

    run: int
    task: str
    branch: str
    base: str
    attempt: int
    argv: tuple[str, ...]
    worktree: str
    common_dir: str
    log: str
    timeout: float
    idle_timeout: float
    shared: bool = False
    stdin: str | None = None
    hook_timeout: float = 600.0

    @property
    def state_dir(self) -> Path:
        """Where the database lives."""
        return Path(self.common_dir) / "coffee"


def order_path(state_dir: Path, run: int) -> Path:
    """The order file of a run."""
    return state_dir / "agents" / f"{run}.json"


def write_order(order: Order) -> Path:
    """Write the order file and return its path. It holds no environment, so no secret."""
    path = order_path(order.state_dir, order.run)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(order)))
    return path


def supervised(state_dir: Path, run: int) -> bool:
    """Whether the run's supervisor lives: it holds the lock on its order file."""
    return is_held(order_path(state_dir, run))


def read_order(file: TextIO) -> Order:
    """The order in an open order file. Raises ValueError when it is none: agents can write there, too."""
    try:
        value = json.load(file)
        return Order(**{**value, "argv": tuple(value["argv"])})
    except (KeyError, TypeError, RecursionError) as broken:
        raise ValueError(f"not an order: {broken}") from broken
