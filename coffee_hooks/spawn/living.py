"""Which agents are alive, asked of the kernel: the database may be deleted, its pids may be reused."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from coffee_hooks.base.refs import encode
from coffee_hooks.spawn.making import names_being_made
from coffee_hooks.state.agent_state import look
from coffee_hooks.state.agents import active_runs
from coffee_hooks.state.order import Order, read_order, supervised
from coffee_hooks.state.store import Store


def living_orders(state_dir: Path) -> Iterator[Order]:
    """The orders whose supervisor lives."""
    folder = state_dir / "agents"
    for path in sorted(folder.glob("*.json")):
        if path.stem.isdigit() and supervised(state_dir, int(path.stem)):
            # It may end, and take its order away, between the two looks.
            with contextlib.suppress(OSError, ValueError), path.open() as file:
                yield read_order(file)


def at_work(state_dir: Path, store: Store) -> frozenset[str]:
    """The branches with a living supervisor, or a living agent that lost its supervisor."""
    orders = {order.branch for order in living_orders(state_dir)}
    return frozenset(orders | {run.branch for run in active_runs(store) if look(state_dir, run).running})


def count_busy(state_dir: Path, store: Store) -> int:
    """How many branches have an agent, or are about to get one."""
    return len({encode(branch) for branch in at_work(state_dir, store)} | names_being_made(state_dir))
