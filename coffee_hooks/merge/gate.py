"""The gate: runs of the target's own command on one tree, and what may be concluded from several."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from coffee_hooks.base import output
from coffee_hooks.base.config import Command, Gate
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import End, Ended, end_marked, run
from coffee_hooks.base.project import Project
from coffee_hooks.base.trees import find_blob
from coffee_hooks.merge.candidate import Built
from coffee_hooks.merge.gate_clone import GateBroken, check_out, check_untouched, discard, gate_path
from coffee_hooks.state.verdicts import Remembered, Verdict, key, recall, remember

DISK_NEEDED = 16 * 1024 * 1024
LOG_TAIL = 8 * 1024

# Killed from outside, by itself or under a shell, which adds 128; a program that crashes is red.
_KILLED = frozenset((signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM))
_NO_COMMAND = frozenset((126, 127))
_DISK = re.compile(
    rb"No space left on device|Disk quota exceeded|File size limit exceeded|\bE(?:NOSPC|DQUOT|FBIG)\b|\[Errno 27\]"
)


class Outcome(Enum):
    """What one run of the gate showed."""

    GREEN = "green"
    RED = "red"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: *seconds* of wall time, the log, and for an ERROR why nothing can be concluded and what to type."""

    outcome: Outcome
    seconds: float
    log: Path | None
    why: str = ""
    hint: str = ""
    flaky: bool = False
    """Red first, and green on a later run of the same tree."""


class _Key(NamedTuple):
    """Where the verdict on a tree is kept, and what the kept files of a clone must have been made from."""

    ref: str
    stamp: str


@dataclass(slots=True)
class GateKeeper:
    """Runs the gate on candidates and counts the runs.

    *environment* is added to the gate's own, *furnish* copies into the clone what `worktrees.copy` names. *intervals*
    are (started, ended) of each run in UNIX seconds. *red_bases* are targets found red alone: while one of them counts,
    a candidate gets one run, which may be the repair, and no confirmations.
    """

    project: Project
    gate: Gate
    environment: Mapping[str, str]
    furnish: Callable[[Path], None]
    retest: bool = False
    red_bases: dict[Sha, Run] = field(default_factory=dict)
    intervals: list[tuple[float, float]] = field(default_factory=list)
    _keys: dict[Sha, _Key] = field(default_factory=dict)

    def judge(self, commit: Sha, built: Built) -> Run:
        """Green, or red on a green base after the confirmations, or an error that blames nobody.

        A remembered verdict is used unless *retest*. Finals are remembered; errors never are.
        """
        ref = self._key(built.tree).ref
        known = None if self.retest else recall(self.project.repo, ref)
        if known is not None:
            return Run(Outcome(known.verdict.value), known.seconds, Path(known.log) if known.log else None)
        tries, last = 1, self._run(commit, built.tree)
        confirmations = 0 if built.base_tree in self.red_bases else self.gate.retries
        while last.outcome is Outcome.RED and tries <= confirmations:
            tries, last = tries + 1, self._run(commit, built.tree)
        if last.outcome is Outcome.RED:
            alone = self._run_base(built)
            if alone.outcome is not Outcome.GREEN:
                why = alone.why or "the gate is red on the target itself, so no branch is blamed"
                return Run(Outcome.ERROR, last.seconds, alone.log, why, alone.hint or "repair the target first")
        if last.outcome is not Outcome.ERROR:
            log = str(last.log) if last.outcome is Outcome.RED else None
            remember(self.project.repo, ref, Remembered(Verdict(last.outcome.value), last.seconds, tries, log))
        return replace(last, flaky=last.outcome is Outcome.GREEN and tries > 1)

    def _run_base(self, built: Built) -> Run:
        """How the target is without the branch; a green that is remembered counts, a red one is tried again."""
        if built.base_tree in self.red_bases:
            return self.red_bases[built.base_tree]
        ref = self._key(built.base_tree).ref
        known = None if self.retest else recall(self.project.repo, ref)
        if known is not None and known.verdict is Verdict.GREEN:
            return Run(Outcome.GREEN, known.seconds, None)
        output.say("the gate was red: testing the target alone, to blame nobody wrongly")
        alone = self._run(built.base, built.base_tree)
        if alone.outcome is Outcome.GREEN:
            remember(self.project.repo, ref, Remembered(Verdict.GREEN, alone.seconds, 1, None))
        if alone.outcome is Outcome.RED:
            self.red_bases[built.base_tree] = alone
        return alone

    def _run(self, commit: Sha, tree: Sha) -> Run:
        started = time.time()
        log = self._log(tree)
        try:
            return self._run_in_clone(commit, tree, log)
        except GateBroken as broken:
            return Run(Outcome.ERROR, time.time() - started, log if log.exists() else None, broken.what, broken.hint)
        finally:
            self.intervals.append((started, time.time()))

    def _run_in_clone(self, commit: Sha, tree: Sha, log: Path) -> Run:
        path, stamp = gate_path(self.project), self._key(tree).stamp
        end_marked("COFFEE_WORKTREE", str(path))  # a gate whose merge was killed may still be at work here
        with _scratch(path) as scratch:
            variables = {**self.environment, "COFFEE_WORKTREE": str(path), "TMPDIR": str(scratch), "PWD": str(path)}
            ready = check_out(self.project, commit, self.gate.keep, stamp)
            self.furnish(path)
            if not ready.warm and self.gate.setup:
                done = self._command(self.gate.setup, path, variables, log)
                if done.end is not End.EXITED or done.rc != 0:
                    raise GateBroken(f"gate.setup failed; log: {log}", hint="repair gate.setup in .coffee.yaml")
            if not ready.warm and self.gate.keep:
                ready.clone.seal(stamp)
            ended = self._command(self.gate.command, path, variables, log)
            free = min(shutil.disk_usage(folder).free for folder in (path, scratch))
        check_untouched(ready, commit)
        outcome, why = conclude(ended, self.gate, free, _tail(log))
        return Run(outcome, ended.seconds, log, why, f"read {log}" if outcome is Outcome.ERROR else "")

    def _command(self, command: Command, path: Path, variables: Mapping[str, str], log: Path) -> Ended:
        try:
            return run(command, cwd=path, env=for_children(variables), log=log, seconds=self.gate.timeout)
        finally:
            end_marked("COFFEE_WORKTREE", str(path))

    def _log(self, tree: Sha) -> Path:
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{tree[:12]}-{time.monotonic_ns() % 1_000_000}.log"
        return self.project.repo.state_dir / "logs" / "gate" / name

    def _key(self, tree: Sha) -> _Key:
        if tree not in self._keys:
            found = {name: find_blob(self.project.repo, tree, name) for name in self.gate.environment}
            blobs = {name: entry.sha if entry else None for name, entry in found.items()}
            stamp = hashlib.sha256(repr((self.gate.setup, sorted(blobs.items()))).encode()).hexdigest()
            self._keys[tree] = _Key(key(tree, self.gate.command, blobs), stamp)
        return self._keys[tree]


