"""The gate's own clone: shares objects with the repository, but no refs, stash, configuration or files.

It is kept between runs because a checkout of the neighbouring commit is cheap, and made anew whenever it is not
exactly as we left it: a test may have written into its ``.git``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.clone import MARK, Clone, discard
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import GitFailed
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable

STAMP = "coffee-setup"
"""In the clone's ``.git``: what the kept files were made from."""


class GateBroken(EnvironmentFailure):
    """The gate could not be brought to the candidate, or the tests changed what they were to judge."""


@dataclass(frozen=True, slots=True)
class State:
    """What git says of the clone: *hidden* files are flagged so that git ignores edits of them."""

    head: str
    hidden: bool
    dirty: frozenset[str]


@dataclass(frozen=True, slots=True)
class Ready:
    """The clone at a candidate. *warm*: the kept files are there, made from the same stamp, so setup may be skipped.

    *before* holds what git calls changed right after a checkout: line endings that are not normalised.
    """

    clone: GateClone
    before: State
    warm: bool


@dataclass(frozen=True, slots=True)
class GateClone(Clone):
    """A clone that is kept between runs."""

    def state(self) -> State:
        """HEAD, index flags and changed tracked files. Raises GitFailed."""
        said = self.git(
            "-c", "core.untrackedCache=false", "status", "--porcelain=v2", "--branch", "-z", "--no-renames",
            "--untracked-files=no", "--ignore-submodules=untracked",
        ).records  # fmt: skip
        flags = self.git("ls-files", "-v", "-z").out.split(b"\0")
        head = next((line.rpartition(" ")[2] for line in said if line.startswith("# branch.oid ")), "")
        changed = frozenset(record for record in said if not record.startswith("#"))
        return State(head, any(record[:2] not in (b"H ", b"") for record in flags), changed)

    def seal(self, stamp: str) -> None:
        """Remember that setup is done: what is kept belongs to *stamp*."""
        (self.git_dir / MARK).write_text(self.configured())
        (self.git_dir / STAMP).write_text(stamp)

    def warm(self, stamp: str) -> bool:
        """Whether what is kept belongs to *stamp*."""
        with suppress(OSError):
            return (self.git_dir / STAMP).read_text() == stamp
        return False


def gate_paths(project: Project) -> tuple[Path, ...]:
    """Every place where a gate clone of this project may be at work, those of an earlier run with more jobs too."""
    there = {path.name for path in project.worktrees_root.glob("gate[0-9]*") if path.name[4:].isdigit()}
    return tuple(project.worktrees_root / name for name in sorted(there | {"gate1"}))


def gate_path(project: Project, number: int = 1) -> Path:
    """Where gate clone *number* lives: beside the worktrees, because tools skip what lies below ``.git``."""
    return project.worktrees_root / f"gate{number}"


def check_out(project: Project, commit: Sha, keep: Sequence[str], stamp: str, number: int = 1) -> Ready:
    """Bring gate clone *number* to *commit*: everything else is gone, but *keep* where it belongs to *stamp*.

    Raises GateBroken when git cannot, or when something that is not ours is in its place.
    """
    clone = GateClone(gate_path(project, number), project.repo.common_dir / "objects")
    _refuse_foreign(clone)
    if clone.as_we_left_it():
        warm = bool(keep) and clone.warm(stamp)
        if not warm:
            (clone.git_dir / STAMP).unlink(missing_ok=True)
        with suppress(GitFailed):
            clone.bring(commit, keep if warm else ())
            before = clone.state()
            if not before.hidden and before.head == commit:
                return Ready(clone, before, warm)
    try:
        clone.make(len(commit))
        clone.bring(commit)
        return Ready(clone, clone.state(), False)
    except GitFailed as failed:
        raise GateBroken(
            f"the gate could not check out the candidate ({failed.detail})", hint="coffee doctor"
        ) from failed


def check_untouched(ready: Ready, commit: Sha) -> None:
    """After the gate, HEAD, index flags and tracked files are those of *commit*. Raises GateBroken otherwise."""
    try:
        after = ready.clone.state()
    except GitFailed as failed:
        discard(ready.clone.path)  # now we know that it is ours; without its mark nobody would later
        raise GateBroken(f"the gate's clone is broken after the gate ({failed.detail})") from failed
    if after.head != commit:
        raise GateBroken("after the gate, its HEAD was another commit", hint="the gate must not commit or check out")
    if after.hidden:
        raise GateBroken("after the gate, files were hidden from git", hint="the gate must not change the index")
    if changed := sorted(record.split(" ", 8)[-1] for record in after.dirty - ready.before.dirty):
        paths = ", ".join(printable(path) for path in changed[:3])
        raise GateBroken(
            f"after the gate, tracked files were changed: {paths}",
            hint="make gate.setup and gate.command leave them alone",
        )


def _refuse_foreign(clone: Clone) -> None:
    """Raises GateBroken unless the place is free, or holds a clone of ours."""
    path = clone.path
    if clone.foreign is not None:
        raise GateBroken(f"{clone.foreign} is not a gate of coffee", hint="move it away, then run this again")
    if clone.borrows not in (None, clone.objects) and (clone.borrows or path).is_dir():
        raise GateBroken(
            f"{path} is the gate of another repository", hint="give each repository a worktrees.root of its own"
        )
