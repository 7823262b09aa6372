"""Ctrl-C that Python drops, because it comes while an object is finalised, comes again."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from coffee_hooks.base.interrupts import AGAIN_SECONDS, never_lost

PATIENCE = 20.0


class Finalised:
    """It is being finalised when something is raised, as subprocess's processes are at every turn."""

    def __init__(self, raised: type[BaseException] | None = None) -> None:
        self.raised = raised

    def __del__(self) -> None:
        if self.raised is not None:
            raise self.raised
        signal.raise_signal(signal.SIGINT)


def test_a_dropped_interrupt_comes_again() -> None:
    """Nothing is raised where it came, and it is a moment later; afterwards all is as it was."""
    before = sys.unraisablehook
    with never_lost():
        Finalised()
        with pytest.raises(KeyboardInterrupt):
            time.sleep(PATIENCE)
    assert sys.unraisablehook is before


def test_what_is_dropped_several_times_comes_once() -> None:
    """A second one would cut short what the first one makes us do."""
    with never_lost():
        with pytest.raises(KeyboardInterrupt):
            for _ in range(5):
                Finalised()
            time.sleep(PATIENCE)
        time.sleep(5 * AGAIN_SECONDS)


def test_any_other_interrupt_is_raised_at_once() -> None:
    """As without it."""
    with never_lost(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_anything_else_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only Ctrl-C is asked for by somebody."""
    told: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(dropped.exc_type))
    with never_lost():
        Finalised(ValueError)
    assert told == [ValueError]
