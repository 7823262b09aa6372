"""The gate's own clone: shares objects with the repository, but no refs, stash, configuration or files.

It is kept between runs because a checkout of the neighbouring commit is cheap, and made anew whenever it is not
exactly as we left it: a test may have written into its ``.git``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import GitFailed, Result, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable

MARK = "coffee-gate"
"""In the clone's ``.git``: it is ours, and this was its configuration when we left it."""
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

    clone: Clone
    before: State
    warm: bool


@dataclass(frozen=True, slots=True)
class Clone:
    """A gate clone at *path* of the repository whose object folder is *objects*."""

    path: Path
    objects: Path

    @property
    def git_dir(self) -> Path:
        """Its ``.git``."""
        return self.path / ".git"

    def git(self, *args: str) -> Result:
        """Run git in the clone; should its ``.git`` be gone, git fails and never finds a repository around it."""
        env = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.path), "GIT_NO_REPLACE_OBJECTS": "1"}
        return in_worktree(self.path, *args, env=env)

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
        (self.git_dir / MARK).write_text(self._configured())
        (self.git_dir / STAMP).write_text(stamp)

    def _configured(self) -> str:
        """A digest of everything in ``.git`` that changes what a checkout writes."""
        digest = hashlib.sha256()
        info = self.git_dir / "info"
        for file in [self.git_dir / "config", *sorted(info.iterdir() if info.is_dir() else ())]:
            with suppress(OSError):
                digest.update(repr((file.name, file.read_bytes())).encode())
        return digest.hexdigest()

    def _as_we_left_it(self) -> bool:
        with suppress(OSError):
            return (
                (self.git_dir / MARK).read_text() == self._configured()
                and _alternates(self.path) == _quoted(self.objects)
                and not (self.git_dir / "modules").exists()  # what a setup put into submodules is not ours to clean
            )
        return False

    def _warm(self, stamp: str) -> bool:
        with suppress(OSError):
            return (self.git_dir / STAMP).read_text() == stamp
        return False

    def _bring(self, commit: Sha, keep: Sequence[str]) -> State:
        self.git("checkout", "--quiet", "--force", "--detach", commit)
        self.git("clean", "-ffdxq", *(part for pattern in keep for part in ("-e", pattern)))
        return self.state()

    def _make(self, digits: int) -> None:
        """Put a new clone in its place; *digits* is the length of an object name. Raises GitFailed."""
        discard(self.path)
        making = _making(self.path)
        discard(making)
        making.parent.mkdir(parents=True, exist_ok=True)
        kind = "sha256" if digits == 64 else "sha1"
        # Not `git clone --shared`: that fails on a path with a newline, and its refs and remote would have to go again.
        in_worktree(making.parent, "init", "--quiet", "--template=", f"--object-format={kind}", "--", str(making))
        new = Clone(making, self.objects)
        (making / ".git" / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (making / ".git" / "objects" / "info" / "alternates").write_text(_quoted(self.objects))
        (making / ".git" / MARK).write_text(new._configured())
        making.rename(self.path)


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
    clone = Clone(gate_path(project, number), project.repo.common_dir / "objects")
    _refuse_foreign(clone)
    if clone._as_we_left_it():
        warm = bool(keep) and clone._warm(stamp)
        if not warm:
            (clone.git_dir / STAMP).unlink(missing_ok=True)
        with suppress(GitFailed):
            before = clone._bring(commit, keep if warm else ())
            if not before.hidden and before.head == commit:
                return Ready(clone, before, warm)
    try:
        clone._make(len(commit))
        return Ready(clone, clone._bring(commit, ()), False)
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
    path, links = clone.path, _alternates(clone.path)
    making = _making(path)
    if os.path.lexists(making) and (making.is_symlink() or {entry.name for entry in making.iterdir()} - {".git"}):
        raise GateBroken(f"{making} is not a gate of coffee", hint="move it away, then run this again")
    if not os.path.lexists(path) or _holds_nothing(path):
        return
    if path.is_symlink() or clone.git_dir.is_symlink() or not (clone.git_dir / MARK).is_file():
        raise GateBroken(f"{path} is not a gate of coffee", hint="move it away, then run this again")
    if links not in (None, _quoted(clone.objects)) and Path(_unquoted(links or "")).is_dir():
        raise GateBroken(
            f"{path} is the gate of another repository", hint="give each repository a worktrees.root of its own"
        )


def _making(path: Path) -> Path:
    """Where a clone is before it has its name; nothing is checked out there."""
    return path.with_name(f"{path.name}.making")


def _holds_nothing(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(files for _, _, files in os.walk(path))


def _alternates(path: Path) -> str | None:
    with suppress(OSError):
        return (path / ".git" / "objects" / "info" / "alternates").read_text()
    return None


def _quoted(path: Path) -> str:
    """*path* as a line of ``objects/info/alternates``, in C quotes because a name may hold a newline."""
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in os.fsencode(path))
    return f'"{"".join(plain)}"\n'


def _unquoted(line: str) -> str:
    return os.fsdecode(line.strip().strip('"').encode().decode("unicode_escape").encode("latin-1"))


def discard(path: Path) -> None:
    """Remove a folder of ours, the mark last, so that a kill in the middle leaves a clone recognisable.

    Folders that a test made read-only go too; a link in its place goes alone. Raises OSError for what cannot go.
    """
    if path.is_symlink():
        path.unlink()
    if not path.is_dir():
        return
    path.chmod(0o700)
    for folder, names, _ in os.walk(path):
        for name in names:
            if not (inside := Path(folder, name)).is_symlink():
                inside.chmod(0o700)
    for parent in (path, path / ".git"):
        for entry in list(parent.iterdir()) if parent.is_dir() else ():
            if entry.name not in (".git", MARK):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    shutil.rmtree(path)
