"""Runs side by side: every answer is heard once, a stopped one never, and no two share a clone."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from threading import Event

import pytest

from coffee_hooks.merge.gate import Outcome, Run
from coffee_hooks.merge.runs import Runs


def test_whatever_is_stopped_every_other_answer_is_heard_once() -> None:
    """Four slots, a hundred runs, every third stopped: also where an answer comes while a slot is waited for."""
    chance, lock, busy = random.Random(1), threading.Lock(), set[int]()
    runs: Runs[int] = Runs(4)

    def work(seconds: float) -> Callable[[int, Event], Run]:
        def test(number: int, stop: Event) -> Run:
            with lock:
                assert number not in busy and number <= 4
                busy.add(number)
            stopped = stop.wait(seconds)
            time.sleep(0.005 if stopped else 0)  # it takes a moment to end
            with lock:
                busy.remove(number)
            return Run(Outcome.GREEN, seconds, None)

        return test

    running, heard, stopped = list[int](), list[int](), list[int]()
    for key in range(100):
        while len(running) >= 4:
            ended, _, _ = runs.wait()
            running.remove(ended)
            heard.append(ended)
        runs.start(key, work(chance.uniform(0, 0.01)))
        running.append(key)
        if key % 3 == 0:
            gone = chance.choice(running)
            running.remove(gone)
            stopped.append(gone)
            runs.stop(gone)
    while running:
        ended, _, _ = runs.wait()
        running.remove(ended)
        heard.append(ended)
    runs.finish()
    assert sorted(heard + stopped) == list(range(100)) and not busy


def test_what_a_run_raises_reaches_whoever_waits() -> None:
    """An error in a thread is never lost."""
    runs: Runs[str] = Runs(2)

    def broken(_number: int, _stop: Event) -> Run:
        raise OSError(28, "No space left on device")

    runs.start("a", broken)
    with pytest.raises(OSError, match="No space left"):
        runs.wait()
    runs.finish()
