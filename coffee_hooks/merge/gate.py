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
from threading import Event
from typing import NamedTuple

from coffee_hooks.base.clone import discard
from coffee_hooks.base.config import Command, Gate
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import End, Ended, end_marked, run
from coffee_hooks.base.project import Project
from coffee_hooks.base.trees import find_blob
from coffee_hooks.merge.gate_clone import GateBroken, check_out, check_untouched, gate_path, gate_paths
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
    interval: tuple[float, float] = (0.0, 0.0)
    """When it and its preparation began and ended, in UNIX seconds."""


class _Key(NamedTuple):
    """Where the verdict on a tree is kept, and what the kept files of a clone must have been made from."""

    ref: str
    stamp: str


@dataclass(slots=True)
class GateKeeper:
    """Runs the gate on candidates, and knows every verdict on a tree.

    *furnish* copies into a clone what `worktrees.copy` names. *intervals* are (started, ended) of each run in UNIX
    seconds. With *retest* only what was seen by this keeper counts.
    """

    project: Project
    gate: Gate
    furnish: Callable[[Path], None]
    retest: bool = False
    intervals: list[tuple[float, float]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    """The refs of the verdicts that were remembered by this keeper."""
    _keys: dict[Sha, _Key] = field(default_factory=dict)
    _seen: dict[Sha, Remembered] = field(default_factory=dict)

    def known(self, tree: Sha) -> Remembered | None:
        """What is known of *tree*: of this keeper's own runs, else as it is remembered."""
        if tree not in self._seen and not self.retest:
            found = recall(self.project.repo, self._key(tree).ref, self.project.remote)
            if found is not None:
                self._seen[tree] = found
        return self._seen.get(tree)

    def turn_to(self, gate: Gate) -> None:
        """Judge by *gate* from now on; what another one said counts no more."""
        if gate != self.gate:
            self.gate = gate
            self._keys.clear()
            self._seen.clear()

    def final(self, verdict: Remembered) -> bool:
        """Whether it needs no further run: green is, red is after the confirmations."""
        return is_final(verdict, self.gate.retries)

    def saw(self, tree: Sha, run: Run) -> Remembered | None:
        """Add a finished *run* of *tree* to what is known; an ERROR adds nothing. It is not remembered yet."""
        if run.outcome is Outcome.ERROR:
            return self._seen.get(tree)
        verdict = Verdict(run.outcome.value)
        log = str(run.log) if verdict is Verdict.RED and run.log else None
        self._seen[tree] = with_run(self._seen.get(tree), verdict, run.seconds, log)
        return self._seen[tree]

    def ref_of(self, tree: Sha) -> str:
        """Where the verdict on *tree* is kept."""
        return self._key(tree).ref

    def believe(self, tree: Sha, verdict: Remembered) -> None:
        """Take over and remember what somebody else saw of *tree*."""
        self._seen[tree] = verdict
        self.keep(tree)

    def keep(self, tree: Sha) -> None:
        """Remember what was seen of *tree*. A red one only once its base is known to be green."""
        ref = self._key(tree).ref
        remember(self.project.repo, ref, self._seen[tree])
        self.written.append(ref)

    def run(self, commit: Sha, tree: Sha, number: int, environment: Mapping[str, str], stop: Event) -> Run:
        """Run the gate once on *commit* in clone *number*. When *stop* is set it ends early, as an ERROR."""
        started = time.time()
        log = self._log(tree)
        try:
            shown = self._run_in_clone(commit, tree, log, number, environment, stop)
        except GateBroken as broken:
            seen = log if log.exists() else None
            shown = Run(Outcome.ERROR, time.time() - started, seen, broken.what, broken.hint)
        finally:
            interval = (started, time.time())
            self.intervals.append(interval)
        return replace(shown, interval=interval)

    def _run_in_clone(
        self, commit: Sha, tree: Sha, log: Path, number: int, environment: Mapping[str, str], stop: Event
    ) -> Run:
        path, stamp = gate_path(self.project, number), self._key(tree).stamp
        ready = check_out(self.project, commit, self.gate.keep, stamp, number)
        self.furnish(path)
        with _scratch(path) as scratch:
            variables = {**environment, "COFFEE_WORKTREE": str(path), "TMPDIR": str(scratch), "PWD": str(path)}
            if not ready.warm and self.gate.setup:
                done = self._command(self.gate.setup, path, variables, log, stop)
                if done.end is not End.EXITED or done.rc != 0:
                    raise GateBroken(f"gate.setup failed; log: {log}", hint="repair gate.setup in .coffee.yaml")
            if not ready.warm and self.gate.keep:
                ready.clone.seal(stamp)
            ended = self._command(self.gate.command, path, variables, log, stop)
            free = min(shutil.disk_usage(folder).free for folder in (path, scratch))
        check_untouched(ready, commit)
        outcome, why = conclude(ended, self.gate, free, _tail(log))
        return Run(outcome, ended.seconds, log, why, f"read {log}" if outcome is Outcome.ERROR else "")

    def _command(self, command: Command, path: Path, variables: Mapping[str, str], log: Path, stop: Event) -> Ended:
        try:
            return run(command, cwd=path, env=for_children(variables), log=log, seconds=self.gate.timeout, stop=stop)
        finally:
            end_marked("COFFEE_WORKTREE", (str(path),))

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
    """A temporary folder for one run in *clone*, which is there, named after it: what a killed run left is found by it.

    It is not beside the clone, because a test may rely on its temporary files being in no repository.
    """
    folder = _scratch_of(clone)
    discard(folder)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        with suppress(OSError):
            discard(folder)


def _scratch_of(clone: Path) -> Path:
    name = hashlib.sha256(os.fsencode(clone)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"coffee-gate-{os.getuid()}-{name}"


def end_gates(project: Project) -> None:
    """End the gates that a killed merge left at work, however many there were, and remove their temporary folders."""
    paths = gate_paths(project)
    end_marked("COFFEE_WORKTREE", tuple(map(str, paths)))
    for path in paths:
        with suppress(OSError):
            discard(_scratch_of(path))


def _tail(log: Path) -> bytes:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - LOG_TAIL))
            return file.read()
    except FileNotFoundError:
        return b""


def is_final(known: Remembered, retries: int) -> bool:
    """Whether a tree needs no further run: green does not, red does not once it was confirmed. Pure."""
    return known.verdict is Verdict.GREEN or known.runs > retries


def with_run(before: Remembered | None, verdict: Verdict, seconds: float, log: str | None) -> Remembered:
    """What is known of a tree after one run more; flaky once its runs disagreed. Pure."""
    if before is None:
        return Remembered(verdict, seconds, 1, log)
    flaky = before.flaky or before.verdict is not verdict
    return Remembered(verdict, seconds, before.runs + 1, log, flaky)


def conclude(ended: Ended, gate: Gate, free_bytes: int, said: bytes) -> tuple[Outcome, str]:
    """What a finished run means: exit 0 green, else red, unless the machine is to blame. Pure.

    *free_bytes* is what was left on the disk, *said* the end of the log.
    """
    if ended.end is End.STOPPED:
        return Outcome.ERROR, "the gate was stopped"
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
