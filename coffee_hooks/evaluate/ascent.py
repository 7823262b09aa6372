"""A good set of tasks where the best would take too long to find: a greedy choice, and steps that make it better."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from coffee_hooks.evaluate.stakes import APART, Stakes, less


class _Step(NamedTuple):
    gain: int
    gone: int | None = None
    new: int | None = None


def take(stakes: Stakes, order: Iterable[int], most: int) -> list[int]:
    """Tasks in *order*, each that is not apart from one before it; what was taken when it was worth most."""
    left = list(stakes.gains)
    picked: list[int] = []
    worth = best = kept = 0
    for task in order:
        if len(picked) == most or max(left) <= 0:
            break
        if 2 * left[task] <= -APART:
            continue
        picked.append(task)
        worth += left[task]
        left = less(left, [stakes.costs[task]])
        left[task] = -APART
        if worth > best:
            best, kept = worth, len(picked)
    return picked[:kept]


def ascend(stakes: Stakes, start: Iterable[int], most: int) -> list[int]:
    """*start* made better, step by step, sorted.

    A step adds or drops the task by which most is gained; where neither gains, it exchanges two. It ends where no step
    gains, or after twice as many steps as there are tasks.
    """
    inside = set(start)
    left = less(stakes.gains, (stakes.costs[task] for task in inside))
    for _ in range(2 * len(left)):
        chosen, others = sorted(inside), [task for task in range(len(left)) if task not in inside]
        step = _best(_changes(left, chosen, others if len(chosen) < most else []))
        if step.gain <= 0:
            step = _best(_exchanges(stakes, left, chosen, others))
        if step.gain <= 0:
            break
        if step.gone is not None:
            inside.remove(step.gone)
            left = [gain + paid for gain, paid in zip(left, stakes.costs[step.gone], strict=True)]
        if step.new is not None:
            inside.add(step.new)
            left = less(left, [stakes.costs[step.new]])
    return sorted(inside)


def _best(steps: Iterable[_Step]) -> _Step:
    return max(steps, key=lambda step: step.gain, default=_Step(0))


def _changes(left: Sequence[int], chosen: Sequence[int], others: Sequence[int]) -> Iterator[_Step]:
    """The best drop and the best addition; *left* is what each task gains beside the chosen ones."""
    if others:
        new = max(others, key=left.__getitem__)
        yield _Step(left[new], new=new)
    if chosen:
        gone = min(chosen, key=left.__getitem__)
        yield _Step(-left[gone], gone=gone)


def _exchanges(stakes: Stakes, left: Sequence[int], chosen: Sequence[int], others: Sequence[int]) -> Iterator[_Step]:
    """For each chosen task the best one in its place."""
    for gone in chosen if others else ():
        freed = [gain + paid for gain, paid in zip(left, stakes.costs[gone], strict=True)]
        new = max(others, key=freed.__getitem__)
        yield _Step(freed[new] - left[gone], gone, new)
