"""The gate to git: every command goes through GitPython's runner, in one of three contexts.

`Repo.objects` is pinned and scrubbed of the user's configuration, for work in the object database and on
refs: same input, same answer, whoever runs it. `in_worktree` keeps the user's configuration (filters,
LFS, global ignores) because a checkout without it would be wrong. `Repo.network` keeps it for credentials.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.model import Sha

OLDEST_GIT = (2, 39)
NETWORK_SECONDS = 120.0
OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
ABSENT = Sha("0" * 40)
"""As an old value: the ref must not exist. As a new value: the ref goes."""


def _told(name: str) -> tuple[str, ...]:
    """The arguments with which git reads our file *name* after all others: what is in it wins."""
    return "--no-pager", "-c", f"include.path={Path(__file__).with_name(name)}"


# Files, because thirty settings as arguments or in the environment take longer than the reading of a file.
_QUIET, _PINS = _told("quiet.gitconfig"), _told("pinned.gitconfig")
_PINNED = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "0", "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said: exit code, bytes on stdout, text on stderr."""

    rc: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """stdout as text without the final newline; bytes that are not UTF-8 survive a round trip."""
        return os.fsdecode(self.out).removesuffix("\n")

    @property
    def records(self) -> list[str]:
        """stdout split at NUL, the empty tail dropped."""
        return [
            os.fsdecode(part) for part in self.out.split(b"\0")[: None if self.out[-1:] != b"\0" else -1] if self.out
        ]


class GitFailed(EnvironmentFailure):
    """git answered with an exit code that this call does not know how to read."""

    def __init__(self, argv: Sequence[str], result: Result) -> None:
        said = result.err.strip().splitlines()
        super().__init__(
            f"git {_subcommand(argv)} failed with exit code {result.rc}",
            hint=_advice(result.err),
            detail=next((line for line in said if line.startswith(("fatal: ", "error: "))), said[-1] if said else ""),
        )
        self.argv = tuple(argv)
        self.result = result


def _advice(said: str) -> str:
    if "No space left on device" in said:
        return "free some disk space, then run this again"
    if "File exists" in said:
        return "if no git is running here, remove the .lock file that it names"
    return "run the command again with --verbose to see it"


def _subcommand(argv: Sequence[str]) -> str:
    rest = iter(argv[1:])
    for word in rest:
        if word in ("-C", "-c"):
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


trace: list[Callable[[Sequence[str]], None]] = []
"""Listeners told of every argument list; ``--verbose`` and the process counts of tests."""


def execute(argv: Sequence[str], *, env: Mapping[str, str], stdin: bytes | None, seconds: float | None) -> Result:
    """Run one git argument list through GitPython. Raises EnvironmentFailure when git itself is missing."""
    from coffee_hooks.base.runner import runner  # only commands that need git pay for it

    found = runner()
    _tell(argv)
    watches = frozenset(threading.enumerate())
    with contextlib.ExitStack() as at_the_end:
        source = None
        if stdin is not None:
            source = at_the_end.enter_context(tempfile.TemporaryFile())
            source.write(stdin)
            source.seek(0)
        try:
            rc, out, err = found.git().execute(
                list(argv),
                env=dict(env),
                istream=source,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=seconds,
            )
        except found.missing as missing:
            raise EnvironmentFailure("git was not found", hint="install git 2.39 or newer") from missing
        except KeyboardInterrupt:
            _end_what_runs(watches)
            raise
    return Result(int(rc), bytes(out) if isinstance(out, (bytes, bytearray)) else str(out).encode(), str(err))


def _end_what_runs(older: Container[threading.Thread]) -> None:
    """End what the runner left behind: its git, and the watch over the time, which would keep us until it is up."""
    from coffee_hooks.base.process import end_companions

    for watch in threading.enumerate():
        if isinstance(watch, threading.Timer) and watch not in older:
            watch.cancel()
    end_companions()


