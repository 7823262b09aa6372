"""The gate's own clone: shares objects with the repository, but no refs, stash, configuration or files."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import suppress
from pathlib import Path

from coffee_hooks.base.config import Gate
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import GitFailed, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project

MARK = "coffee-gate"
STAMP = "coffee-setup"


class GateBroken(EnvironmentFailure):
    """The gate could not be brought to the candidate, or the tests changed what they were to judge."""


def gate_path(project: Project, number: int = 1) -> Path:
    """Where gate clone *number* lives: beside the worktrees, because tools skip what lies below ``.git``."""
    return project.worktrees_root / f"gate{number}"


def ensure_clone(project: Project, path: Path) -> None:
    """Make the clone unless it is there and ours. Raises GateBroken when something else is in its place."""
    if path.exists():
        if (path / ".git" / MARK).is_file() and (path / ".git" / "objects" / "info" / "alternates").is_file():
            return
        if not (path / ".git" / MARK).is_file() and any(path.iterdir()):
            raise GateBroken(f"{path} is not a gate of coffee", hint="move it away, then run this again")
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f"{path.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    main = project.repo.main
    in_worktree(main, "clone", "--quiet", "--shared", "--no-checkout", "--no-tags", "--", str(main), str(making))
    in_worktree(making, "remote", "remove", "origin")  # a test that pushes must not reach anybody
    (making / ".git" / MARK).write_text("a clone of coffee: it is emptied before every run\n")
    making.rename(path)


def check_out(path: Path, commit: Sha, keep: tuple[str, ...]) -> None:
    """Bring the clone to *commit*, everything else gone but *keep*. Raises GateBroken."""
    lock = path / ".git" / "index.lock"
    with suppress(FileNotFoundError):  # the folder is ours: a lock is what a killed gate left
        lock.unlink()
    try:
        in_worktree(path, "checkout", "--quiet", "--force", "--detach", commit)
        excluded = [part for pattern in keep for part in ("-e", pattern)]
        in_worktree(path, "clean", "-ffdxq", *excluded)
    except GitFailed as failed:
        raise GateBroken(
            "the gate could not check out the candidate", hint="coffee doctor", detail=failed.detail
        ) from failed
    check_untouched(path, commit, "before the gate")


def check_untouched(path: Path, commit: Sha, when: str) -> None:
    """HEAD, index flags and tracked files are those of *commit*. Raises GateBroken otherwise."""
    head = in_worktree(path, "rev-parse", "--verify", "HEAD^{commit}", ok=(0, 128)).text
    if head != commit:
        raise GateBroken(
            f"{when}, HEAD of the gate was not the candidate", hint="the gate must not commit or check out"
        )
    flags = in_worktree(path, "ls-files", "-v", "-z").out
    if any(record[:2] not in (b"H ", b"") for record in flags.split(b"\0")):
        raise GateBroken(f"{when}, files were hidden from git in the gate", hint="the gate must not change the index")
    said = in_worktree(
        path, "-c", "core.untrackedCache=false", "status", "--porcelain=v2", "-z", "--untracked-files=no",
        "--ignore-submodules=none",
    )  # fmt: skip
    if said.records:
        paths = ", ".join(record.split(" ", 8)[-1] for record in said.records[:3])
        raise GateBroken(
            f"{when}, tracked files were changed: {paths}", hint="make gate.setup and gate.command leave them alone"
        )


def setup_stamp(gate: Gate, environment: dict[str, Sha | None]) -> str:
    """What the setup of a gate depends on."""
    return hashlib.sha256(repr((gate.setup, sorted(environment.items()))).encode()).hexdigest()


def setup_needed(path: Path, gate: Gate, stamp: str) -> bool:
    """Whether ``gate.setup`` must run: never done here, its files changed, or nothing of it survives cleaning."""
    if not gate.setup:
        return False
    with suppress(OSError):
        return not gate.keep or (path / ".git" / STAMP).read_text() != stamp
    return True


def setup_done(path: Path, stamp: str) -> None:
    """Remember that setup is done."""
    (path / ".git" / STAMP).write_text(stamp)


def log_file(project: Project, tree: Sha) -> Path:
    """A new log for one run on *tree*."""
    return (
        project.repo.state_dir
        / "logs"
        / "gate"
        / f"{time.strftime('%Y%m%d-%H%M%S')}-{tree[:12]}-{time.monotonic_ns() % 1_000_000}.log"
    )