@contextmanager
def _scratch(clone: Path) -> Iterator[Path]:
    """A temporary folder for one run in *clone*, named after it: what a killed run left goes with the next one.

    It is not beside the clone, because a test may rely on its temporary files being in no repository.
    """
    name = hashlib.sha256(os.fsencode(clone)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"coffee-gate-{os.getuid()}-{name}"
    discard(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        with suppress(OSError):
            discard(folder)


def _tail(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
            return file.read()
    except FileNotFoundError:
        return b""


def conclude(ended: Ended, gate: Gate, free_bytes: int, said: bytes) -> tuple[Outcome, str]:
    """What a finished run means: exit 0 green, else red, unless the machine is to blame. Pure.

    *free_bytes* is what was left on the disk, *said* the end of the log.
    """
    if ended.end is End.TIMED_OUT:
        return Outcome.ERROR, f"the gate did not end within {gate.timeout:.0f} s (gate.timeout)"
    if ended.end is not End.EXITED or ended.rc is None:
        return Outcome.ERROR, f"the gate command {gate.command[0]!r} was not found"
    if ended.rc == 0:
        return Outcome.GREEN, ""
    if ended.rc in _NO_COMMAND:
        return Outcome.ERROR, f"the gate could not run a command (exit code {ended.rc})"
    number = -ended.rc if ended.rc < 0 else ended.rc - 128
    if number in _KILLED:
        return Outcome.ERROR, f"the gate was killed by signal {number}"
    if number == signal.SIGXFSZ or free_bytes < DISK_NEEDED or _DISK.search(said):
        return Outcome.ERROR, "the gate was red and the disk is full, or a limit for files was met"
    return Outcome.RED, ""
