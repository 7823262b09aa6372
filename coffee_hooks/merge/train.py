"""The train: test sets of branches side by side, accept what is green, land it, until every branch is settled.

It decides nothing about git and runs no gate: a :class:`Bench` does, which the simulation of the scheduling replaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, Protocol

from coffee_hooks.merge.schedule import Item, Queue, plan


class Answer(Enum):
    """What a run of the gate on a set says. RED may be confirmed by a further run of the same set, BAD is final."""

    GREEN = "green"
    RED = "red"
    BAD = "bad"
    ERROR = "error"
    FROZEN = "frozen"
    """Nothing can be said of any branch: the target itself is red, or cannot be tested."""


@dataclass(frozen=True, slots=True)
class Probe(Generic[Item]):
    """*items* on top of *accepted*, which were green together before."""

    accepted: tuple[Item, ...]
    items: tuple[Item, ...]

    @property
    def whole(self) -> tuple[Item, ...]:
        """Everything that the candidate holds beyond the target."""
        return (*self.accepted, *self.items)


@dataclass(frozen=True, slots=True)
class Landed(Generic[Item]):
    """What became of accepted items: *again* must be tested again on what the target is now, all others are settled.

    *alone*: those in *again* must be landed one by one.
    """

    again: tuple[Item, ...] = ()
    alone: bool = False


class Bench(Protocol[Item]):
    """Where candidates are built, tested and landed."""

    def start(self, probe: Probe[Item]) -> Probe[Item]:
        """Begin to test *probe*; the answer is what was really begun: without those that cannot be merged there."""

    def wait(self) -> tuple[Probe[Item], Answer]:
        """Block until a probe that was started has its answer."""

    def stop(self, probe: Probe[Item]) -> None:
        """Its answer does not matter any more, and will not be waited for."""

    def land(self, green: tuple[Item, ...]) -> Landed[Item]:
        """Land the candidate of *green*, in this order."""

    def settle(self, item: Item, answer: Answer) -> None:
        """*item* will not land: it is BAD, or only an ERROR could be seen of it."""


def drive(queue: Queue[Item], jobs: int, bench: Bench[Item]) -> None:
    """Settle every item of *queue*, with at most *jobs* gates at a time."""
    train = _Train(queue, jobs, bench)
    while train.queue.items or train.accepted:
        train.stop_idle()
        train.land()
        train.start()
        if train.running:
            train.hear(*bench.wait())


@dataclass(slots=True)
class _Train(Generic[Item]):
    """What is not settled, what is *accepted* (green together, not landed yet), and the *running* gates."""

    queue: Queue[Item]
    jobs: int
    bench: Bench[Item]
    accepted: tuple[Item, ...] = ()
    running: list[Probe[Item]] = field(default_factory=list)

    def stop_idle(self) -> None:
        """Stop the gates whose answer is implied by what is known meanwhile."""
        for probe in [probe for probe in self.running if not self._matters(probe)]:
            self.running.remove(probe)
            self.bench.stop(probe)

    def land(self) -> None:
        """Land what is accepted, unless a running gate may let more land with it."""
        if not self.accepted or any(set(self.accepted) < set(probe.whole) for probe in self.running):
            return
        done = self.bench.land(self.accepted)
        self.accepted = ()
        if done.again:  # on another target, so nothing that was red is known to be so
            size, again = (1, ()) if done.alone else (self.queue.size, done.again)
            self.queue = Queue((*done.again, *self.queue.items), self.queue.history, size, again=again)

    def start(self) -> None:
        """Give every free gate the most useful set that none is testing."""
        if len(self.running) >= self.jobs:
            return
        testing = [frozenset(probe.whole) for probe in self.running]
        for items in plan(self.queue, self.jobs):
            if len(self.running) >= self.jobs:
                return
            if frozenset((*self.accepted, *items)) in testing:
                continue
            probe = self.bench.start(Probe(self.accepted, items))
            for item in set(items).difference(probe.items):
                self.queue = self.queue.drop(item)
            if probe.items:
                self.running.append(probe)

    def hear(self, ended: Probe[Item], answer: Answer) -> None:
        """Draw the conclusions from the end of a run."""
        self.running.remove(ended)
        items = tuple(item for item in ended.whole if item not in self.accepted)
        if answer is Answer.FROZEN:
            for probe in self.running:
                self.bench.stop(probe)
            self.running.clear()
            for item in self.queue.items:
                self.bench.settle(item, answer)
            self.queue = Queue(())
        elif answer is Answer.GREEN and self._waits(items):
            self.queue = self.queue.set_apart(items[0])
        elif answer is Answer.GREEN:
            self.queue = self.queue.accept(items)
            self.accepted = ended.whole
        elif len(items) == 1 and answer in (Answer.BAD, Answer.ERROR):
            self.bench.settle(items[0], answer)
            self.queue = self.queue.refuse(items[0]) if answer is Answer.BAD else self.queue.drop(items[0])
        else:
            self.queue = self.queue.suspect(items)

    def _waits(self, green: tuple[Item, ...]) -> bool:
        """Whether it is a single branch, and others were or are tested alone, to be accepted together with it."""
        if len(green) != 1 or green[0] in self.queue.apart:
            return False
        if any(green[0] in red and len(red) > 1 for red in self.queue.reds):  # then it tells of the others there
            return False
        return bool(self.queue.apart) or any(len(probe.items) == 1 for probe in self.running)

    def _matters(self, probe: Probe[Item]) -> bool:
        ahead = set(probe.whole)
        rest = ahead.difference(self.accepted)
        if not ahead.issuperset(self.accepted) or not rest or not rest.issubset(self.queue.items):
            return False
        return len(rest) == 1 or not self.queue.implied_red(rest)
