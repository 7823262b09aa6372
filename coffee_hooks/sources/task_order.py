"""In which order the tasks of a list can be done: its phases and marks as the fewest dependencies that say the same.

A task marked ``[P]`` waits, in its phase, only for those before it without the mark; one without the mark waits for all
before it, and all after it wait for it. A phase for everybody waits for all before it and is waited for; phases of
different user stories do not wait for each other unless the file says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import chain, groupby

Waits = Mapping[int, int]
"""The steps that one waits for, each with the line of the file that says so."""
_Ends = tuple[int, ...]
"""What somebody waits for who waits for all of a phase: the steps that no other one of it waits for."""


@dataclass(frozen=True, slots=True)
class Step:
    """A task that is still to be done: its line, whether it is marked ``[P]``, and its phase.

    *phase_line* is the line of the phase's heading; *stories* are those that the phase is for, none for everybody.
    """

    line: int
    parallel: bool
    phase: int
    phase_line: int
    stories: frozenset[int] = frozenset()


def put_in_order(
    steps: Sequence[Step], needs: Mapping[int, Waits], stories: Mapping[int, Collection[int]]
) -> tuple[Waits, ...]:
    """For each of *steps* (in the order of the file) the steps that it waits for, none that follows from others.

    *needs* are those that the file names, *stories* the stories that a story waits for. What the file names wins where
    it contradicts the order of the lines; needs that go round in a circle stay as they are.
    """
    phases = _arranged(steps, stories)
    order = list(chain.from_iterable(phases))
    place = {at: number for number, at in enumerate(order)}
    rank = _ranks(order, _implied(steps, phases, place, stories), needs)
    implied = _implied(steps, phases, rank, stories)
    return _reduced([{**implied[at], **needs.get(at, {})} for at in range(len(steps))], rank)


def one_by_one(steps: Sequence[Step]) -> tuple[Waits, ...]:
    """Each of *steps* waits for the one before it, whatever else is said."""
    return tuple({at - 1: step.line} if at else {} for at, step in enumerate(steps))


def _arranged(steps: Sequence[Step], stories: Mapping[int, Collection[int]]) -> list[list[int]]:
    """The steps of each phase; a story's phases behind those of the stories it waits for, as far as that is possible.

    Nothing moves across a phase for everybody.
    """
    phases = [list(each) for _, each in groupby(range(len(steps)), lambda at: steps[at].phase)]
    found: list[list[int]] = []
    for _, group in groupby(phases, lambda phase: bool(steps[phase[0]].stories)):
        run = list(group)
        own = [steps[phase[0]].stories for phase in run]
        wanted = [set(chain.from_iterable(stories.get(story, ()) for story in mine)) - mine for mine in own]
        same = {at: [on for on in range(at) if own[on] & own[at]] for at in range(len(run))}
        needs = {at: [on for on, theirs in enumerate(own) if theirs & wanted[at]] for at in range(len(run))}
        rank = _ranks(range(len(run)), same, needs)
        found += (run[at] for at in sorted(rank, key=rank.__getitem__))
    return found


def _ranks(
    order: Sequence[int], implied: Mapping[int, Iterable[int]], needs: Mapping[int, Iterable[int]]
) -> dict[int, int]:
    """The place of each in an order that keeps to *implied* and *needs*, to *needs* rather, and else to *order*."""
    place = {at: number for number, at in enumerate(order)}
    hard = {at: {on for on in needs.get(at, ()) if on != at} for at in order}
    left = {at: hard[at] | set(implied[at]) for at in order}
    behind: dict[int, list[int]] = {at: [] for at in order}
    for at, waits in left.items():
        for on in waits:
            behind[on].append(at)
    rank: dict[int, int] = {}
    ready = [place[at] for at in order if not left[at]]
    while len(rank) < len(order):
        if ready:
            at = order[heappop(ready)]
        else:  # the file contradicts itself
            rest = [at for at in order if at not in rank]
            at = next((at for at in rest if not hard[at]), rest[0])
        if at in rank:
            continue
        rank[at] = len(rank)
        for other in behind[at]:
            hard[other].discard(at)
            left[other].discard(at)
            if not left[other]:
                heappush(ready, place[other])
    return rank


def _implied(
    steps: Sequence[Step],
    phases: Iterable[Sequence[int]],
    rank: Mapping[int, int],
    stories: Mapping[int, Collection[int]],
) -> dict[int, Waits]:
    """What phases and marks say, as far as *rank* allows."""
    implied: dict[int, Waits] = {}
    gate: _Ends = ()
    ends: dict[int, _Ends] = {}
    for phase in phases:
        own = steps[phase[0]].stories
        wanted = {*own, *chain.from_iterable(stories.get(story, ()) for story in own)} if own else ends.keys()
        before = tuple(dict.fromkeys(chain.from_iterable(ends[story] for story in wanted if story in ends))) or gate
        behind: list[int] = []
        for at in sorted(phase, key=rank.__getitem__):
            step = steps[at]
            first = before if step.parallel or not behind else tuple(behind)
            implied[at] = {on: _line(step, steps[on]) for on in _before(at, first, implied, rank)}
            if step.parallel:
                behind.append(at)
            else:
                before, behind = (at,), []
        end = tuple(behind) or before
        if own:
            ends |= dict.fromkeys(own, end)
        else:
            gate, ends = end, {}
    return implied


def _line(step: Step, on: Step) -> int:
    """What says that *step* waits for *on*: the heading of its phase, or the one of the two without the mark."""
    if on.phase != step.phase:
        return step.phase_line
    return on.line if step.parallel else step.line


def _before(at: int, ends: _Ends, implied: Mapping[int, Waits], rank: Mapping[int, int]) -> Iterable[int]:
    """*ends*, but for each that is needed to come later what it waits for itself."""
    seen: dict[int, bool] = {}
    waiting = list(ends)
    while waiting:
        on = waiting.pop(0)
        if on not in seen:
            seen[on] = rank[on] < rank[at]
            if not seen[on]:
                waiting += implied[on]
    return [on for on, comes_first in seen.items() if comes_first]


def _reduced(waits: Sequence[Waits], rank: Mapping[int, int]) -> tuple[Waits, ...]:
    """*waits* without those that follow from others; what is on a circle stays."""
    above = [0] * len(waits)
    found: list[Waits] = [{}] * len(waits)
    for at in sorted(rank, key=rank.__getitem__):
        through = direct = 0
        for on in waits[at]:
            if rank[on] < rank[at]:
                through |= above[on]
                direct |= 1 << rank[on]
        above[at] = through | direct
        found[at] = {on: line for on, line in waits[at].items() if rank[on] > rank[at] or not through >> rank[on] & 1}
    return tuple(found)
