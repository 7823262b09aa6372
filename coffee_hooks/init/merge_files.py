"""What git starts for the roadmap in a merge of the user's own: three files, the result in the second of them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from coffee_hooks.base.git import execute
from coffee_hooks.sources.roadmap_merge import merge_roadmaps


def merge_files(base: Path, ours: Path, theirs: Path, *, marker_size: int, markers: bool) -> bool:
    """Write the merged roadmap to *ours* and say whether that worked.

    Where it takes a person, *ours* gets what git's own merge of the lines makes of it, or with *markers* False stays
    as it is. Raises OSError when a file cannot be read or written.
    """
    merged = merge_roadmaps(base.read_bytes(), ours.read_bytes(), theirs.read_bytes())
    if merged is not None:
        _replace(ours, merged)
    elif markers:
        names = ("-L", "ours", "-L", "base", "-L", "theirs")
        files = (str(ours), str(base), str(theirs))
        # In the folder of the files: git looks there for the style of the markers that the user wants.
        argv = ["git", "-C", str(ours.parent), "merge-file", "-q", f"--marker-size={marker_size}", *names, *files]
        execute(argv, env={}, stdin=None, seconds=None)
    return merged is not None


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all: what was there is still needed when this fails."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        new.write_bytes(data)
        new.chmod(path.stat().st_mode & 0o777)
        new.replace(path)
    finally:
        if os.path.lexists(new):
            new.unlink()
