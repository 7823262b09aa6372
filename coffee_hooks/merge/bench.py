"""Where a train is built, tested and landed: candidates in the object database, gates in clones, one push."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from coffee_hooks.base import output
from coffee_hooks.base.config import Config
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import GitFailed
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import config_at, require_identity
from coffee_hooks.base.remote import fetch, remote_tips
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.merge.belief import History
from coffee_hooks.merge.candidate import Builder, Chain, Refused, Work, builder_at
from coffee_hooks.merge.commits import commit_chain
from coffee_hooks.merge.gate import GateKeeper, Run
from coffee_hooks.merge.land import NotLanded, Pushing, land
from coffee_hooks.merge.record import Green
from coffee_hooks.merge.result import Depth, Result, moved, not_landed, refused_by, result_of
from coffee_hooks.merge.runs import Runs
from coffee_hooks.merge.schedule import Queue
from coffee_hooks.merge.session import Merging
from coffee_hooks.merge.suspects import Clash, clashes, touched
from coffee_hooks.merge.tips import Tips
from coffee_hooks.merge.train import Answer, Landed, Probe, drive
from coffee_hooks.merge.verdict import Judge, environment
from coffee_hooks.state.blame import Blame, blame, forgive
from coffee_hooks.state.landings import Landing, read_landings
from coffee_hooks.state.timings import Phase, Timing
from coffee_hooks.state.verdicts import Verdict

ATTEMPTS = 5
"""How often in a row a candidate is built and tested because the target moved under it."""
RECENT = 200
"""So many of the last landings say how often a branch is red here."""


class Bench:
    """Candidates, gates and landings of one train, all on the configuration of the target as it was at its start."""

    def __init__(self, merging: Merging, tips: Tips) -> None:
        self.merging, self.tips, self.project = merging, tips, merging.project
        self.identity = require_identity(self.project.repo)
        self.config = self._configuration()
        self.builder = self._builder()
        self.keeper = GateKeeper(self.project, self.config.gate, merging.furnish, merging.settings.retest)
        self.judge = Judge(merging, self.keeper)
        self.jobs = merging.settings.jobs or self.config.gate.jobs
        self.runs: Runs[Probe[Work]] = Runs(self.jobs)
        self.held: set[Work] = set()
        self.begun: dict[Work, float] = {}
        self.chains: dict[Probe[Work], Chain] = {}
        self.answers: deque[tuple[Probe[Work], Answer]] = deque()
        self.attempts, self.stale = 0, False
        self.doomed: NotLanded | None = None
        self.blamed: list[str] = []
        self.written: list[str] = []

    def run(self, pending: Sequence[Work]) -> None:
        """Settle all of *pending* but those that :attr:`held` has in the end."""
        self.begun = dict.fromkeys(pending, time.time())
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
        self.judge.count = len(works)
        asked = self.merging.settings.batch
        batch = self.config.merge.batch if asked is None else asked or None
        history = self._history() if batch is None and len(works) > 1 else History()
        drive(Queue(tuple(works), history, batch), self.jobs, self)

    # --- what the train asks for ------------------------------------------------------------------

    def start(self, probe: Probe[Work]) -> Probe[Work]:
        if self.doomed is not None:
            for work in probe.items:
                self._settle(work, not_landed(work, self.doomed))
            return replace(probe, items=())
        self.renew()
        chain, refused = self.builder.chain(probe.whole)
        for work in refused:
            self._leave_out(work)
        probe = replace(probe, items=tuple(work for work in probe.items if work not in refused))
        if not probe.items:
            return probe
        self.chains[probe] = chain
        known = self.keeper.known(chain.end.tree)
        if known is not None and (self.keeper.final(known) or len(probe.items) > 1):
            self.answers.append((probe, self.judge.answer(known, probe)))
            return probe
        told = environment(self.merging, chain.base, probe.whole)
        state = chain.end

        def test(number: int, stop: Event) -> Run:
            return self.keeper.run(state.commit, state.tree, number, told, stop)

        self.runs.start(probe, test)
        return probe

    def wait(self) -> tuple[Probe[Work], Answer]:
        if self.answers:
            return self.answers.popleft()
        probe, number, run = self.runs.wait()
        return probe, self.judge.judge(probe, self.chains[probe], number, run)

    def stop(self, probe: Probe[Work]) -> None:
        for waiting in list(self.answers):
            if waiting[0] == probe:
                self.answers.remove(waiting)
                return
        self.runs.stop(probe)

    def land(self, green: tuple[Work, ...]) -> Landed[Work]:
        chain, _ = self.builder.chain(green)
        if self.merging.settings.depth is Depth.CHECK:
            self._would_land(green, chain.end.tree)
            self.builder.base = self.merging.ahead = chain.end
            return Landed()
        pushing = self.merging.settings.pushing is Pushing.PUSH
        there = None
        if self.project.remote_ref and pushing and self.tips.on_the_remote(green):  # an owner may have pushed meanwhile
            there = remote_tips(self.project, [work.branch for work in green])
        gone = self.tips.moved(green, there)
        if gone:
            for work in gone:
                self._settle(work, moved(work))
            return Landed(tuple(work for work in green if work not in gone))
        return self._land(green, chain)

    def settle(self, item: Work, answer: Answer) -> None:
        if answer is Answer.BAD:
            self._blame(item)
            return
        run = self.judge.frozen if answer is Answer.FROZEN else self.judge.errors.get(item)
        assert run is not None
        self._settle(item, result_of(item, "error", reason=run.why, hint=run.hint or None, log=run.log))

    def _would_land(self, green: tuple[Work, ...], tree: Sha) -> None:
        known = self.keeper.known(tree)
        assert known is not None
        members = tuple((work.branch, work.tip) for work in green)
        self.merging.greens.append(Green(members, tree, self.keeper.ref_of(tree), known))
        for work in green:
            self._forgive(work)
            self._settle(work, result_of(work, "would-land"))

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
            return self._retry(green, done)
        if done.behind:
            output.say(done.behind)
        self.attempts, self.blamed = 0, []
        for work, member in zip(green, made.members, strict=True):
            self._forgive(work)
            self._settle(work, result_of(work, "landed", merge_commit=member.merge_commit))
        self._follow_target()
        return Landed()

    def _retry(self, green: tuple[Work, ...], done: NotLanded) -> Landed[Work]:
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
            self._settle(work, not_landed(work, done))
        return Landed()

    def _follow_target(self) -> None:
        self.merging.target = read_target(self.project)
        self.stale = True  # what follows is built on it, if anything does

    def renew(self) -> None:
        """Go on from where the target is now, if it moved."""
        if not self.stale:
            return
        self.stale = False
        self.config = self._configuration()
        self.keeper.turn_to(self.config.gate)
        self.judge.proven = False  # somebody else may have moved the target to something red
        self.builder = self._builder()

    def _configuration(self) -> Config:
        found = config_at(self.project.repo, self.merging.target.sha) or self.project.config
        if not found.gate.command:
            raise UsageError("no gate is configured, so nothing can be tested", hint="set gate.command in .coffee.yaml")
        return replace(found, target=self.project.config.target)

    def _builder(self) -> Builder:
        builder = builder_at(self.project.repo, self.merging.target.sha, self.config, self.identity)
        builder.base = self.merging.ahead or builder.base
        return builder

    def _history(self) -> History:
        recent = read_landings(self.project.repo)[-RECENT:]
        return History(sum(len(each.members) for each in recent), sum(len(each.blamed) for each in recent))

    # --- branches ---------------------------------------------------------------------------------

    def _leave_out(self, work: Work) -> None:
        """It cannot be merged here: on the target alone neither, or only not together with those before it."""
        alone = self.builder.alone(work)
        if isinstance(alone, Refused):
            self._settle(work, refused_by(work, alone, self.config.target))
        else:
            self.held.add(work)

    def _blame(self, work: Work) -> None:
        log = self.remember_red(work)
        if not work.reverts:
            self.blamed.append(work.branch)
        clash = self._clashes(work)
        why = "; ".join(["the gate is red with it, green without", *(each.sentence for each in clash)])
        hint = f"read {log}" if log else None
        suspects = tuple(each.branch for each in clash)
        self._settle(work, result_of(work, "gate-failed", reason=why, hint=hint, log=log, suspects=suspects))

    def remember_red(self, work: Work) -> Path | None:
        """Blame *work*; the log of the run that was red, where it ran here."""
        link = self.builder.alone(work)
        if isinstance(link, Refused):
            return None
        known = self.keeper.known(link.after.tree)
        log = Path(known.log) if known is not None and known.log else None
        if not work.reverts:
            found = Blame(work.tip, self.builder.base.commit, link.after.tree, str(log) if log else None)
            self.written.append(blame(self.project.repo, found))
        return log

    def conflicts(self, work: Work) -> tuple[str, ...]:
        """The paths in which *work* conflicts with the target."""
        link = self.builder.alone(work)
        return link.conflicts if isinstance(link, Refused) else ()

    def _clashes(self, work: Work) -> list[Clash]:
        landed = [w for w, result in self.merging.results.items() if result.outcome in ("landed", "would-land")]
        if not landed or work.reverts:
            return []
        seen = self.merging.touched
        try:
            for each in (work, *landed):
                if each not in seen:
                    seen[each] = touched(self.project.repo, self.merging.origin, each)
        except GitFailed:
            return []  # a hint is no reason to fail
        return clashes(seen[work], [seen[each] for each in landed])

    def _forgive(self, work: Work) -> None:
        if work.blamed:
            self.written.append(forgive(self.project.repo, work.tip, self.project.remote))

    def _settle(self, work: Work, result: Result) -> None:
        self.held.discard(work)
        if self.merging.settings.depth is Depth.LAND and work in self.begun and not work.reverts:
            said = f"{result.outcome}: {one_line(result.reason)}" if result.reason else result.outcome
            self.merging.note(Timing(work.task or "", work.branch, Phase.MERGE, self.begun[work], time.time(), said))
        self.merging.settle(work, result)
