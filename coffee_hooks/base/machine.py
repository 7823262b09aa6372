"""What the machine has left, before more is asked of it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.parts import processors


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes that are free on disk and in memory, and how many processes want each processor."""

    disk: int
    memory: int
    load: float


def read_machine(places: tuple[Path, ...]) -> Machine:
    """The machine now; of the disks that *places* are on, or will be, the fullest."""
    import psutil

    free = min(shutil.disk_usage(_existing(place)).free for place in places)
    return Machine(free, psutil.virtual_memory().available, os.getloadavg()[0] / processors())


def _existing(place: Path) -> Path:
    return next(each for each in (place, *place.parents) if each.exists())
