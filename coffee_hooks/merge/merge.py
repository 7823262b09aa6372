"""Merge one branch: candidate, gate, landing; rebuilt and tested again when somebody else was faster."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, config_at, require_identity
from coffee_hooks.base.refs import read_blobs, read_ref
from coffee_hooks.base.target import Target, fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.merge.candidate import Built, Refused, Work, build, commit, provisional
from coffee_hooks.merge.checkout import contains
from coffee_hooks.merge.gate import GateKeeper, Judgement, Outcome
from coffee_hooks.merge.land import Landed, Pushing, land
from coffee_hooks.sources.plan import ROADMAPS
from coffee_hooks.state.blame import Blame, blame, forgive
from coffee_hooks.state.landings import Landing, Member
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, record_timing

ATTEMPTS = 5
"""How often one branch is rebuilt because the target moved under it."""


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
    """One merge run: the target as it is now, the gate's runs so far, and what is still true of the remote."""

    project: Project
    store: Store
    settings: Settings
    proof: LockProof
    target: Target
    gate_runs: int = 0
    gate_intervals: list[tuple[float, float]] = field(default_factory=list)

    def merge(self, work: Work) -> Result:
        """Take one branch as far as it goes. Raises EnvironmentFailure or UsageError when nothing could be decided."""
        started = time.time()
        for _ in range(ATTEMPTS):
            result = self._attempt(work)
            if result.outcome != "moved":
                break
            if read_ref(self.project.repo, f"refs/heads/{work.branch}") not in (None, work.tip):
                return replace(result, reason=f"{printable(work.branch)} moved while it was tested")
            output.say(f"{result.reason}: building and testing {printable(work.branch)} again")
            fetch(self.project)
            self.target = read_target(self.project)
        if self.settings.depth is Depth.LAND:
            timing = Timing(work.task or "", work.branch, Phase.MERGE, started, time.time(), result.outcome)
            record_timing(self.store, timing)
        return result

    def _attempt(self, work: Work) -> Result:
        repo, base = self.project.repo, self.target.sha
        config = config_at(repo, base) or self.project.config
        if not config.gate.command:
            raise UsageError("no gate is configured, so nothing can be tested", hint="set gate.command in .coffee.yaml")
        built = build(repo, base, work, roadmap_path(self.project, config, base), marking=config.merge.mark_complete)
        if isinstance(built, Refused):
            return _refused(work, built, config.target)
        if built.warning:
            output.say(f"warning: {built.warning}")
        judgement = self._judge(work, built, config)
        if judgement.outcome is Outcome.ERROR:
            return Result(work.branch, work.task, work.tip, "error", reason=judgement.why, log=judgement.log)
        if judgement.outcome is Outcome.RED:
            log = judgement.log
            blame(repo, Blame(work.tip, base, built.tree, str(log) if log else None))
            return Result(
                work.branch, work.task, work.tip, "gate-failed", reason="the gate is red with it, green without",
                hint=f"read {log}" if log else None, log=log,
            )  # fmt: skip
        forgive(repo, work.tip)
        if self.settings.depth is Depth.CHECK:
            return Result(work.branch, work.task, work.tip, "would-land", log=judgement.log)
        return self._land(work, built, config, judgement)

    def _judge(self, work: Work, built: Built, config: Config) -> Judgement:
        repo = self.project.repo
        identity = require_identity(repo)
        base_tree = Sha(repo.objects("rev-parse", f"{built.base}^{{tree}}").text)
        environment = {
            "COFFEE_TASK_ID": work.task or "", "COFFEE_BRANCH": work.branch, "COFFEE_ROOT": str(repo.main),
            "COFFEE_BASE_SHA": built.base,
        }  # fmt: skip
        keeper = GateKeeper(self.project, config.gate, environment, self.settings.retest)
        tested = provisional(repo, built, work, identity)
        judgement = keeper.judge(repo, tested, built.tree, built.base, base_tree)
        self.gate_runs += keeper.runs
        self.gate_intervals += keeper.intervals
        for started, ended in keeper.intervals:
            timing = Timing(work.task or "", work.branch, Phase.GATE, started, ended, judgement.outcome.value)
            record_timing(self.store, timing)
        if judgement.flaky:
            output.say(f"flaky: the gate was red first and then green on the same tree ({printable(work.branch)})")
        return judgement

    def _land(self, work: Work, built: Built, config: Config, judgement: Judgement) -> Result:
        repo = self.project.repo
        tip = read_ref(repo, f"refs/heads/{work.branch}")
        if tip not in (None, work.tip):
            return Result(work.branch, work.task, work.tip, "moved", reason="the branch moved while it was tested")
        identity = require_identity(repo)
        merged = commit(repo, built, work, config.gate.command, judgement.seconds, identity)
        landing = Landing(
            config.target, built.base, merged, built.tree, (Member(work.task, work.branch, work.tip, merged),),
            config.gate.command, "green", int(time.time()),
        )  # fmt: skip
        done = land(self.project, self.target, landing, identity, self.settings.pushing, self.proof)
        if not isinstance(done, Landed):
            if done.outcome == "unreachable":
                return self._after_lost_answer(work, merged, done.detail)
            return Result(work.branch, work.task, work.tip, done.outcome, reason=done.detail, hint=_hint(done.outcome))
        if done.behind:
            output.say(done.behind)
        self.target = read_target(self.project)
        return Result(work.branch, work.task, work.tip, "landed", merge_commit=merged)

    def _after_lost_answer(self, work: Work, merged: Sha, detail: str) -> Result:
        """The push may have been accepted although its answer was lost; the remote alone knows."""
        try:
            fetch(self.project)
        except EnvironmentFailure as gone:
            return Result(work.branch, work.task, work.tip, "error", reason=detail, hint=gone.hint)
        self.target = read_target(self.project)
        if contains(self.project.repo, self.target.remote, merged):
            return Result(work.branch, work.task, work.tip, "landed", merge_commit=merged)
        return Result(work.branch, work.task, work.tip, "error", reason=detail, hint="run this again")


def _refused(work: Work, refused: Refused, target: str) -> Result:
    hints = {
        "conflict": f"git merge {target} in its worktree, resolve, commit, then run this again",
        "roadmap-duplicate": "remove one of the two entries on the branch",
    }
    return Result(
        work.branch, work.task, work.tip, refused.outcome, reason=refused.detail, hint=hints.get(refused.outcome),
        conflicts=refused.conflicts,
    )  # fmt: skip


def _hint(outcome: str) -> str | None:
    return "commit or move the local edits, then run this again" if outcome == "target-dirty" else None


def roadmap_path(project: Project, config: Config, base: Sha) -> str | None:
    """The roadmap file of *base*, None when it has none."""
    wanted: Sequence[str] = (config.roadmap,) if config.roadmap else ROADMAPS
    found = read_blobs(project.repo, [f"{base}:{path}" for path in wanted if "\n" not in path])
    return next((path for path in wanted if Sha(f"{base}:{path}") in found), None)
