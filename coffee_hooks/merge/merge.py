"""Merge branches: candidates, gate runs, landings; rebuilt and tested again when somebody else was faster."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from threading import Event

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import CoffeeError, UsageError
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import end_marked
from coffee_hooks.base.project import Project, config_at, require_identity
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.target import Target, fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.merge.belief import History
from coffee_hooks.merge.candidate import Builder, Chain, Refused, Work, builder_at
from coffee_hooks.merge.commits import commit_chain
from coffee_hooks.merge.gate import GateKeeper, Outcome, Run
from coffee_hooks.merge.gate_clone import gate_paths
from coffee_hooks.merge.land import NotLanded, Pushing, land
from coffee_hooks.merge.revert import conflict_hint
from coffee_hooks.merge.runs import Runs
from coffee_hooks.merge.schedule import Queue
from coffee_hooks.merge.suspects import Clash, Touched, clashes, touched
from coffee_hooks.merge.train import Answer, Landed, Probe, drive
from coffee_hooks.state.blame import Blame, blame, forgive
from coffee_hooks.state.landings import Landing, read_landings
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Phase, Timing, record_timing
from coffee_hooks.state.verdicts import Remembered, Verdict

ATTEMPTS = 5
"""How often in a row a candidate is built and tested because the target moved under it."""
RECENT = 200
"""So many of the last landings say how often a branch is red here."""


class Depth(Enum):
    """How far to go: to a landed commit, or only to a verdict."""

    LAND = "land"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the caller asked for. *batch* and *jobs* None: as it is configured; *batch* 0: the train chooses."""

    depth: Depth = Depth.LAND
    pushing: Pushing = Pushing.PUSH
    retest: bool = False
    batch: int | None = None
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How one branch ended: an outcome of the contract, a sentence, and what to type next.

    *suspects* are branches that landed just before and may not go together with it. *reverts* are the merge commits
    that were to be taken back; *merge_commit* is then the commit that does.
    """

    branch: str
    task: str | None
    sha: Sha
    outcome: str
    merge_commit: Sha | None = None
    reason: str | None = None
    hint: str | None = None
    conflicts: tuple[str, ...] = ()
    log: Path | None = None
    suspects: tuple[str, ...] = ()
    reverts: tuple[Sha, ...] = ()

    @property
    def good(self) -> bool:
        """Whether that is what was asked for."""
        return self.outcome in ("landed", "already-landed", "would-land")


@dataclass(slots=True)
class Merging:
    """One merge run: the target as it is now, what the gate said, and how each branch ended.

    *furnish* copies into a gate clone what `worktrees.copy` names. *tell* hears each result as soon as there is one.
    *flaky* are the branches of candidates whose runs disagreed.
    """

    project: Project
    store: Store
    settings: Settings
    proof: LockProof
    target: Target
    furnish: Callable[[Path], None]
    tell: Callable[[Result], None] = lambda _result: None
    results: dict[Work, Result] = field(default_factory=dict)
    flaky: list[str] = field(default_factory=list)
    gates: list[tuple[float, float]] = field(default_factory=list)
    touched: dict[Work, Touched] = field(default_factory=dict)
    origin: Sha = field(init=False)
    """Where the target was before anything landed."""

    def __post_init__(self) -> None:
        self.origin = self.target.sha

    def merge(self, works: Sequence[Work]) -> None:
        """Settle every one of *works*; :attr:`results` says how.

        Raises EnvironmentFailure or UsageError when nothing could be decided, and nothing has moved since the last
        result that was told.
        """
        tips = _Tips(self.project, works)
        pending = [work for work in works if self._at_its_tip(work, tips)]
        end_marked("COFFEE_WORKTREE", gate_paths(self.project))  # the gates of a merge that was killed
        while pending:
            bench = _Bench(self, tips)
            try:
                bench.run(pending)
            finally:
                bench.runs.finish()
                self.gates += bench.keeper.intervals
            pending = [work for work in pending if work in bench.held]

    def settle(self, work: Work, result: Result) -> None:
        """That is how it ended."""
        self.results[work] = result
        self.tell(result)

    def note(self, timing: Timing) -> None:
        """Timings are for the metrics only: no landing fails because one cannot be kept."""
        with suppress(CoffeeError):
            record_timing(self.store, timing)

    def _at_its_tip(self, work: Work, tips: _Tips) -> bool:
        if work.reverts or work.tip in tips.of(work).values():
            return True
        self.settle(work, _moved(work))
        return False


@dataclass(slots=True)
class _Tips:
    """Where the branches were when they were chosen, here and on the remote, as far as the refs here know."""

    project: Project
    works: Sequence[Work]
    _first: Mapping[str, Sha] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._first = self._read()

    def of(self, work: Work) -> dict[str, Sha]:
        """Those of one branch."""
        return {ref: sha for ref in self._refs(work) if (sha := self._first.get(ref))}

    def on_the_remote(self, works: Iterable[Work]) -> bool:
        """Whether an owner could have pushed to one of them meanwhile."""
        return any(self._refs(work)[-1] in self._first for work in works)

    def moved(self, works: Iterable[Work]) -> set[Work]:
        """Those that are not where they were."""
        now = self._read()
        landing = (work for work in works if not work.reverts)  # what landed is reverted, wherever the branch is now
        return {work for work in landing if any(now.get(ref) != self._first.get(ref) for ref in self._refs(work))}

    def _refs(self, work: Work) -> tuple[str, str]:
        return f"refs/heads/{work.branch}", f"refs/remotes/{self.project.remote or ''}/{work.branch}"

    def _read(self) -> dict[str, Sha]:
        return list_refs(self.project.repo, *(ref for work in self.works for ref in self._refs(work)))


class _Bench:
    """Candidates, gates and landings of one train, all on the configuration of the target as it was at its start."""

    def __init__(self, merging: Merging, tips: _Tips) -> None:
        self.merging, self.tips, self.project = merging, tips, merging.project
        self.identity = require_identity(self.project.repo)
        self.config = self._configuration()
        if not self.config.gate.command:
            raise UsageError("no gate is configured, so nothing can be tested", hint="set gate.command in .coffee.yaml")
        self.builder = self._builder()
        self.keeper = GateKeeper(self.project, self.config.gate, merging.furnish, merging.settings.retest)
        self.jobs = merging.settings.jobs or self.config.gate.jobs
        self.runs: Runs[Probe[Work]] = Runs(self.jobs)
        self.held: set[Work] = set()
        self.begun: dict[Work, float] = {}
        self.chains: dict[Probe[Work], Chain] = {}
        self.answers: deque[tuple[Probe[Work], Answer]] = deque()
        self.errors: dict[Work, Run] = {}
        self.attempts, self.proven, self.count = 0, False, 0
        self.doomed: NotLanded | None = None
        self.frozen: Run | None = None
        self.blamed: list[str] = []

    def run(self, pending: Sequence[Work]) -> None:
        """Settle all of *pending* but those that :attr:`held` has in the end."""
        chain, refused = self.builder.chain(pending)
        for work in refused:
            self._leave_out(work)
        works = list(chain.works)
        for at, link in enumerate(chain.links):
            if link.warning:
                output.say(f"warning: {printable(link.warning)}")
            if link.configures and at + 1 < len(works):  # what comes after it is judged by what it configures
                self.held.update(works[at + 1 :])
                works = works[: at + 1]
        self.count = len(works)
        self.begun = dict.fromkeys(works, time.time())
        asked = self.merging.settings.batch
        batch = self.config.merge.batch if asked is None else asked or None
        history = self._history() if batch is None and len(works) > 1 else History()
        drive(Queue(tuple(works), history, batch), self.jobs, self)

    # --- what the train asks for ------------------------------------------------------------------

    def start(self, probe: Probe[Work]) -> Probe[Work]:
        if self.doomed is not None:
            for work in probe.items:
                self._settle(work, _not_landed(work, self.doomed))
            return replace(probe, items=())
        chain, refused = self.builder.chain(probe.whole)
        for work in refused:
            self._leave_out(work)
        probe = replace(probe, items=tuple(work for work in probe.items if work not in refused))
        if not probe.items:
            return probe
        self.chains[probe] = chain
        known = self.keeper.known(chain.end.tree)
        if known is not None and (self.keeper.final(known) or len(probe.items) > 1):
            self.answers.append((probe, self._answer(known, probe)))
            return probe
        environment = self._environment(probe.whole)
        state = chain.end

        def test(number: int, stop: Event) -> Run:
            return self.keeper.run(state.commit, state.tree, number, environment, stop)

        self.runs.start(probe, test)
        return probe

    def wait(self) -> tuple[Probe[Work], Answer]:
        if self.answers:
            return self.answers.popleft()
        probe, number, run = self.runs.wait()
        return probe, self._judge(probe, number, run)

    def stop(self, probe: Probe[Work]) -> None:
        for waiting in list(self.answers):
            if waiting[0] == probe:
                self.answers.remove(waiting)
                return
        self.runs.stop(probe)

    def land(self, green: tuple[Work, ...]) -> Landed[Work]:
        chain, _ = self.builder.chain(green)
        if self.merging.settings.depth is Depth.CHECK:
            for work in green:
                self._forgive(work)
                log = self.keeper.known(chain.end.tree)
                path = Path(log.log) if log is not None and log.log else None
                self._settle(work, _result(work, "would-land", log=path))
            self.builder.base = chain.end
            return Landed()
        pushing = self.merging.settings.pushing is Pushing.PUSH
        if self.project.remote_ref and pushing and self.tips.on_the_remote(green):
            fetch(self.project)  # an owner may have pushed to one of them meanwhile
        moved = self.tips.moved(green)
        if moved:
            for work in moved:
                self._settle(work, _moved(work))
            return Landed(tuple(work for work in green if work not in moved))
        return self._land(green, chain)

    def settle(self, item: Work, answer: Answer) -> None:
        if answer is Answer.BAD:
            self._blame(item)
            return
        run = self.frozen if answer is Answer.FROZEN else self.errors.get(item)
        assert run is not None
        self._settle(item, _result(item, "error", reason=run.why, hint=run.hint or None, log=run.log))

    # --- the gate ---------------------------------------------------------------------------------

    def _answer(self, known: Remembered, probe: Probe[Work]) -> Answer:
        if known.verdict is Verdict.GREEN:
            self.proven = True
            return Answer.GREEN
        return Answer.BAD if len(probe.items) == 1 and self.keeper.final(known) else Answer.RED

    def _judge(self, probe: Probe[Work], number: int, run: Run) -> Answer:
        tree = self.chains[probe].end.tree
        started, ended = self.keeper.intervals[-1]
        tasks = " ".join(filter(None, (work.task for work in probe.whole)))
        names = " ".join(work.branch for work in probe.whole)
        self.merging.note(Timing(tasks, names, Phase.GATE, started, ended, run.outcome.value))
        known = self.keeper.saw(tree, run)
        if run.outcome is Outcome.GREEN:
            assert known is not None
            self.keeper.keep(tree)
            if known.flaky:
                shown = ", ".join(printable(work.branch) for work in probe.whole)
                output.say(f"flaky: the gate was red first and then green on the same tree ({shown})")
                self.merging.flaky += [w.branch for w in probe.whole if w.branch not in self.merging.flaky]
            return self._answer(known, probe)
        for work in probe.items:
            self.errors[work] = run
        if run.outcome is Outcome.ERROR:
            if self.count > 1 and not self.proven and (frozen := self._test_target(number)):
                self.frozen = frozen
                return Answer.FROZEN
            return Answer.ERROR
        assert known is not None
        if not self.proven and len(probe.items) == 1 and not self.keeper.final(known):
            return Answer.RED  # confirmed first: a flaky gate is no reason to test the target
        if not self.proven and (frozen := self._test_target(number)):
            self.frozen = frozen
            return Answer.FROZEN
        self.keeper.keep(tree)
        return self._answer(known, probe)

    def _test_target(self, number: int) -> Run | None:
        """Why nothing can be said of any branch, None when the target itself is green."""
        state = self.builder.base
        known = self.keeper.known(state.tree)
        if known is None or known.verdict is not Verdict.GREEN:
            output.say("the gate was not green: testing the target alone, to blame nobody wrongly")
            run = self.keeper.run(state.commit, state.tree, number, self._environment(()), Event())
            known = self.keeper.saw(state.tree, run)
            while run.outcome is Outcome.RED and known is not None and not self.keeper.final(known):
                run = self.keeper.run(state.commit, state.tree, number, self._environment(()), Event())
                known = self.keeper.saw(state.tree, run)
            if run.outcome is not Outcome.GREEN:
                why = run.why or "the gate is red on the target itself, so no branch is blamed"
                return replace(run, why=why, hint=run.hint or "repair the target first: coffee merge BRANCH lands one")
            self.keeper.keep(state.tree)
        self.proven = True
        return None

    def _environment(self, works: Sequence[Work]) -> dict[str, str]:
        return {
            "COFFEE_TASK_ID": " ".join(filter(None, (work.task for work in works))),
            "COFFEE_BRANCH": " ".join(work.branch for work in works),
            "COFFEE_BASE_SHA": self.builder.base.commit, "COFFEE_ROOT": str(self.project.repo.main),
        }  # fmt: skip

    # --- the target -------------------------------------------------------------------------------

    def _land(self, green: tuple[Work, ...], chain: Chain) -> Landed[Work]:
        known = self.keeper.known(chain.end.tree)
        assert known is not None and known.verdict is Verdict.GREEN
        command = self.config.gate.command
        made = commit_chain(self.project.repo, chain, command, known.seconds, self.identity)
        landing = Landing(
            self.config.target, chain.base.commit, made.after, chain.end.tree, made.members, command, "green",
            int(time.time()), tuple(self.blamed),
        )  # fmt: skip
        merging = self.merging
        done = land(self.project, merging.target, landing, self.identity, merging.settings.pushing, merging.proof)
        if isinstance(done, NotLanded):
            return self._not_landed(green, done)
        if done.behind:
            output.say(done.behind)
        self.attempts, self.blamed = 0, []
        for work, member in zip(green, made.members, strict=True):
            self._forgive(work)
            self._settle(work, _result(work, "landed", merge_commit=member.merge_commit))
        self._follow_target()
        return Landed()

    def _not_landed(self, green: tuple[Work, ...], done: NotLanded) -> Landed[Work]:
        if done.outcome == "target-dirty" and len(green) > 1:
            return Landed(green, alone=True)
        if done.outcome == "moved":
            self.attempts += 1
            if self.attempts < ATTEMPTS:
                names = ", ".join(printable(work.branch) for work in green)
                output.say(f"{done.detail}: building and testing {names} again")
                fetch(self.project)
                self._follow_target()
                return Landed(green)
        elif done.outcome == "error":
            self.doomed = done
        for work in green:
            self._settle(work, _not_landed(work, done))
        return Landed()

    def _follow_target(self) -> None:
        self.merging.target = read_target(self.project)
        self.config = self._configuration()
        self.keeper.gate = self.config.gate
        self.builder = self._builder()

    def _configuration(self) -> Config:
        found = config_at(self.project.repo, self.merging.target.sha) or self.project.config
        return replace(found, target=self.project.config.target)

    def _builder(self) -> Builder:
        return builder_at(self.project.repo, self.merging.target.sha, self.config, self.identity)

    def _history(self) -> History:
        recent = read_landings(self.project.repo)[-RECENT:]
        return History(sum(len(each.members) for each in recent), sum(len(each.blamed) for each in recent))

    # --- branches ---------------------------------------------------------------------------------

    def _leave_out(self, work: Work) -> None:
        """It cannot be merged here: on the target alone neither, or only not together with those before it."""
        alone = self.builder.alone(work)
        if isinstance(alone, Refused):
            self._settle(work, _refused(work, alone, self.config.target))
        else:
            self.held.add(work)

    def _blame(self, work: Work) -> None:
        base, link = self.builder.base, self.builder.alone(work)
        assert not isinstance(link, Refused)
        known = self.keeper.known(link.after.tree)
        log = Path(known.log) if known is not None and known.log else None
        if not work.reverts:
            blame(self.project.repo, Blame(work.tip, base.commit, link.after.tree, str(log) if log else None))
            self.blamed.append(work.branch)
        clash = self._clashes(work)
        why = "; ".join(["the gate is red with it, green without", *(each.sentence for each in clash)])
        hint = f"read {log}" if log else None
        suspects = tuple(each.branch for each in clash)
        self._settle(work, _result(work, "gate-failed", reason=why, hint=hint, log=log, suspects=suspects))

    def _clashes(self, work: Work) -> list[Clash]:
        landed = [w for w, result in self.merging.results.items() if result.outcome in ("landed", "would-land")]
        if not landed or work.reverts:
            return []
        seen = self.merging.touched
        for each in (work, *landed):
            if each not in seen:
                seen[each] = touched(self.project.repo, self.merging.origin, each)
        return clashes(seen[work], [seen[each] for each in landed])

    def _forgive(self, work: Work) -> None:
        if work.blamed:
            forgive(self.project.repo, work.tip)

    def _settle(self, work: Work, result: Result) -> None:
        self.held.discard(work)
        if self.merging.settings.depth is Depth.LAND and work in self.begun:
            self.merging.note(
                Timing(work.task or "", work.branch, Phase.MERGE, self.begun[work], time.time(), result.outcome)
            )
        self.merging.settle(work, result)


def _result(
    work: Work, outcome: str, *, merge_commit: Sha | None = None, reason: str | None = None, hint: str | None = None,
    conflicts: tuple[str, ...] = (), log: Path | None = None, suspects: tuple[str, ...] = (),
) -> Result:  # fmt: skip
    return Result(
        work.branch, work.task, work.tip, outcome, merge_commit, reason, hint, conflicts, log, suspects, work.reverts
    )  # fmt: skip


def _moved(work: Work) -> Result:
    return _result(work, "moved", reason="the branch moved while it was tested", hint="run this again")


def _not_landed(work: Work, done: NotLanded) -> Result:
    return _result(work, done.outcome, reason=done.detail, hint=done.hint)


def _refused(work: Work, refused: Refused, target: str) -> Result:
    hints = {
        "conflict": conflict_hint(work, target),
        "roadmap-duplicate": "remove one of the two entries on the branch",
    }
    hint = hints.get(refused.outcome)
    return _result(work, refused.outcome, reason=refused.detail, hint=hint, conflicts=refused.conflicts)
