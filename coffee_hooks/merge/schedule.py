"""Which branches to test together next, so that all are judged in as few gate runs as theory allows. Pure.

With one gate this is the nested group test that codes a geometric source: a batch is as large as makes green and red
equally likely (S. W. Golomb, Run-length encodings, 1966), and a red batch is split where its first bad branch is as
likely before as behind (M. Sobel, P. A. Groll, Group testing to eliminate efficiently all defectives, 1959). What was
green is accepted at once and every later batch is tested on top of it, so the remainder of a red batch is known to be
red without a run of its own. With several gates the further runs are those that settle most branches in expectation:
beginnings of the same order, and the whole without one branch.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from coffee_hooks.merge.belief import Belief, History, believe

Item = TypeVar("Item", bound=Hashable)

WORTHWHILE = 0.05
"""A further run beside the first must be expected to settle at least so many branches."""
HORIZON = 128
"""How far ahead further runs are planned."""


@dataclass(frozen=True, slots=True)
class Queue(Generic[Item]):
    """What is not settled yet, in order. Every set of *reds* was red together on what is accepted.

    *history* counts what was settled, here and before. *size* fixes the batches, None chooses. *again* were green
    together on a target that has moved since. *tried*: a first run has said something.
    """

    items: tuple[Item, ...]
    history: History = field(default_factory=History)
    size: int | None = None
    reds: tuple[frozenset[Item], ...] = ()
    again: tuple[Item, ...] = ()
    tried: bool = False

    @property
    def suspects(self) -> tuple[Item, ...]:
        """The smallest set that is known to be red, in order; empty when none is."""
        if not self.reds:
            return ()
        place = {item: at for at, item in enumerate(self.items)}
        sizes = [(len(red), min(place[item] for item in red), number) for number, red in enumerate(self.reds)]
        return self.ordered(self.reds[min(sizes)[2]])

    def ordered(self, chosen: Iterable[Item]) -> tuple[Item, ...]:
        """*chosen* in the order of the queue."""
        wanted = set(chosen)
        return tuple(item for item in self.items if item in wanted)

    def accept(self, green: Iterable[Item]) -> Queue[Item]:
        """*green* were green together, so they come before everything that is tested from now on."""
        gone = frozenset(green)
        history = replace(self.history, good=self.history.good + len(gone.intersection(self.items)))
        return replace(self._without(gone), history=history)

    def refuse(self, item: Item) -> Queue[Item]:
        """*item* is red alone on what is accepted."""
        reds = tuple(red for red in self.reds if item not in red)
        history = replace(self.history, bad=self.history.bad + 1)
        return replace(replace(self, reds=reds)._without(frozenset((item,))), history=history)

    def drop(self, item: Item) -> Queue[Item]:
        """Nothing can be said of *item* now; a red set that held it says nothing of the others."""
        reds = tuple(red for red in self.reds if item not in red)
        return replace(self, reds=reds)._without(frozenset((item,)))

    def suspect(self, red: Iterable[Item]) -> Queue[Item]:
        """*red* were red together."""
        found = frozenset(red)
        if not found or any(known <= found for known in self.reds):
            return self
        return replace(self, reds=(*(known for known in self.reds if not found < known), found), tried=True)

    def _without(self, gone: frozenset[Item]) -> Queue[Item]:
        reds: tuple[frozenset[Item], ...] = ()
        for red in sorted((red - gone for red in self.reds), key=len):
            if red and not any(known <= red for known in reds):
                reds = (*reds, red)
        keep = tuple(item for item in self.items if item not in gone)
        again = tuple(item for item in self.again if item not in gone)
        return replace(self, items=keep, reds=reds, again=again, tried=True)

    def implied_red(self, chosen: Iterable[Item]) -> bool:
        """Whether a run of *chosen* is already known to be red."""
        found = frozenset(chosen)
        return any(red <= found for red in self.reds)


def plan(queue: Queue[Item], jobs: int) -> tuple[tuple[Item, ...], ...]:
    """The sets to test now, the most useful first, at most *jobs*; each on top of what is accepted.

    A set of one that is known to be red is to be confirmed, and then blamed.
    """
    if not queue.items or jobs < 1:
        return ()
    alone = queue.suspects if len(queue.suspects) == 1 else ()
    if alone:
        rest = replace(queue, reds=tuple(red for red in queue.reds if alone[0] not in red))._without(frozenset(alone))
        return (alone, *plan(rest, jobs - 1))
    belief = believe(queue.history, map(len, _disjoint(queue.reds)))
    suspects = queue.suspects
    rest_of = [item for item in queue.items if item not in suspects]
    order = (*suspects, *rest_of)
    first = _first(queue, belief)
    chosen = [first]
    if jobs > 1:
        chosen += [c for c in _further(order, len(suspects), first, belief, jobs - 1) if c != first]
    return tuple(chosen)


def _disjoint(reds: Sequence[frozenset[Item]]) -> list[frozenset[Item]]:
    """As many of the sets as share no branch, small ones first: only those are independent evidence."""
    found: list[frozenset[Item]] = []
    for red in sorted(reds, key=len):
        if all(red.isdisjoint(other) for other in found):
            found.append(red)
    return found


def _first(queue: Queue[Item], belief: Belief) -> tuple[Item, ...]:
    suspects = queue.suspects
    if suspects:
        return suspects[: _split(len(suspects), belief)]
    if queue.again:
        return queue.again
    if queue.size is not None:
        return queue.items[: queue.size]
    if not queue.tried and not queue.history.known:
        return queue.items
    return queue.items[: _batch(len(queue.items), belief)]


def _batch(most: int, belief: Belief) -> int:
    """The smallest size at which one branch more would make red the likelier answer."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if belief.all_good(middle) + belief.all_good(middle + 1) <= 1:
            high = middle
        else:
            low = middle + 1
    return low


