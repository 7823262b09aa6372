"""What the end of a gate run means for the train: whose fault it can be, and whether the target itself is green."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Event

from coffee_hooks.base import output
from coffee_hooks.base.text import printable
from coffee_hooks.merge.candidate import Chain, State, Work
from coffee_hooks.merge.gate import GateKeeper, Outcome, Run
from coffee_hooks.merge.session import Merging
from coffee_hooks.merge.train import Answer, Probe
from coffee_hooks.state.timings import Phase, Timing
from coffee_hooks.state.verdicts import Remembered, Verdict


@dataclass(slots=True)
class Judge:
    """Draws conclusions from the runs of *keeper*; *count* branches are in the train.

    *proven*: the target, or something on top of it, was green. *errors* are the last runs that were not green by
    branch, *frozen* is why nothing can be said of any.
    """

    session: Merging
    keeper: GateKeeper
    count: int = 0
    proven: bool = False
    frozen: Run | None = None
    errors: dict[Work, Run] = field(default_factory=dict)

    def answer(self, known: Remembered, probe: Probe[Work]) -> Answer:
        """What is known of the tree of *probe* says."""
        if known.verdict is Verdict.GREEN:
            self.proven = True
            return Answer.GREEN
        return Answer.BAD if len(probe.items) == 1 and self.keeper.final(known) else Answer.RED

    def judge(self, probe: Probe[Work], chain: Chain, number: int, run: Run) -> Answer:
        """What the end of a *run* of *chain* in clone *number* means."""
        tree = chain.end.tree
        tasks = " ".join(filter(None, (work.task for work in probe.whole)))
        names = " ".join(work.branch for work in probe.whole)
        known = self.keeper.saw(tree, run)
        flaky = run.outcome is Outcome.GREEN and known is not None and known.flaky
        self.session.note(Timing(tasks, names, Phase.GATE, *run.interval, "flaky" if flaky else run.outcome.value))
        if run.outcome is Outcome.GREEN:
            assert known is not None
            self.keeper.keep(tree)
            if known.flaky:
                shown = ", ".join(printable(work.branch) for work in probe.whole)
                output.say(f"flaky: the gate was red first and then green on the same tree ({shown})")
                self.session.flaky += [w.branch for w in probe.whole if w.branch not in self.session.flaky]
            return self.answer(known, probe)
        for work in probe.items:
            self.errors[work] = run
        if run.outcome is Outcome.ERROR:
            if self.count > 1 and not self.proven and (frozen := self._test_target(chain.base, number)):
                self.frozen = frozen
                return Answer.FROZEN
            return Answer.ERROR
        assert known is not None
        if not self.proven and len(probe.items) == 1 and not self.keeper.final(known):
            return Answer.RED  # confirmed first: a flaky gate is no reason to test the target
        if not self.proven and (frozen := self._test_target(chain.base, number)):
            self.frozen = frozen
            return Answer.FROZEN
        self.keeper.keep(tree)
        return self.answer(known, probe)

    def _test_target(self, state: State, number: int) -> Run | None:
        """Why nothing can be said of any branch, None when the target itself is green."""
        known = self.keeper.known(state.tree)
        if known is None or known.verdict is not Verdict.GREEN:
            output.say("the gate was not green: testing the target alone, to blame nobody wrongly")
            run = self._run_target(state, number)
            known = self.keeper.saw(state.tree, run)
            while run.outcome is Outcome.RED and known is not None and not self.keeper.final(known):
                run = self._run_target(state, number)
                known = self.keeper.saw(state.tree, run)
            if run.outcome is not Outcome.GREEN:
                why = run.why or "the gate is red on the target itself, so no branch is blamed"
                return replace(run, why=why, hint=run.hint or "repair the target first: coffee merge BRANCH lands one")
            self.keeper.keep(state.tree)
        self.proven = True
        return None

    def _run_target(self, state: State, number: int) -> Run:
        run = self.keeper.run(state.commit, state.tree, number, environment(self.session, state, ()), Event())
        self.session.note(Timing("", "", Phase.GATE, *run.interval, run.outcome.value))
        return run


def environment(session: Merging, base: State, works: Sequence[Work]) -> dict[str, str]:
    """What the gate is told of the candidate of *works* on *base*."""
    return {
        "COFFEE_TASK_ID": " ".join(filter(None, (work.task for work in works))),
        "COFFEE_BRANCH": " ".join(work.branch for work in works),
        "COFFEE_BASE_SHA": base.commit, "COFFEE_ROOT": str(session.project.repo.main),
    }  # fmt: skip
