"""A clone of our own: shares objects with the repository, but no refs, stash, configuration or files.

What runs in it may do with it what it likes: nothing of that reaches the repository.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import Result, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.removal import open_folders, remove_tree

MARK = "coffee-gate"
"""In the clone's ``.git``: it is ours, and this was its configuration when we left it."""


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone at *path* of the repository whose object folder is *objects*."""

    path: Path
    objects: Path

    @property
    def git_dir(self) -> Path:
        """Its ``.git``."""
        return self.path / ".git"

    @property
    def making(self) -> Path:
        """Where it is before it has its name; nothing is checked out there."""
        return self.path.with_name(f"{self.path.name}.making")

    @property
    def foreign(self) -> Path | None:
        """What lies in its place and was not made here, not by a call of :meth:`make` that was killed either."""
        if os.path.lexists(self.making) and (self.making.is_symlink() or _names_in(self.making) - {".git"}):
            return self.making
        if not os.path.lexists(self.path) or _holds_nothing(self.path):
            return None
        linked = self.path.is_symlink() or self.git_dir.is_symlink()
        return self.path if linked or not (self.git_dir / MARK).is_file() else None

    @property
    def borrows(self) -> Path | None:
        """The object folder that it borrows from as it is now; None where it says no such thing."""
        with suppress(OSError, ValueError):
            return Path(_unquoted((self.git_dir / "objects" / "info" / "alternates").read_text()))
        return None

    def git(self, *args: str) -> Result:
        """Run git in the clone; should its ``.git`` be gone, git fails and never finds a repository around it."""
        env = {"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.path), "GIT_NO_REPLACE_OBJECTS": "1"}
        return in_worktree(self.path, *args, env=env)

    def make(self, digits: int) -> None:
        """Put a new clone in its place; *digits* is the length of an object name. Raises GitFailed and OSError."""
        discard(self.path)
        making = self.making
        discard(making)
        making.parent.mkdir(parents=True, exist_ok=True)
        kind = "sha256" if digits == 64 else "sha1"
        # Not `git clone --shared`: that fails on a path with a newline, and its refs and remote would have to go again.
        in_worktree(making.parent, "init", "--quiet", "--template=", f"--object-format={kind}", "--", str(making))
        (making / ".git" / "objects" / "info").mkdir(parents=True, exist_ok=True)
        (making / ".git" / "objects" / "info" / "alternates").write_text(_quoted(self.objects))
        (making / ".git" / MARK).write_text(Clone(making, self.objects).configured())
        making.rename(self.path)

    def bring(self, commit: Sha, keep: Sequence[str] = ()) -> None:
        """Check *commit* out and remove everything else but the ignored files *keep*. Raises GitFailed."""
        self.git("checkout", "--quiet", "--force", "--detach", commit)
        self.git("clean", "-ffdxq", *(part for pattern in keep for part in ("-e", pattern)))

    def configured(self) -> str:
        """A digest of everything in ``.git`` that changes what a checkout writes."""
        digest = hashlib.sha256()
        info = self.git_dir / "info"
        for file in [self.git_dir / "config", *sorted(info.iterdir() if info.is_dir() else ())]:
            with suppress(OSError):
                digest.update(repr((file.name, file.read_bytes())).encode())
        return digest.hexdigest()

    def as_we_left_it(self) -> bool:
        """Whether nothing in it was changed that decides what a checkout writes."""
        with suppress(OSError):
            return (
                (self.git_dir / MARK).read_text() == self.configured()
                and (self.git_dir / "objects" / "info" / "alternates").read_text() == _quoted(self.objects)
                and not (self.git_dir / "modules").exists()  # what a setup put into submodules is not ours to clean
            )
        return False


def _names_in(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


def _holds_nothing(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(files for _, _, files in os.walk(path))


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
    open_folders(path)
    for parent in (path, path / ".git"):
        for entry in list(parent.iterdir()) if parent.is_dir() else ():
            if entry.name not in (".git", MARK):
                remove_tree(entry)
    remove_tree(path)
