"""What the programs of agents leave in a worktree beside their work."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

LEFTOVERS: Mapping[str, str] = {"aider": ".aider*"}
"""By the program's name: what nobody should commit, as a pattern for git."""

_CACHES = (".aider.tags.cache.*",)


def is_cache(path: str) -> bool:
    """Whether *path*, from the top of a worktree, is in a folder that such a program makes again whenever it wants."""
    return any(fnmatchcase(path.partition("/")[0], pattern) for pattern in _CACHES)
