"""How git is told to merge the roadmap item by item when the user merges, rebases or picks.

Nothing of it is tracked: the driver is in the repository's own configuration, the attribute in ``info/attributes``.
Merges of our own never start it; they merge the blobs in process.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.init.write import Draft, read_regular
from coffee_hooks.sources.roadmap_places import ROADMAPS, find_roadmap, roadmap_paths

NAME = "coffee-roadmap"
TITLE = "the roadmap, item by item (coffee)"
_KEY = f"merge.{NAME}."
_OURS = "-m coffee_hooks merge-driver roadmap "


@dataclass(frozen=True, slots=True)
class Wiring:
    """What git knows of the driver. *attribute*: what ``merge`` is for *roadmap*, ``unspecified`` if nobody said.

    *command* is what the configuration starts, None when the driver is not there.
    """

    roadmap: str
    attribute: str
    command: str | None

    @property
    def is_foreign(self) -> bool:
        """Whether somebody chose another way to merge the roadmap, which is theirs to choose."""
        return self.attribute not in ("unspecified", NAME) or (self.command is not None and _OURS not in self.command)

    @property
    def program(self) -> str | None:
        """The interpreter that a driver of ours starts."""
        ours = self.command is not None and _OURS in self.command
        return shlex.split(self.command or "")[0].replace("%%", "%") if ours else None


@dataclass(frozen=True, slots=True)
class Tie:
    """What ``init`` would do about it: *settings* of the local configuration to write, and the attribute's file.

    *kept* are the files in which all is there already; *remark* says why nothing is done.
    """

    settings: tuple[tuple[str, str], ...] = ()
    draft: Draft | None = None
    kept: tuple[Path, ...] = ()
    remark: str | None = None


def look_at_driver(repo: Repo, roadmap: str) -> Wiring:
    """What git would do in the main checkout with *roadmap*, a path from its top."""
    said = in_worktree(repo.main, "check-attr", "-z", "merge", "--", roadmap)
    command = in_worktree(repo.main, "config", "--local", "--get", f"{_KEY}driver", ok=(0, 1))
    return Wiring(roadmap, said.records[2], command.text if command.rc == 0 else None)


def choose_roadmap(repo: Repo, commit: str, configured: str | None) -> str:
    """The path of the roadmap in *commit*, which there need not be; without one, the path that it should have."""
    if configured:
        return configured.removeprefix("./")
    return find_roadmap(repo, commit, roadmap_paths(None)) or ROADMAPS[0]


def plan_driver(repo: Repo, wiring: Wiring) -> Tie:
    """Add what is missing and renew what is ours.

    Raises UsageError for an ``info/attributes`` that is no plain file, EnvironmentFailure when it cannot be read.
    """
    if wiring.is_foreign:
        how = f"merge={wiring.attribute}" if wiring.attribute not in ("unspecified", NAME) else f"your {_KEY}driver"
        return Tie(remark=f"{wiring.roadmap} is merged as you chose: {how}")
    kept = []
    wanted = {f"{_KEY}name": TITLE, f"{_KEY}driver": driver_command()}
    settings = tuple(wanted.items()) if wiring.command != wanted[f"{_KEY}driver"] else ()
    if not settings:
        kept.append(repo.common_dir / "config")
    file, draft = repo.common_dir / "info" / "attributes", None
    if wiring.attribute == NAME:
        kept.append(file)
    else:
        before = read_regular(file)
        text = before or b""
        line = f"{pattern(wiring.roadmap)} merge={NAME}\n"
        draft = Draft(file, before, text + b"\n" * (text[-1:] not in (b"", b"\n")) + os.fsencode(line))
    return Tie(settings, draft, tuple(kept))


def set_driver(repo: Repo, tie: Tie) -> None:
    """Write the settings to the configuration that all worktrees share. Raises GitFailed when it is locked."""
    for key, value in tie.settings:
        in_worktree(repo.main, "config", "--local", "--replace-all", key, value)


def driver_command() -> str:
    """What git's shell runs: our merge, and git's own merge of the lines where ours does not answer with yes.

    Exit code 1 says that a person must look; after any other failure (coffee was removed) git's answer counts.
    """
    python = shlex.quote(str(Path(sys.executable).absolute())).replace("%", "%%")
    return (
        f"{python} -I {_OURS}%O %A %B --no-markers; r=$?; test $r = 0 ||"
        " { git merge-file -q --marker-size=%L -L ours -L base -L theirs %A %O %B && test $r != 1; }"
    )


def pattern(path: str) -> str:
    """The attribute pattern for exactly this path from the top of a checkout."""
    anchored = "/" + re.sub(r"([*?\[\\])", r"\\\1", path)
    if not re.search(r'[\s"]', anchored):
        return anchored
    escapes = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}
    return '"' + "".join(escapes.get(char, char) for char in anchored) + '"'
