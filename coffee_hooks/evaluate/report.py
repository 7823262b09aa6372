"""An evaluation in every form that is printed: JSON, a table, pictures, an explanation. Nothing here decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coffee_hooks.base.text import aligned, one_line, printable
from coffee_hooks.evaluate.footprint import Footprint
from coffee_hooks.evaluate.pictures import to_github, to_mermaid
from coffee_hooks.evaluate.reasons import explain, why_not
from coffee_hooks.evaluate.verdicts import Evaluation, Standing, Verdict

__all__ = ["explain", "to_github", "to_json", "to_mermaid", "to_text"]

LISTED = 200
"""How many files of one folder or wildcard are spelled out."""

_TITLE = 50


def to_json(evaluation: Evaluation) -> dict[str, Any]:
    """The object of ``evaluate --json`` without its envelope.

    A task has no ``wave`` when it is not to be started; null when it can never start as things stand.
    """
    plan = evaluation.schedule
    return {
        "base": evaluation.base,
        "threshold": evaluation.threshold,
        "tasks": {verdict.task: _task(verdict) for verdict in evaluation.verdicts},
        "pairs": [
            {"a": p.a, "b": p.b, "relation": p.relation.value, "risk": p.risk, "evidence": list(p.evidence)}
            for p in evaluation.pairs
        ],
        "selected": list(evaluation.selected),
        "waves": [list(wave) for wave in plan.waves],
        "schedule": {
            "makespan": plan.makespan,
            "sequential": plan.sequential,
            "lower_bound": plan.lower_bound,
            "unit": plan.unit.value,
        },
        "warnings": [str(warning) for warning in evaluation.warnings],
    }


def to_text(evaluation: Evaluation) -> str:
    """A table with the answer for each task, why the others wait, the order, and what to type; no warnings."""
    if not evaluation.verdicts:
        return "Nothing to evaluate: no planned item has a spec.\nNext: coffee evaluate --all"
    rows = [("TASK", "NOW", "WAVE", "SCOPE", "TITLE"), *map(_row, evaluation.verdicts)]
    lines = aligned(rows)
    if waiting := list(_waiting(evaluation)):
        lines += ["", "Why not now:", *waiting]
    lines += ["", *_order(evaluation)]
    return "\n".join(lines)


def _task(verdict: Verdict) -> dict[str, Any]:
    wave = {"wave": verdict.wave} if verdict.standing is Standing.CANDIDATE else {}
    return {
        "title": verdict.title,
        "status": verdict.status.value,
        "spec": verdict.spec,
        "independent": verdict.independent,
        "can_parallel": verdict.can_parallel,
        "blocking_on": next(iter(verdict.blocked_by), None),
        "blocked_by": list(verdict.blocked_by),
        "collides_with": list(verdict.collides_with),
        "scope": verdict.footprint.scope.value,
        **wave,
        "footprint": _footprint(verdict.footprint),
    }


def _footprint(footprint: Footprint) -> list[dict[str, Any]]:
    """Each path once with its highest probability: what was named, and the files that a pattern of it matches."""
    found: dict[str, dict[str, Any]] = {}
    for place in (*footprint.places, *footprint.shared):
        evidence = [*place.evidence]
        if place in footprint.shared:
            evidence.append("shared by all tasks: never a reason to wait")
        if len(place.matches) > LISTED:
            evidence.append(f"{len(place.matches)} files, the first {LISTED} are listed")
        for path in (place.pattern, *place.matches[:LISTED]):
            if path not in found or found[path]["probability"] < place.probability:
                found[path] = {"path": path, "probability": place.probability, "evidence": evidence}
    return list(found.values())


def _row(verdict: Verdict) -> tuple[str, ...]:
    fixed = verdict.standing is not Standing.CANDIDATE
    now = "yes" if verdict.can_parallel else verdict.standing.value if fixed else "no"
    wave = str(verdict.wave) if verdict.wave else "-"
    return verdict.task, now, wave, verdict.footprint.scope.value, printable(one_line(verdict.title, _TITLE))


def _waiting(evaluation: Evaluation) -> Iterator[str]:
    for task, reasons in why_not(evaluation).items():
        for reason in reasons:
            yield printable(f"  {task} {reason.text}")
            yield printable(f"  {' ' * len(task)} hint: {reason.hint}")


def _order(evaluation: Evaluation) -> Iterator[str]:
    plan = evaluation.schedule
    for number, wave in enumerate(plan.waves, 1):
        yield f"Wave {number}: {', '.join(wave)}"
    if plan.waves:
        unit = plan.unit.value
        yield (
            f"Side by side: {plan.makespan:g} {unit}; one after the other: {plan.sequential:g} {unit};"
            f" no schedule is shorter than {plan.lower_bound:g} {unit}"
        )
    yield f"Next: {_next_step(evaluation)}"


def _next_step(evaluation: Evaluation) -> str:
    if evaluation.selected:
        return f"coffee spawn {' '.join(evaluation.selected)}"
    blockers = dict.fromkeys(edge.on for verdict in evaluation.verdicts for edge in verdict.needs)
    missing = [task for task in blockers if evaluation.verdict(task) is None]
    return f"coffee evaluate {' '.join(missing)}" if missing else "coffee status"
