"""Why a task does not start now, and what two tasks are to each other, in sentences with the next command to type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.text import printable
from coffee_hooks.evaluate.collisions import Pair, Relation
from coffee_hooks.evaluate.footprint import Scope
from coffee_hooks.evaluate.order import Edge
from coffee_hooks.evaluate.stakes import PAIRS, PARTS, cost
from coffee_hooks.evaluate.verdicts import Evaluation, Standing, Verdict

_PLACES = 4
"""How many places of a task an explanation names."""


class Reason(NamedTuple):
    """One sentence and what to do about it."""

    text: str
    hint: str


def why_not(evaluation: Evaluation) -> Mapping[TaskId, tuple[Reason, ...]]:
    """For each candidate that does not start now why, the weightiest reason first."""
    verdicts = {verdict.task: verdict for verdict in evaluation.verdicts}
    busy = {v.task for v in evaluation.verdicts if v.can_parallel or v.standing is Standing.RUNNING}
    beside: dict[TaskId, list[Pair]] = {}
    for pair in evaluation.pairs:
        for task, other in ((pair.a, pair.b), (pair.b, pair.a)):
            if other in busy:
                beside.setdefault(task, []).append(pair)
    return {
        verdict.task: _reasons(verdict, verdicts, beside.get(verdict.task, []), evaluation.threshold)
        for verdict in evaluation.verdicts
        if verdict.standing is Standing.CANDIDATE and not verdict.can_parallel
    }


def past_the_limit(task: TaskId) -> Reason:
    """Nothing stands in the way of *task*, but the places are taken."""
    return Reason("as many as --limit allows were chosen before it", f"coffee evaluate {task}")


def _reasons(
    verdict: Verdict, verdicts: Mapping[TaskId, Verdict], beside: Sequence[Pair], threshold: float
) -> tuple[Reason, ...]:
    """*beside* are its pairs with the running and the chosen tasks."""
    reasons = [_waits(edge, verdicts.get(edge.on)) for edge in verdict.needs]
    if not reasons:
        reasons += _in_the_way(verdict, verdicts, beside)
    if verdict.footprint.scope is Scope.UNKNOWN:
        hint = f"list the files it writes in a spec, or run it alone: coffee spawn {verdict.task}"
        reasons.append(Reason(f"{_unknown(verdict)}, so it runs alone", hint))
    return tuple(reasons) or (_too_risky(verdict.task, beside, threshold) or past_the_limit(verdict.task),)


def explain(evaluation: Evaluation, a: TaskId, b: TaskId) -> str:
    """What two evaluated tasks are to each other, as a person would say it.

    Raises UsageError when the two are one, or were not evaluated together.
    """
    if a == b:
        raise UsageError(f"{a} is named twice", hint=f"name two tasks, or run: coffee evaluate {a}")
    pair = next((pair for pair in evaluation.pairs if {pair.a, pair.b} == {a, b}), None)
    one, other = evaluation.verdict(a), evaluation.verdict(b)
    if pair is None or one is None or other is None:
        raise UsageError(f"{a} and {b} were not evaluated together", hint=f"run: coffee evaluate {a} {b}")
    lines = [_sentence(pair, one, other), *(f"  - {said}" for said in pair.evidence)]
    if pair.relation in (Relation.COLLISION, Relation.INDEPENDENT):
        lines.append(f"Risk {pair.risk:.2f}, threshold {evaluation.threshold:.2f}.")
    lines += [_reach(each) for each in (one, other) if each.standing is not Standing.COMPLETE]
    lines.append(f"Next: {_advice(pair, one, other)}")
    return "\n".join(printable(line) for line in lines)


def _waits(edge: Edge, other: Verdict | None) -> Reason:
    text = f"waits for {edge.on} ({edge.evidence})"
    if other is not None and other.standing is Standing.RUNNING:
        return Reason(f"{text}, which is being worked on", "coffee status")
    return Reason(text, f"coffee spawn {edge.on}" if other and other.can_parallel else f"coffee evaluate {edge.on}")


def _in_the_way(verdict: Verdict, verdicts: Mapping[TaskId, Verdict], beside: Iterable[Pair]) -> Iterator[Reason]:
    """The running and the chosen tasks that it must not run beside."""
    for pair in beside:
        if pair.relation is Relation.INDEPENDENT:
            continue
        other = verdicts[pair.b if pair.a == verdict.task else pair.a]
        if pair.relation is Relation.UNKNOWN and other.footprint.scope is not Scope.UNKNOWN:
            continue
        running = ", which is being worked on" if other.standing is Standing.RUNNING else ""
        why = pair.evidence[0] if pair.evidence else f"risk {pair.risk:.2f}"
        collides = "may collide" if pair.relation is Relation.UNKNOWN else "collides"
        yield Reason(f"{collides} with {other.task}{running}: {why}", _look(verdict.task, other.task))


def _too_risky(task: TaskId, beside: Iterable[Pair], threshold: float) -> Reason | None:
    """Risks that are small one by one and together cost all that is gained; None where starting *task* would gain."""
    risky = [pair for pair in beside if pair.relation is Relation.INDEPENDENT and pair.risk]
    if sum(cost(pair.risk, threshold) for pair in risky) < PARTS:
        return None
    others = [pair.b if pair.a == task else pair.a for pair in risky]
    total = round(sum(pair.risk for pair in risky), 4)
    most = PAIRS * threshold
    text = f"beside {_some(others)} its risks add up to {total:.2f}; from {most:.2f} on, starting it gains nothing"
    enough = (math.floor(round(100 * total / PAIRS, 2)) + 1) / 100
    return Reason(text, f"coffee evaluate --risk {enough:.2f}" if enough <= 1 else f"coffee evaluate {task}")


def _some(tasks: Sequence[TaskId]) -> str:
    """The first of *tasks* by name, the others as a number."""
    named = [*tasks[:_PLACES]]
    rest = [f"{len(tasks) - _PLACES} more"] if len(tasks) > _PLACES else [named.pop()] if len(named) > 1 else []
    return " and ".join([", ".join(named), *rest])


def _look(a: TaskId, b: TaskId) -> str:
    return f"coffee evaluate --explain {a} {b}"


def _unknown(verdict: Verdict) -> str:
    if verdict.spec is None:
        return "it has no spec"
    return f"{verdict.spec} names no file that it writes"


def _sentence(pair: Pair, one: Verdict, other: Verdict) -> str:
    landed = [each.task for each in (one, other) if each.standing is Standing.COMPLETE]
    if landed:
        return f"{' and '.join(landed)} {'have' if len(landed) > 1 else 'has'} landed and cannot be in the way."
    if pair.relation is Relation.DEPENDENCY:
        if pair.first is None:
            return f"{pair.a} and {pair.b} need each other, so neither can start."
        return f"{_second(pair)} has to wait until {pair.first} has landed."
    if pair.relation is Relation.COLLISION:
        return f"{pair.a} and {pair.b} should not run at the same time: they work on the same things."
    if pair.relation is Relation.UNKNOWN:
        return f"{pair.a} and {pair.b} should not run at the same time: too little is known about where they will work."
    return f"{pair.a} and {pair.b} can run at the same time."


def _second(pair: Pair) -> TaskId:
    return pair.a if pair.first == pair.b else pair.b


def _reach(verdict: Verdict) -> str:
    places = verdict.footprint.places
    if not places:
        known = "writes only files that every task shares" if verdict.footprint.shared else _unknown(verdict)
        return f"{verdict.task}: {known}."
    shown = ", ".join(place.pattern for place in places[:_PLACES])
    more = f" and {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    return f"{verdict.task} works in {shown}{more}."


def _advice(pair: Pair, one: Verdict, other: Verdict) -> str:
    in_order = sorted((one, other), key=lambda verdict: verdict.task == _second(pair))
    waiting = [each for each in in_order if each.standing is Standing.CANDIDATE]
    running = [each for each in in_order if each.standing is Standing.RUNNING]
    ready = [each.task for each in waiting if each.can_parallel]
    if not waiting:
        return "coffee status"
    if pair.relation is Relation.DEPENDENCY and pair.first is None:
        return "take one of the two dependencies out of the roadmap or the specs"
    if pair.relation is not Relation.INDEPENDENT and running:
        return f"coffee spawn {waiting[0].task}, once {running[0].task} has landed"
    if pair.relation is not Relation.INDEPENDENT:
        return f"coffee spawn {waiting[0].task}, then {waiting[1].task} once it has landed"
    return f"coffee {'spawn' if ready else 'evaluate'} {' '.join(ready or [each.task for each in waiting])}"
