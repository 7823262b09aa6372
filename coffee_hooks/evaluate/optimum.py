"""The set of tasks that is worth most, by branch and bound.

Sets are visited in lexicographic order and only a better one replaces the best, so that of several it is the first.

The bound: in a set of n more tasks each pays half of what its pairs with the n - 1 others cost, and that is at least
half of the n - 1 smallest costs that it has. Tasks that are all apart from each other form a group, of which at most
one is in the set: so the smallest costs are those of different groups, and the n tasks that could gain most are of
different groups as well. A branch is left when no n is enough. Everything is counted twice, so that halves stay whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from coffee_hooks.evaluate.stakes import APART, Stakes


def optimum(stakes: Stakes, most: int, reached: int) -> list[int]:
    """The set worth most of those of at most *most* tasks, of several the first in lexicographic order.

    No gain of *stakes* is negative. *reached* is what some such set is worth; the better that one, the shorter is the
    search.
    """
    search = _Search(stakes, reached - 1)
    search.visit(0, dict(enumerate(stakes.gains)), range(1, min(most, len(stakes.gains)) + 1), [])
    return search.picked


class _Search:
    """*picked* is the best set so far; only one that is worth more than *beaten* counts."""

    def __init__(self, stakes: Stakes, beaten: int) -> None:
        self.picked: list[int] = []
        self._best = beaten
        self._costs = stakes.costs
        self._group = _groups(stakes.costs)
        self._least: dict[int, list[list[int]]] = {}

    def visit(self, worth: int, rest: Mapping[int, int], sizes: Iterable[int], picked: list[int]) -> None:
        """*picked*, which is *worth* so much, then all that it becomes with *sizes* more tasks of *rest*.

        *rest* maps what stands behind the picked tasks to what it still gains beside them, nothing of it negative.
        """
        if worth > self._best:
            self._best, self.picked = worth, picked
        if not sizes:
            return
        behind = list(rest.items())
        for place, (task, gain) in enumerate(behind, 1):
            costs = self._costs[task]
            after = {other: left for other, had in behind[place:] if (left := had - costs[other]) >= 0}
            missing = self._best - worth - gain
            further = self._sizes(task + 1, after, sizes, 2 * missing)
            if further or missing < 0:
                self.visit(worth + gain, after, further, [*picked, task])

    def _sizes(self, start: int, rest: Mapping[int, int], sizes: Iterable[int], missing: int) -> list[int]:
        """How many of *rest*, all at *start* or behind, may gain more than half of *missing*: *sizes* less one."""
        if 2 * sum(rest.values()) <= missing:
            return []
        least = self._least_costs(start)
        counts = [size - 1 for size in sizes if 1 <= size - 1 <= min(len(rest), len(least))]
        return [count for count in counts if self._most(rest, least[count - 1], count) > missing]

    def _most(self, rest: Mapping[int, int], paid: Sequence[int], count: int) -> int:
        """The most, twice, that *count* tasks of *rest* gain when each costs *paid*; 0 with too few groups."""
        best: dict[int, int] = {}
        for task, gain in rest.items():
            twice, group = 2 * gain - paid[task], self._group[task]
            if group not in best or twice > best[group]:
                best[group] = twice
        return sum(sorted(best.values())[-count:]) if count <= len(best) else 0

    def _least_costs(self, start: int) -> list[list[int]]:
        """For 0, 1, 2 ... other tasks at *start* or behind: the least that each task there costs beside so many."""
        if start not in self._least:
            sums = [[0, *accumulate(sorted(self._per_group(task, start)))] for task in range(start, len(self._costs))]
            longest = max(map(len, sums), default=0)
            self._least[start] = [
                [0] * start + [each[count] if count < len(each) else APART for each in sums] for count in range(longest)
            ]
        return self._least[start]

    def _per_group(self, task: int, start: int) -> Iterable[int]:
        """The least that *task* costs beside one of each other group."""
        least: dict[int, int] = {}
        for other in range(start, len(self._costs)):
            group, paid = self._group[other], self._costs[task][other]
            if group != self._group[task] and paid < least.get(group, APART + 1):
                least[group] = paid
        return least.values()


def _groups(costs: Sequence[Sequence[int]]) -> list[int]:
    """A number for each task; those with the same one are all apart from each other."""
    groups: list[list[int]] = []
    for task, row in enumerate(costs):
        fitting = (group for group in groups if all(row[other] >= APART for other in group))
        if (group := next(fitting, None)) is not None:
            group.append(task)
        else:
            groups.append([task])
    number = {task: at for at, group in enumerate(groups) for task in group}
    return [number[task] for task in range(len(costs))]
