"""Whether the machine has room for one more agent: ``max-parallel`` is a cap, not a target."""

from __future__ import annotations

from dataclasses import dataclass

from coffee_hooks.base.config import Limits
from coffee_hooks.base.machine import Machine, read_machine
from coffee_hooks.base.project import Project
from coffee_hooks.spawn.living import count_busy
from coffee_hooks.state.store import Store

_UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))


@dataclass(frozen=True, slots=True)
class Room:
    """How many more agents may be started; *crowded* says what the machine lacks, None when it lacks nothing."""

    places: int
    crowded: str | None = None


def find_room(project: Project, store: Store, most: int | None) -> Room:
    """The room for agents here, where at most *most* may run (None: as configured)."""
    wanted = most if most is not None else project.config.agent.max_parallel
    free = max(0, wanted - count_busy(project.repo.state_dir, store))
    lacking = find_lack(project) if free else None
    return Room(0 if lacking else free, lacking)


def find_lack(project: Project) -> str | None:
    """What the machine lacks for one more agent."""
    return lack(read_machine((project.worktrees_root, project.repo.state_dir)), project.config.limits)


def lack(machine: Machine, limits: Limits) -> str | None:
    """What *machine* has too little of by *limits*, in a clause for people. Pure."""
    if machine.disk < limits.disk:
        return f"only {_size(machine.disk)} of disk are free (limits.disk is {_size(limits.disk)})"
    if machine.memory < limits.memory:
        return f"only {_size(machine.memory)} of memory are free (limits.memory is {_size(limits.memory)})"
    if limits.load is not None and machine.load > limits.load:
        return f"the load of each processor is {machine.load:.1f} (limits.load is {limits.load})"
    return None


def _size(number: int) -> str:
    for unit, name in _UNITS:
        if number >= unit:
            return f"{number / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{number} B"
