"""Ctrl-C that Python drops, because it comes while an object is finalised, is asked for later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from coffee_hooks.base.interrupts import never_lost


class Finalised:
    """It is being finalised when the signal comes, as subprocess's processes are at every turn."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_dropped_interrupt_is_found_by_the_check() -> None:
    """Nothing is raised where it came, and the check raises it; afterwards the handlers are as they were."""
    before = signal.getsignal(signal.SIGINT)
    with never_lost() as check:
        check()
        Finalised()
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is before


def test_any_other_interrupt_is_raised_at_once() -> None:
    """As without it, and a handler that ignores a signal goes on doing so."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with never_lost() as check:
            signal.raise_signal(signal.SIGTERM)
            check()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_a_thread_has_no_signals() -> None:
    """The check is there and never raises."""
    checks: list[Callable[[], None]] = []

    def work() -> None:
        with never_lost() as check:
            check()
            checks.append(check)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(checks) == 1
