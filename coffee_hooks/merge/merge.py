"""Merge one branch: candidate, gate, landing; rebuilt and tested again when somebody else was faster."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import CoffeeError, UsageError
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, config_at, require_identity
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.target import Target, fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.merge.candidate import Built, Refused, Work, build, commit, provisional
from coffee_hooks.merge.gate import GateKeeper, Outcome, Run
from coffee_hooks.merge.land import Landed, Pushing, land
from coffee_hooks.state.blame import Blame, blame, forgive
from coffee_hooks.state.landings import Landing, Member
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, record_timing

ATTEMPTS = 5
"""How often one branch is built and tested because the target moved under it."""


class Depth(Enum):
    """How far to go: to a landed commit, or only to a verdict."""

    LAND = "land"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the caller asked for."""

    depth: Depth = Depth.LAND
    pushing: Pushing = Pushing.PUSH
    retest: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """How one branch ended: an outcome of the contract, a sentence, and what to type next."""

    branch: str
    task: str | None
    sha: Sha
    outcome: str
    merge_commit: Sha | None = None
    reason: str | None = None
    hint: str | None = None
    conflicts: tuple[str, ...] = ()
    log: Path | None = None

    @property
    def good(self) -> bool:
        """Whether that is what was asked for."""
        return self.outcome in ("landed", "already-landed", "would-land")


@dataclass(slots=True)
class Merging:
    """One merge run: the target as it is now, and the gate's runs so far.

    *furnish* copies into a gate clone what `worktrees.copy` names. *gates* are (started, ended) in UNIX seconds.
    """

    project: Project
    store: Store
    settings: Settings
    proof: LockProof
    target: Target
    furnish: Callable[[Path], None]
    gates: list[tuple[float, float]] = field(default_factory=list)
    _red_bases: dict[Sha, Run] = field(default_factory=dict)
    _identity: dict[str, str] = field(default_factory=dict)

    def merge(self, work: Work) -> Result:
        """Take one branch as far as it goes.

        Raises EnvironmentFailure or UsageError when nothing could be decided, and nothing has moved.
        """
        started = time.time()
        tips = self._tips(work)
        if work.tip not in tips.values():
            return _moved(work)
        result = self._attempt(work, tips)
        for _ in range(ATTEMPTS - 1):
            if result.outcome != "moved" or self._tips(work) != tips:
                break
            output.say(f"{result.reason}: building and testing {printable(work.branch)} again")
            fetch(self.project)
            self.target = read_target(self.project)
            result = self._attempt(work, tips)
        if self.settings.depth is Depth.LAND:
            self._note(Timing(work.task or "", work.branch, Phase.MERGE, started, time.time(), result.outcome))
        return result

    def _attempt(self, work: Work, tips: dict[str, Sha]) -> Result:
        repo, base = self.project.repo, self.target.sha
        config = replace(config_at(repo, base) or self.project.config, target=self.project.config.target)
        if not config.gate.command:
            raise UsageError("no gate is configured, so nothing can be tested", hint="set gate.command in .coffee.yaml")
        built = build(repo, base, work, config)
        if isinstance(built, Refused):
            return _refused(work, built, config.target)
        if built.warning:
            output.say(f"warning: {printable(built.warning)}")
        verdict = self._judge(work, built, config)
        if verdict.outcome is Outcome.ERROR:
            return _result(work, "error", reason=verdict.why, hint=verdict.hint or None, log=verdict.log)
        if verdict.outcome is Outcome.RED:
            blame(repo, Blame(work.tip, base, built.tree, str(verdict.log) if verdict.log else None))
            why, hint = "the gate is red with it, green without", f"read {verdict.log}" if verdict.log else None
            return _result(work, "gate-failed", reason=why, hint=hint, log=verdict.log)
        if work.blamed:
            forgive(repo, work.tip)
        if self.settings.depth is Depth.CHECK:
            return _result(work, "would-land", log=verdict.log)
        return self._land(work, built, config, verdict, tips)

    def _judge(self, work: Work, built: Built, config: Config) -> Run:
        environment = {
            "COFFEE_TASK_ID": work.task or "", "COFFEE_BRANCH": work.branch, "COFFEE_BASE_SHA": built.base,
            "COFFEE_ROOT": str(self.project.repo.main),
        }  # fmt: skip
        keeper = GateKeeper(self.project, config.gate, environment, self.furnish, self.settings.retest, self._red_bases)
        verdict = keeper.judge(provisional(self.project.repo, built, work, self._who()), built)
        self.gates += keeper.intervals
        for started, ended in keeper.intervals:
            self._note(Timing(work.task or "", work.branch, Phase.GATE, started, ended, verdict.outcome.value))
        if verdict.flaky:
            output.say(f"flaky: the gate was red first and then green on the same tree ({printable(work.branch)})")
        return verdict

    def _land(self, work: Work, built: Built, config: Config, verdict: Run, tips: dict[str, Sha]) -> Result:
        if self.project.remote_ref and self._remote(work) in tips and self.settings.pushing is Pushing.PUSH:
            fetch(self.project)  # its owner may have pushed to it meanwhile
        if self._tips(work) != tips:
            return _moved(work)
        merged = commit(self.project.repo, built, work, config.gate.command, verdict.seconds, self._who())
        landing = Landing(
            config.target, built.base, merged, built.tree, (Member(work.task, work.branch, work.tip, merged),),
            config.gate.command, "green", int(time.time()),
        )  # fmt: skip
        done = land(self.project, self.target, landing, self._who(), self.settings.pushing, self.proof)
        if not isinstance(done, Landed):
            return _result(work, done.outcome, reason=done.detail, hint=done.hint)
        if done.behind:
            output.say(done.behind)
        self.target = read_target(self.project)
        return _result(work, "landed", merge_commit=merged)

    def _tips(self, work: Work) -> dict[str, Sha]:
        """Where the branch is, here and on the remote, as far as the refs here know."""
        return list_refs(self.project.repo, f"refs/heads/{work.branch}", self._remote(work))

    def _remote(self, work: Work) -> str:
        return f"refs/remotes/{self.project.remote or ''}/{work.branch}"

    def _who(self) -> dict[str, str]:
        if not self._identity:
            self._identity = require_identity(self.project.repo)
        return self._identity

    def _note(self, timing: Timing) -> None:
        """Timings are for the metrics only: no landing fails because one cannot be kept."""
        with suppress(CoffeeError):
            record_timing(self.store, timing)


def _result(
    work: Work, outcome: str, *, merge_commit: Sha | None = None, reason: str | None = None, hint: str | None = None,
    conflicts: tuple[str, ...] = (), log: Path | None = None,
) -> Result:  # fmt: skip
    return Result(work.branch, work.task, work.tip, outcome, merge_commit, reason, hint, conflicts, log)


def _moved(work: Work) -> Result:
    return _result(work, "moved", reason="the branch moved while it was tested", hint="run this again")


def _refused(work: Work, refused: Refused, target: str) -> Result:
    hints = {
        "conflict": f"git merge {target} in its worktree, resolve, commit, then run this again",
        "roadmap-duplicate": "remove one of the two entries on the branch",
    }
    hint = hints.get(refused.outcome)
    return _result(work, refused.outcome, reason=refused.detail, hint=hint, conflicts=refused.conflicts)