def converse(argv: Sequence[str], env: Mapping[str, str]) -> Any:
    """Start git with a pipe at each end: GitPython's process, whose ``stdin`` and ``stdout`` are bytes."""
    from coffee_hooks.base.runner import runner

    found = runner()
    _tell(argv)
    return found.git().execute(list(argv), env=dict(env), istream=found.pipe, as_process=True)


def _tell(argv: Sequence[str]) -> None:
    for listen in trace:
        listen(argv)


@dataclass(frozen=True, slots=True)
class Repo:
    """One repository, seen from one of its worktrees. All paths are absolute.

    *common_dir* is shared by all worktrees, *top* is the worktree we were called in, *main* the first
    worktree (where the user works). *scratch* is an empty folder of ours that stands in for a worktree.
    """

    common_dir: Path
    top: Path
    main: Path
    version: tuple[int, int] = OLDEST_GIT
    attributes: Path | None = field(default=None, compare=False)
    """A folder holding the target's ``.gitattributes`` files, when it has some."""
    aside: Path | None = field(default=None, compare=False)
    """A folder for new objects that are not to come among the repository's own."""

    @property
    def state_dir(self) -> Path:
        """Our folder in the common dir: lock files, database, logs."""
        return self.common_dir / "coffee"

    @property
    def scratch(self) -> Path:
        """The empty folder in which object-database commands run."""
        return self.attributes or self.state_dir / "scratch"

    def objects(
        self,
        *args: str,
        stdin: bytes | None = None,
        ok: Sequence[int] = (0,),
        env: Mapping[str, str] | None = None,
    ) -> Result:
        """Run in the pinned context. Raises GitFailed unless the exit code is in *ok*."""
        argv, pinned = self.pinned(*args)
        return _checked(argv, execute(argv, env=pinned | dict(env or {}), stdin=stdin, seconds=None), ok)

    def pinned(self, *args: str) -> tuple[list[str], dict[str, str]]:
        """The argument list and the environment of a command in the pinned context."""
        scratch = self.scratch
        if not scratch.is_dir():
            scratch.mkdir(parents=True, exist_ok=True)
        places = {"GIT_DIR": str(self.common_dir), "GIT_WORK_TREE": str(scratch)}
        return ["git", "-C", str(scratch), *_PINS, *args], _PINNED | places | self.object_folders

    @property
    def object_folders(self) -> dict[str, str]:
        """What tells git where to write new objects; nothing unless that is *aside*."""
        if self.aside is None:
            return {}
        own = str(self.common_dir / "objects").replace("\\", "\\\\").replace('"', '\\"')
        return {"GIT_OBJECT_DIRECTORY": str(self.aside), "GIT_ALTERNATE_OBJECT_DIRECTORIES": f'"{own}"'}

    def network(
        self,
        *args: str,
        stdin: bytes | None = None,
        ok: Sequence[int] = (0,),
        seconds: float = NETWORK_SECONDS,
    ) -> Result:
        """Run with the user's credentials and a time limit, never asking at a terminal.

        In the main worktree, because the path of a remote may be relative to it.
        """
        env = {"GIT_DIR": str(self.common_dir), "GIT_TERMINAL_PROMPT": "0"}
        argv = ["git", "-C", str(self.main if self.main.is_dir() else self.common_dir), *_QUIET, *args]
        return _checked(argv, execute(argv, env=env, stdin=stdin, seconds=seconds), ok)


def in_worktree(
    folder: Path,
    *args: str,
    stdin: bytes | None = None,
    ok: Sequence[int] = (0,),
    env: Mapping[str, str] | None = None,
) -> Result:
    """Run in a checkout with the user's own configuration. A missing folder fails; it never means another one."""
    argv = ["git", "-C", str(folder.absolute()), *_QUIET, *args]
    return _checked(argv, execute(argv, env=dict(env or {}), stdin=stdin, seconds=None), ok)


def _checked(argv: Sequence[str], result: Result, ok: Sequence[int]) -> Result:
    if result.rc not in ok:
        raise GitFailed(argv, result)
    return result
