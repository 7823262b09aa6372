"""Which branches are being made this very moment: a file for each, locked by the process that is at it.

It is locked from before the claim until the agent is watched. A claim of ours without such a lock and without an
agent was left by a dead process, and the next spawn takes over.
"""

from __future__ import annotations

from pathlib import Path

from coffee_hooks.base import held
from coffee_hooks.base.held import Held as Making
from coffee_hooks.base.refs import encode


def take(state_dir: Path, branch: str) -> Making | None:
    """The right to make the worktree and start the agent of *branch*; None while another process has it.

    Raises OSError.
    """
    return held.take(_folder(state_dir) / encode(branch))


def being_made(state_dir: Path, branch: str) -> bool:
    """Whether a living process is at *branch*."""
    return held.is_held(_folder(state_dir) / encode(branch))


def names_being_made(state_dir: Path) -> frozenset[str]:
    """The encoded names of the branches that living processes are at."""
    folder = _folder(state_dir)
    return frozenset(path.name for path in folder.iterdir() if held.is_held(path)) if folder.is_dir() else frozenset()


def forget_dead(state_dir: Path) -> None:
    """Remove the files of dead processes; only under the spawn lock."""
    folder = _folder(state_dir)
    for path in folder.iterdir() if folder.is_dir() else ():
        if not held.is_held(path):
            path.unlink(missing_ok=True)


def _folder(state_dir: Path) -> Path:
    return state_dir / "making"


__all__ = ["Making", "being_made", "forget_dead", "names_being_made", "take"]
