"""Git as the hooks call it: the program itself, without the package's own gate to git.

A hook asks about the repository it runs for, so ``git`` keeps ``GIT_DIR`` and the quarantine variables on purpose;
``git_at`` asks about a folder that was named, and drops them.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NoReturn

from coffee_hooks.base.errors import EnvironmentFailure, UsageError

Answer = subprocess.CompletedProcess[bytes]

_OF_ONE_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
)


def git(*arguments: str) -> Answer:
    """Run git for the repository of this hook and return its answer; raise ``EnvironmentFailure`` without git."""
    return _run([*arguments], dict(os.environ))


def git_at(folder: Path, *arguments: str) -> Answer:
    """Run git in ``folder``, whatever repository the caller's environment names; raises as ``git`` does."""
    environ = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    return _run(["-C", str(folder), *arguments], environ)


def line_of(answer: Answer) -> str:
    """The one line that git answered; raise ``UsageError`` with git's own message if it failed."""
    if answer.returncode:
        refuse(answer)
    return os.fsdecode(answer.stdout.removesuffix(b"\n"))


def ask_head() -> tuple[str, str]:
    """The git directory, and HEAD as its branch ref or its commit; raise ``UsageError`` outside a repository."""
    git_dir = line_of(git("rev-parse", "--absolute-git-dir"))
    ref = git("symbolic-ref", "-q", "HEAD")
    return git_dir, line_of(ref if ref.returncode == 0 else git("rev-parse", "--verify", "HEAD"))


def is_ancestor(old: str, new: str) -> bool:
    """Whether ``new`` contains ``old``; False as well where ``old`` is not known here."""
    return git("merge-base", "--is-ancestor", old, new).returncode == 0


def refuse(answer: Answer) -> NoReturn:
    """Raise ``UsageError`` with what git said behind our own words."""
    raise UsageError(
        "git cannot answer in this folder",
        hint="run this inside a repository: cd REPOSITORY, or coffee-hook -C REPOSITORY COMMAND",
        detail=os.fsdecode(answer.stderr.strip().split(b"\n")[0]),
    )


def _run(arguments: list[str], environ: dict[str, str]) -> Answer:
    try:
        return subprocess.run(
            ["git", *arguments], stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environ
        )
    except FileNotFoundError as error:
        raise EnvironmentFailure("git was not found", hint="install git 2.39 or newer and put it on PATH") from error