def _split(size: int, belief: Belief) -> int:
    """Where to split a red set of *size* in two: its first bad branch is as likely before as behind."""
    end = belief.all_good(size)
    middle = (1 + end) / 2
    return min(range(1, size), key=lambda x: (abs(belief.all_good(x) - middle), x))


def _further(
    order: Sequence[Item], suspects: int, first: tuple[Item, ...], belief: Belief, count: int
) -> Iterator[tuple[Item, ...]]:
    """Runs beside *first*, greedily by how many branches each settles beyond those before it, in expectation.

    The first *suspects* of *order* are red together. A beginning of the order that is green settles its branches where
    the first bad one comes behind it; the whole without one branch settles all where that one is the only bad one.
    """
    rate = min(max(belief.rate, 1e-6), 0.95)
    q = 1 - rate
    width = suspects or len(first)
    if not suspects:
        width = min(len(order), HORIZON, max(width, round(1 / rate)))
    far = min(len(order), HORIZON, max(width, round(1 / rate))) if suspects else width
    total = 1 - q**suspects if suspects else 1.0
    last = suspects or width
    begins = [rate * q**i / total for i in range(last)]  # the first bad branch is number i, from 0
    only = [begins[i] * q ** (far - i - 1) for i in range(last)]  # and the only one among the first `far`
    more = [b - o for b, o in zip(begins, only, strict=True)]
    known = {0} | ({len(first)} if tuple(order[: len(first)]) == tuple(first) else set())
    behind = 0.0 if suspects else q**width
    for _ in range(count):
        best, choice, without = WORTHWHILE, 0, -1
        for a in range(1, last if suspects else width + 1):
            if a in known:
                continue
            floor = max(k for k in known if k < a)
            roof = min((k for k in known if k > a), default=None)
            end = last if roof is None else min(roof, last)
            gain = (a - floor) * (sum(more[a:end]) + sum(only[a:end]) + (behind if roof is None else 0.0))
            if gain > best:
                best, choice, without = gain, a, -1
        for i in range(last):
            floor = max(k for k in known if k <= i)
            gain = only[i] * (far - floor)
            if gain > best:
                best, choice, without = gain, 0, i
        if without >= 0:
            only[without] = 0.0
            left = (*order[:without], *order[without + 1 : far])
            if left:
                yield left
        elif choice:
            known.add(choice)
            yield tuple(order[:choice])
        else:
            return
