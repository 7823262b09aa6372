"""The gate: one run of the target's own command on one tree, and what may be concluded from several."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.config import Gate
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import End, Ended, run
from coffee_hooks.base.project import Project
from coffee_hooks.base.trees import find_blob
from coffee_hooks.merge.gate_clone import (
    GateBroken,
    check_out,
    check_untouched,
    ensure_clone,
    gate_path,
    log_file,
    setup_done,
    setup_needed,
    setup_stamp,
)  # fmt: skip
from coffee_hooks.state.verdicts import Remembered, Verdict, key, recall, remember

_ENVIRONMENT_SIGNALS = frozenset((-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP))
_NO_COMMAND = frozenset((126, 127))
DISK_NEEDED = 16 * 1024 * 1024


class Outcome(Enum):
    """What one run of the gate showed."""

    GREEN = "green"
    RED = "red"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Run:
    """One run: *seconds* of wall time, the log, and for an ERROR why nothing can be concluded."""

    outcome: Outcome
    seconds: float
    log: Path | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a tree. *flaky*: it was red first and green on a later run of the same tree."""

    outcome: Outcome
    seconds: float
    log: Path | None
    why: str = ""
    flaky: bool = False


@dataclass(slots=True)
class GateKeeper:
    """Runs gates for one merge and counts them; *green_bases* are trees already known to be green."""

    project: Project
    gate: Gate
    environment: Mapping[str, str]
    retest: bool = False
    runs: int = 0
    seconds: float = 0.0
    intervals: list[tuple[float, float]] = field(default_factory=list)

    def known(self, repo: Repo, tree: Sha) -> Remembered | None:
        """The remembered verdict on *tree*."""
        return recall(repo, self._key(repo, tree)[0])

    def judge(self, repo: Repo, commit: Sha, tree: Sha, base: Sha, base_tree: Sha) -> Judgement:
        """Green, or red on a green base after the confirmations, or an error that blames nobody.

        A remembered verdict is used unless *retest*. Finals are remembered; errors never are.
        """
        ref, _ = self._key(repo, tree)
        remembered = None if self.retest else recall(repo, ref)
        if remembered is not None:
            outcome = Outcome(remembered.verdict.value)
            return Judgement(outcome, remembered.seconds, Path(remembered.log) if remembered.log else None)
        tries, last = 1, self.run_once(repo, commit, tree)
        while last.outcome is Outcome.RED and tries <= self.gate.retries:
            tries, last = tries + 1, self.run_once(repo, commit, tree)
        if last.outcome is Outcome.GREEN:
            remember(repo, ref, Remembered(Verdict.GREEN, last.seconds, tries, None))
            return Judgement(Outcome.GREEN, last.seconds, last.log, flaky=tries > 1)
        if last.outcome is Outcome.ERROR:
            return Judgement(Outcome.ERROR, last.seconds, last.log, last.why)
        if not self._base_is_green(repo, base, base_tree):
            return Judgement(
                Outcome.ERROR, last.seconds, last.log, "the gate is red on the target itself, so no branch is blamed"
            )
        remember(repo, ref, Remembered(Verdict.RED, last.seconds, tries, str(last.log) if last.log else None))
        return Judgement(Outcome.RED, last.seconds, last.log)

    def _base_is_green(self, repo: Repo, base: Sha, tree: Sha) -> bool:
        ref, _ = self._key(repo, tree)
        remembered = recall(repo, ref)
        if remembered is not None and remembered.verdict is Verdict.GREEN:
            return True
        output.say("the gate was red: testing the target alone, to blame nobody wrongly")
        first = self.run_once(repo, base, tree)
        if first.outcome is Outcome.GREEN:
            remember(repo, ref, Remembered(Verdict.GREEN, first.seconds, 1, None))
        return first.outcome is Outcome.GREEN

    def run_once(self, repo: Repo, commit: Sha, tree: Sha) -> Run:
        """Check out *commit* in the gate's clone and run the command there."""
        path = gate_path(self.project)
        log = log_file(self.project, tree)
        self.runs += 1
        started = time.time()
        with tempfile.TemporaryDirectory(prefix="coffee-gate-", ignore_cleanup_errors=True) as scratch:
            variables = {**self.environment, "COFFEE_WORKTREE": str(path), "TMPDIR": scratch, "PWD": str(path)}
            try:
                ensure_clone(self.project, path)
                check_out(path, commit, self.gate.keep)
                self._prepare(repo, tree, path, log, variables)
                ended = run(
                    self.gate.command, cwd=path, env=for_children(variables), log=log, seconds=self.gate.timeout
                )
                check_untouched(path, commit, "after the gate")
            except GateBroken as broken:
                return Run(Outcome.ERROR, time.time() - started, log, broken.what)
        self.seconds += ended.seconds
        self.intervals.append((started, time.time()))
        outcome, why = conclude(ended, self.gate, shutil.disk_usage(path).free)
        return Run(outcome, ended.seconds, log, why)

    def _prepare(self, repo: Repo, tree: Sha, path: Path, log: Path, variables: Mapping[str, str]) -> None:
        for name in self.project.config.worktrees.copy:
            source = self.project.repo.main / name
            if (
                source.is_file()
                and not (path / name).exists()
                and (path / name).resolve().is_relative_to(path.resolve())
            ):
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, path / name)
        stamp = setup_stamp(self.gate, self._key(repo, tree)[1])
        if not setup_needed(path, self.gate, stamp):
            return
        ended = run(self.gate.setup, cwd=path, env=for_children(variables), log=log, seconds=self.gate.timeout)
        if ended.end is not End.EXITED or ended.rc != 0:
            raise GateBroken(f"gate.setup failed; log: {log}", hint="repair gate.setup in .coffee.yaml")
        setup_done(path, stamp)

    def _key(self, repo: Repo, tree: Sha) -> tuple[str, dict[str, Sha | None]]:
        found = {name: find_blob(repo, tree, name) for name in self.gate.environment}
        blobs = {name: entry.sha if entry else None for name, entry in found.items()}
        return key(tree, self.gate.command, blobs), blobs


def conclude(ended: Ended, gate: Gate, free_bytes: int) -> tuple[Outcome, str]:
    """What a finished run means: exit 0 green, else red, unless the machine is to blame. Pure."""
    if ended.end is End.TIMED_OUT:
        return Outcome.ERROR, f"the gate did not end within {gate.timeout:.0f} s (gate.timeout)"
    if ended.end is not End.EXITED or ended.rc is None:
        return Outcome.ERROR, f"the gate command {gate.command[0]!r} was not found"
    if ended.rc == 0:
        return Outcome.GREEN, ""
    if ended.rc in _NO_COMMAND:
        return Outcome.ERROR, f"the gate could not run a command (exit code {ended.rc})"
    if ended.rc in _ENVIRONMENT_SIGNALS:
        return Outcome.ERROR, f"the gate was killed by signal {-ended.rc}"
    if free_bytes < DISK_NEEDED:
        return Outcome.ERROR, "the disk is full"
    return Outcome.RED, ""
