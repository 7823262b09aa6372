"""Which branches to test together next, so that all are judged in as few gate runs as theory allows. Pure.

With one gate this is the nested group test that codes a geometric source: a batch is as large as makes green and red
equally likely (S. W. Golomb, Run-length encodings, 1966), and a red batch is split where its first bad branch is as
likely before as behind (M. Sobel, P. A. Groll, Group testing to eliminate efficiently all defectives, 1959). What was
green is accepted at once and every later batch is tested on top of it, so the remainder of a red batch is known to be
red without a run of its own. With several gates the further runs are those that settle most branches in expectation:
beginnings of the same order, and the whole without one branch. Many of these say little where many branches are red:
then every branch is tested alone, side by side, and what was green is tested together once more before it lands.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate, islice, zip_longest
from typing import Generic, TypeVar

from coffee_hooks.merge.belief import Belief, History, believe

Item = TypeVar("Item", bound=Hashable)

WORTHWHILE = 0.05
"""A further run beside the first must be expected to settle at least so many branches."""
HORIZON = 128
"""How far ahead further runs are planned."""
APART = 4
"""So many branches for each gate may be tested alone before those that were green are tested together."""
GAIN = 0.4
"""How much faster batches are done for each doubling of the gates, as the simulation shows at every rate."""


@dataclass(frozen=True, slots=True)
class Queue(Generic[Item]):
    """What is not settled yet, in order. Every set of *reds* was red together on what is accepted.

    *history* counts what was judged, here and before. *size* fixes the batches, None chooses. *again* were green
    together on a target that has moved since. *apart* were green, each without the others. *tried*: a first run has
    said something.
    """

    items: tuple[Item, ...]
    history: History = field(default_factory=History)
    size: int | None = None
    reds: tuple[frozenset[Item], ...] = ()
    again: tuple[Item, ...] = ()
    apart: frozenset[Item] = frozenset()
    tried: bool = False

    @property
    def suspects(self) -> tuple[Item, ...]:
        """The smallest set that is known to be red, in order; empty when none is."""
        if not self.reds:
            return ()
        least = min(map(len, self.reds))
        smallest = [red for red in self.reds if len(red) == least]
        if len(smallest) == 1:
            return self.ordered(smallest[0])
        leader = next(item for item in self.items if any(item in red for red in smallest))
        return self.ordered(next(red for red in smallest if leader in red))

    def ordered(self, chosen: Iterable[Item]) -> tuple[Item, ...]:
        """*chosen* in the order of the queue."""
        wanted = set(chosen)
        return tuple(item for item in self.items if item in wanted)

    def accept(self, green: Iterable[Item]) -> Queue[Item]:
        """*green* were green together, so they come before everything that is tested from now on."""
        gone = frozenset(green)
        history = replace(self.history, good=self.history.good + len(gone.intersection(self.items) - self.apart))
        return replace(self._without(gone), history=history)

    def set_apart(self, green: Item) -> Queue[Item]:
        """*green* was green alone, while others are tested alone."""
        history = replace(self.history, good=self.history.good + 1)
        return replace(self, history=history, apart=self.apart | {green})

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
        return replace(self, items=keep, reds=reds, again=again, apart=self.apart - gone, tried=True)

    def implied_red(self, chosen: Iterable[Item]) -> bool:
        """Whether a run of *chosen* is already known to be red."""
        found = frozenset(chosen)
        return any(red <= found for red in self.reds)


def plan(queue: Queue[Item], jobs: int) -> tuple[tuple[Item, ...], ...]:
    """The sets to test now, the most useful first, at most *jobs*; each on top of what is accepted.

    A set of one that is known to be red is to be confirmed, and then blamed. No other that is known to be red is among
    them: its verdict would tell nothing, and is there at once.
    """
    if not queue.items or jobs < 1:
        return ()
    suspects = queue.suspects
    if len(suspects) == 1:
        rest = queue.drop(suspects[0])
        return (suspects, *plan(rest, jobs - 1))
    belief = believe(queue.history, map(len, _disjoint(queue.reds)))
    if not suspects and (singles := _apart(queue, belief.rate, jobs)):
        return tuple((item,) for item in singles)
    first = _first(queue, suspects, belief)
    chosen = [first]
    if jobs > 1 and (suspects or not queue.apart):
        suspected = frozenset(suspects)
        behind = (item for item in queue.items if item not in suspected)
        order = (*suspects, *islice(behind, HORIZON))
        further = _further(order, len(suspects), first, belief, jobs - 1)
        chosen += [items for items in further if items != first and not queue.implied_red(items)]
    return tuple(chosen)


def _disjoint(reds: Sequence[frozenset[Item]]) -> list[frozenset[Item]]:
    """As many of the sets as share no branch, small ones first: only those are independent evidence."""
    found: list[frozenset[Item]] = []
    for red in sorted(reds, key=len):
        if all(red.isdisjoint(other) for other in found):
            found.append(red)
    return found


def _first(queue: Queue[Item], suspects: tuple[Item, ...], belief: Belief) -> tuple[Item, ...]:
    if suspects:
        return suspects[: _split(len(suspects), belief)]
    if queue.again:
        return queue.again
    if queue.apart:
        return queue.ordered(queue.apart)
    if queue.size is not None:
        return queue.items[: queue.size]
    if not queue.tried and not queue.history.known:
        return queue.items
    return queue.items[: _batch(len(queue.items), belief)]


def _apart(queue: Queue[Item], rate: float, jobs: int) -> tuple[Item, ...]:
    """Branches to test alone, side by side, where that and one run of the green ones together take fewer rounds.

    Those that are being tested are among them, so that what was green waits for the others.
    """
    if jobs < 2 or queue.again or queue.size is not None or not queue.history.known:
        return ()
    ahead = queue.items[: APART * jobs]
    bits = -rate * math.log2(rate) - (1 - rate) * math.log2(1 - rate)
    batches = len(ahead) * bits / (1 + GAIN * math.log2(jobs))
    if math.ceil(len(ahead) / jobs) + 1 >= batches:
        return ()
    return tuple(item for item in ahead if item not in queue.apart)[:jobs]


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
    """Up to *count* runs beside *first*, the most useful first. The first *suspects* of *order* are red together."""
    tested = len(first) if tuple(order[: len(first)]) == first else 0
    for begin, without, far in _beside(min(len(order), HORIZON), suspects, len(first), tested, belief.rate, count):
        if without is None:
            yield tuple(order[:begin])
        elif far > 1:
            yield (*order[:without], *order[without + 1 : far])


@lru_cache(maxsize=8192)
def _beside(
    most: int, suspects: int, begun: int, tested: int, rate: float, count: int
) -> tuple[tuple[int, int | None, int], ...]:
    """Greedily by how many branches each settles beyond those before it, in expectation: (begin, without, far).

    A beginning of the order that is green settles its branches where the first bad one comes behind it; the first *far*
    without one branch settle all where that one is the only bad one. *begun* is the size of the first run, *tested* the
    same where that is a beginning, else 0.
    """
    rate = min(max(rate, 1e-6), 0.95)
    q = 1 - rate
    far = min(most, max(suspects or begun, round(1 / rate)))
    width = suspects or far
    total = 1 - q**suspects if suspects else 1.0
    first_bad = [rate * q**i / total for i in range(width)]
    only = [each * q ** (far - i - 1) for i, each in enumerate(first_bad)]  # and no other of the first `far`
    more = [each - alone for each, alone in zip(first_bad, only, strict=True)]
    behind = 0.0 if suspects else q**width
    tests, found = sorted({0, tested}), list[tuple[int, int | None, int]]()
    while len(found) < count:
        gain, begin = _best_beginning(tests, [a + b for a, b in zip(more, only, strict=True)], behind)
        other, without = _best_without(tests, only, far)
        if max(gain, other) <= WORTHWHILE:
            break
        if gain >= other:
            tests = sorted((*tests, begin))
            found.append((begin, None, far))
        else:
            only[without] = 0.0
            found.append((0, without, far))
    return tuple(found)


def _best_beginning(tests: Sequence[int], first_bad: Sequence[float], behind: float) -> tuple[float, int]:
    """What the best beginning beside those of *tests* settles, and its size."""
    sums = list(accumulate(first_bad, initial=0.0))
    width = len(first_bad)
    best = (0.0, 0)
    for floor, roof in zip_longest(tests, tests[1:]):
        end = width if roof is None else min(roof, width)
        rest = behind if roof is None else 0.0
        for size in range(floor + 1, end + 1 if rest else end):
            gain = (size - floor) * (sums[end] - sums[size] + rest)
            if gain > best[0]:
                best = (gain, size)
    return best


def _best_without(tests: Sequence[int], only: Sequence[float], far: int) -> tuple[float, int]:
    """What the best run without one branch settles, and which that is."""
    best = (0.0, 0)
    for number, chance in enumerate(only):
        gain = chance * (far - tests[bisect_right(tests, number) - 1])
        if gain > best[0]:
            best = (gain, number)
    return best
