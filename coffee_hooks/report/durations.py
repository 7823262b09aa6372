"""How long each phase took, against the table of the workflow; what the gate took is told apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coffee_hooks.base.intervals import common, covered
from coffee_hooks.report.criteria import Window
from coffee_hooks.report.figures import Figure, Wanted, mean
from coffee_hooks.report.timeline import Journey, Spell


def durations(journeys: Sequence[Journey], gates: Sequence[Spell], window: Window) -> tuple[Figure, ...]:
    """Creation, detection, landing and cleanup, and the runs of the gate, in seconds; each by when it ended."""
    return (
        _figure("creation", _creations(journeys, window), 30, "claim to agent at work: worktree, files and setup"),
        _figure("detection", _detections(journeys, window), 30, "good end of the agent to being announced as ready"),
        _figure(
            "landing", _landings(journeys, gates, window), 600,
            "announced as ready, else the start of the merge that landed it, to landed; no time in which a gate ran",
        ),
        _figure("cleanup", _cleanups(journeys, window), 30, "removal of worktree and branch"),
        _figure("gate", _ended(gates, window), None, "one run of the gate with its preparation, whatever it said"),
    )  # fmt: skip


def _figure(name: str, seconds: Sequence[float], target: float | None, what: str) -> Figure:
    slowest = max(seconds, default=None)
    return Figure(name, mean(seconds), "s", target, Wanted.BELOW, len(seconds), f"mean of: {what}", slowest)


def _ended(spells: Iterable[Spell], window: Window) -> list[float]:
    return [spell.seconds for spell in spells if window.holds(spell.ended)]


def _creations(journeys: Iterable[Journey], window: Window) -> list[float]:
    return _ended((each.creation for each in journeys if each.creation), window)


def _detections(journeys: Iterable[Journey], window: Window) -> list[float]:
    return _ended((detection for each in journeys for detection in each.detections), window)


def _cleanups(journeys: Iterable[Journey], window: Window) -> list[float]:
    return _ended((each.cleanup for each in journeys if each.cleanup), window)


def _landings(journeys: Iterable[Journey], gates: Sequence[Spell], window: Window) -> list[float]:
    found = []
    for each in journeys:
        if each.landed is not None and window.holds(each.landed) and (start := _offered(each, each.landed)) is not None:
            tested = common(((start, each.landed),), (gate.interval for gate in gates))
            found.append(each.landed - start - covered(tested))
    return found


def _offered(journey: Journey, landed: float) -> float | None:
    """When it was there to be landed: as its last attempt was announced, else as the merge began; None for neither."""
    merges = [merge.started for merge in journey.merges if merge.ended == landed]
    last = max((agent.ended for agent in journey.agents if agent.ended <= landed), default=landed)
    told = [detection.ended for detection in journey.detections if last <= detection.started <= landed]
    return min((*told, *merges), default=None)
