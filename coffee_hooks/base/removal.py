"""Delete folders that others filled: read-only ones, and those with thousands of levels."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
from pathlib import Path


def remove_tree(path: Path) -> None:
    """Delete *path* and everything in it; a link in its place goes alone. Raises OSError for what cannot go.

    By ``rm``: Python's own way is recursive, and ends at a program's folder that was copied into itself again and
    again, or at a path that is longer than the system takes in one piece.
    """
    left = _removed(path)
    if left:
        open_folders(path)
        left = _removed(path)
    if left:
        raise OSError(errno.ENOTEMPTY, left, os.fspath(path))


def _removed(path: Path) -> str:
    """What ``rm`` said; empty when nothing is left."""
    said = subprocess.run(
        ["rm", "-rf", "--", os.fspath(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    if not os.path.lexists(path):
        return ""
    return said.stderr.decode("utf-8", "replace").partition("\n")[0] or "it is still there"


def open_folders(top: Path) -> None:
    """Let the owner into every folder: a test may have made them read-only."""
    left = [os.fspath(top)]
    while left:
        folder = left.pop()
        with contextlib.suppress(OSError):
            os.chmod(folder, stat.S_IRWXU)  # noqa: PTH101 - tens of thousands of paths
            with os.scandir(folder) as found:
                left += [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
