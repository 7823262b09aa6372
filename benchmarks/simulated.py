"""A gate that costs nothing, under the production train: what is tested, when it ends, and who lands.

Every run takes one unit of time. A verdict belongs to a tree, which is the set of branches on the target there, and the
rule for when it is final is that of `coffee_hooks.merge.gate`.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from coffee_hooks.merge.belief import History
from coffee_hooks.merge.gate import is_final, with_run
from coffee_hooks.merge.schedule import Queue
from coffee_hooks.merge.train import Answer, Landed, Probe, drive
from coffee_hooks.state.verdicts import Remembered, Verdict

BEFORE = 2000
"""So many branches were judged before where the history is known."""


@dataclass(frozen=True, slots=True)
class Case:
    """*n* branches, each bad alone with probability *p*, and *jobs* gates.

    *known*: whether there is a history. *flake*: how often a run is red for nothing. *retries*: confirmations of red.
    """

    p: float
    n: int
    jobs: int
    known: bool = True
    flake: float = 0.0
    retries: int = 0

    @property
    def history(self) -> History:
        """What the train knows when it starts."""
        bad = round(BEFORE * self.p)
        return History(BEFORE - bad, bad) if self.known else History()


@dataclass(slots=True)
class Sums:
    """Totals over many trains; *innocent* branches, and those of them that were *ejected*."""

    trains: int = 0
    runs: int = 0
    rounds: float = 0.0
    innocent: int = 0
    ejected: int = 0

    def add(self, other: Sums) -> None:
        """Count *other* in."""
        self.trains += other.trains
        self.runs += other.runs
        self.rounds += other.rounds
        self.innocent += other.innocent
        self.ejected += other.ejected


@dataclass(slots=True)
class Simulated:
    """The bench of one train. *runs* counts what was begun, so also a run that was stopped."""

    bad: frozenset[int]
    flake: float
    retries: int
    chance: random.Random
    now: float = 0.0
    runs: int = 0
    last: float = 0.0
    target: frozenset[int] = frozenset()
    refused: list[int] = field(default_factory=list)
    seen: dict[frozenset[int], Remembered] = field(default_factory=dict)
    answers: deque[tuple[Probe[int], Answer]] = field(default_factory=deque)
    running: list[tuple[float, Probe[int]]] = field(default_factory=list)
    """When each ends, which is in the order of their starts."""

    def start(self, probe: Probe[int]) -> Probe[int]:
        """As the production bench: a verdict that is known is no run, but one branch's red is confirmed."""
        known = self.seen.get(self._tree(probe))
        if known is not None and (is_final(known, self.retries) or len(probe.items) > 1):
            self.answers.append((probe, self._answer(known, probe)))
        else:
            self.runs += 1
            self.running.append((self.now + 1.0, probe))
        return probe

    def wait(self) -> tuple[Probe[int], Answer]:
        """The next end."""
        if self.answers:
            return self.answers.popleft()
        self.now, probe = self.running.pop(0)
        tree = self._tree(probe)
        red = not self.bad.isdisjoint(tree) or self.chance.random() < self.flake
        self.seen[tree] = with_run(self.seen.get(tree), Verdict.RED if red else Verdict.GREEN, 1.0, None)
        return probe, self._answer(self.seen[tree], probe)

    def stop(self, probe: Probe[int]) -> None:
        """Its gate is free at once."""
        self.answers = deque(each for each in self.answers if each[0] != probe)
        self.running = [each for each in self.running if each[1] != probe]

    def land(self, green: tuple[int, ...]) -> Landed[int]:
        """Only what was green as a whole may land."""
        self.target |= frozenset(green)
        if self.seen[self.target].verdict is not Verdict.GREEN:
            raise AssertionError("a tree landed that was not green")
        self.last = self.now
        return Landed()

    def settle(self, item: int, answer: Answer) -> None:
        """It is refused."""
        if answer is not Answer.BAD:
            raise AssertionError("there are no errors here")
        self.refused.append(item)
        self.last = self.now

    def _tree(self, probe: Probe[int]) -> frozenset[int]:
        return self.target.union(probe.accepted, probe.items)

    def _answer(self, known: Remembered, probe: Probe[int]) -> Answer:
        if known.verdict is Verdict.GREEN:
            return Answer.GREEN
        return Answer.BAD if len(probe.items) == 1 and is_final(known, self.retries) else Answer.RED


def draw(p: float, n: int, seed: int) -> frozenset[int]:
    """The bad ones: the same for every policy, history and number of gates."""
    chance = random.Random(f"{p} {n} {seed}")
    return frozenset(item for item in range(n) if chance.random() < p)


def simulate(case: Case, seeds: Sequence[int]) -> Sums:
    """One train for each of *seeds*."""
    sums = Sums()
    for seed in seeds:
        bad = draw(case.p, case.n, seed)
        bench = Simulated(bad, case.flake, case.retries, random.Random(f"flakes {seed}"))
        drive(Queue(tuple(range(case.n)), case.history), case.jobs, bench)
        everything = bench.target.union(bench.refused)
        if len(bench.target) + len(bench.refused) != case.n or len(everything) != case.n or bench.target & bad:
            raise AssertionError(f"not every branch was settled once: {case}, seed {seed}")
        innocent = case.n - len(bad)
        sums.add(Sums(1, bench.runs, bench.last, innocent, innocent - len(bench.target)))
    return sums
