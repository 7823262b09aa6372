"""What parallel work saves and what a collision costs, in whole numbers, so that every machine counts alike.

Starting a task gains one. A pair that runs side by side costs its risk, in units of `PAIRS` times the threshold: below
the threshold, where a pair may run side by side at all, several small risks add up until one more task gains nothing.
At the default threshold of 0.2 a collision costs as much as a task. Hours do not come in: a collision throws away as
much as running side by side saves, the length of the shorter task, so that it cancels out, and an estimate moves no
task past those above it in the roadmap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

PARTS = 1_000_000
"""What the start of a task gains."""
PAIRS = 5
"""So many pairs at the threshold cost as much as the start of a task gains."""
APART = 1 << 50
"""The cost of a pair that must not run side by side: more than all tasks together gain."""


@dataclass(frozen=True, slots=True)
class Stakes:
    """What the start of each task gains, and what each pair costs: a symmetric matrix with 0 on its diagonal.

    A task is its position; the lower that is, the higher is its priority.
    """

    gains: Sequence[int]
    costs: Sequence[Sequence[int]]

    def beside(self, active: Iterable[int]) -> Stakes:
        """What is left to gain beside tasks that are at work."""
        return Stakes(less(self.gains, (self.costs[task] for task in active)), self.costs)

    def among(self, tasks: Sequence[int]) -> Stakes:
        """The stakes of *tasks* alone, which are 0, 1, 2 ... in it."""
        if len(tasks) < 2:
            return Stakes([self.gains[task] for task in tasks], [[0] for _ in tasks])
        chosen = itemgetter(*tasks)
        return Stakes(chosen(self.gains), [chosen(row) for row in chosen(self.costs)])

    def worth(self, picked: Sequence[int]) -> int:
        """What the set *picked* gains less what its pairs cost."""
        pairs = sum(self.costs[one][other] for at, one in enumerate(picked) for other in picked[:at])
        return sum(self.gains[task] for task in picked) - pairs


def cost(risk: float, threshold: float) -> int:
    """What a pair at *risk* costs; above *threshold* as much as at it."""
    if risk >= threshold:
        return PARTS // PAIRS if risk else 0
    return round(PARTS * (risk / (PAIRS * threshold)))


def even(conflicts: Sequence[int]) -> Stakes:
    """Nothing costs but the *conflicts*, which are the rivals of each task as bits."""
    tasks = range(len(conflicts))
    return Stakes([PARTS for _ in tasks], [[APART * (rivals >> task & 1) for task in tasks] for rivals in conflicts])


def less(gains: Sequence[int], rows: Iterable[Sequence[int]]) -> list[int]:
    """*gains* without what all *rows* cost."""
    left = list(gains)
    for row in rows:
        left = [gain - paid for gain, paid in zip(left, row, strict=True)]
    return left
