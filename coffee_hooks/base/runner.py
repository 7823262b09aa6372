"""GitPython's runner without the rest of GitPython.

``import git`` loads an object model that we do not use and asks git twice for its version: 70 of the 90 ms that it
takes, in every command. So the package's folder is named to Python, and only ``git.cmd`` is loaded from it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from threading import Lock
from typing import Any

PACKAGE = "git"


@dataclass(frozen=True, slots=True)
class Runner:
    """*git* makes an object whose ``execute`` runs an argument list; *missing* is raised where there is no git.

    *pipe* is what its streams are to be called for a pipe.
    """

    git: Any
    missing: type[Exception]
    pipe: int


_loaded: list[Runner] = []
_lock = Lock()


def runner() -> Runner:
    """The runner, loaded on first use. Safe in threads."""
    with _lock:
        if not _loaded:
            _loaded.append(_load())
    return _loaded[0]


def _load() -> Runner:
    if PACKAGE not in sys.modules and (found := _without_package()):
        return found
    import git

    cmd: Any = git.cmd  # it does not export the name
    return Runner(cmd.Git, git.exc.GitCommandNotFound, cmd.PIPE)


def _without_package() -> Runner | None:
    """None with a GitPython whose runner needs its package. A later ``import git`` finds nothing half loaded."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        return None
    sys.modules[PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        cmd, exc = (importlib.import_module(f"{PACKAGE}.{name}") for name in ("cmd", "exc"))
        return Runner(cmd.Git, exc.GitCommandNotFound, cmd.PIPE)
    except (ImportError, AttributeError):
        return None
    finally:
        for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
            del sys.modules[name]
