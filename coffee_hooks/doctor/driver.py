"""Is the roadmap merged item by item in the user's own merges?"""

from __future__ import annotations

import os

from coffee_hooks.base.project import Project
from coffee_hooks.doctor.values import Check, fine, wrong
from coffee_hooks.init.merge_driver import NAME, Wiring, choose_roadmap, look_at_driver


def look_at_wiring(project: Project) -> Wiring:
    """What git knows of the driver for the roadmap that the target holds."""
    return look_at_driver(project.repo, choose_roadmap(project.repo, project.target_ref, project.config.roadmap))


def check_driver(seen: Wiring) -> Check:
    """The attribute names the driver, the driver is configured, and what it starts is there. Pure but for the last."""
    path = seen.roadmap
    if seen.is_foreign:
        return fine("merge-driver", f"{path} is merged as somebody chose for this repository")
    if seen.attribute != NAME:
        return wrong("merge-driver", f"in merges of your own git merges {path} line by line", "coffee init")
    if seen.command is None:
        return wrong("merge-driver", f"{path} is to be merged by {NAME}, which git does not know", "coffee init")
    if program_gone(seen):
        return wrong("merge-driver", f"the merge driver starts {seen.program}, which is gone", "coffee doctor --fix")
    return fine("merge-driver", f"git merges {path} item by item")


def program_gone(seen: Wiring) -> bool:
    """Whether a driver of ours starts an interpreter that is not there."""
    return seen.program is not None and not os.access(seen.program, os.X_OK)
