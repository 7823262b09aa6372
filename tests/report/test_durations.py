"""How long phases take, and how figures are said."""

from __future__ import annotations

import pytest

from coffee_hooks.report.criteria import Window
from coffee_hooks.report.durations import durations
from coffee_hooks.report.figures import Figure, Wanted, aim, answer, lasting, shown, to_json
from coffee_hooks.report.timeline import Journey, Spell

ALL = Window(0, 1000)


def test_each_phase_and_the_gate_apart() -> None:
    """A landing is from its announcement on, without the time in which any gate ran, the target's own included."""
    journey = Journey(
        "a", "A", 0, creation=Spell(0, 5), agents=(Spell(5, 50), Spell(60, 100)),
        detections=(Spell(50, 51), Spell(100, 102)), merges=(Spell(51, 55, "gate-failed"), Spell(110, 150, "landed")),
        landed=150, cleanup=Spell(160, 161),
    )  # fmt: skip
    gates = (Spell(115, 125, "green"), Spell(120, 130, "green"), Spell(140, 200, "green"))
    found = {each.id: (each.value, each.n, each.met) for each in durations([journey], gates, ALL)}
    assert found == {
        "creation": (5, 1, True),
        "detection": (1.5, 2, True),
        "landing": (48 - 15 - 10, 1, True),
        "cleanup": (1, 1, True),
        "gate": (pytest.approx(80 / 3), 3, None),
    }


def test_a_landing_that_nobody_announced_begins_with_its_merge() -> None:
    """An announcement of an earlier attempt does not count, and without either nothing is known."""
    late = Journey(
        "a", "A", agents=(Spell(5, 50), Spell(60, 100)), detections=(Spell(50, 51),),
        merges=(Spell(110, 150, "landed"),), landed=150,
    )  # fmt: skip
    silent = Journey("b", "B", landed=150)
    landing = durations([late, silent], (), ALL)[2]
    assert (landing.value, landing.n) == (40, 1)
    assert [(f.value, f.met, f.n) for f in durations([], (), ALL)] == [(None, None, 0)] * 5


def test_a_target_is_met_on_its_own_side_only() -> None:
    """Exactly the target is not above it, nor below."""
    for wanted, answers in ((Wanted.ABOVE, (False, False, True)), (Wanted.BELOW, (True, False, False))):
        figures = [Figure("x", value, "%", 30, wanted, 1, "m") for value in (29.9, 30, 30.1)]
        assert tuple(figure.met for figure in figures) == answers
    none = Figure("x_y", None, "h", 3, Wanted.BELOW, 0, "m")
    assert (none.title, aim(none), answer(none), shown(none.value, "h")) == ("x y", "< 3 h", "-", "-")
    assert "slowest" not in to_json(none) and to_json(none)["met"] is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.254, "0.25 s"), (30, "30 s"), (99.4, "99.4 s"), (240, "4 min"), (9000, "2.5 h"), (864_000, "10 d")],
)
def test_times_are_said_in_the_unit_that_suits(seconds: float, text: str) -> None:
    """Nobody reads 0.0001 h."""
    assert lasting(seconds) == text == shown(seconds / 3600, "h")
