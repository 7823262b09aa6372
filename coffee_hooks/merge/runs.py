"""Gate runs side by side, each in a warm clone of its own, and stopped when nobody waits for them any more."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Event
from typing import Generic, TypeVar

from coffee_hooks.merge.gate import Run

Key = TypeVar("Key", bound=Hashable)
Work = Callable[[int, Event], Run]
"""Runs the gate in the clone of the given number until it ends, or the event is set."""


@dataclass(frozen=True, slots=True, eq=False)
class _Started:
    number: int
    stop: Event
    work: Work
    future: Future[Run] | None


@dataclass(slots=True)
class Runs(Generic[Key]):
    """At most *jobs* runs at a time. With one job everything happens in the calling thread, where Ctrl-C arrives."""

    jobs: int
    _running: dict[Key, _Started] = field(default_factory=dict)
    _ending: list[_Started] = field(default_factory=list)
    _threads: ThreadPoolExecutor | None = None

    def start(self, key: Key, work: Work) -> None:
        """Begin *work*; its end is told by :meth:`wait` under *key*."""
        number, stop = self._free(), Event()
        future = None
        if self.jobs > 1:
            self._threads = self._threads or ThreadPoolExecutor(self.jobs)
            future = self._threads.submit(work, number, stop)
        self._running[key] = _Started(number, stop, work, future)

    def stop(self, key: Key) -> None:
        """End the run under *key* early; nobody hears of it again."""
        started = self._running.pop(key)
        started.stop.set()
        if started.future is not None:
            self._ending.append(started)

    def wait(self) -> tuple[Key, int, Run]:
        """Block until a run ends: its key, the number of its clone, which is free now, and what it showed.

        Raises whatever it raised.
        """
        if self.jobs == 1:
            key = next(iter(self._running))
            started = self._running.pop(key)
            return key, started.number, started.work(started.number, started.stop)
        ended, _ = wait([s.future for s in self._running.values() if s.future], return_when=FIRST_COMPLETED)
        key = next(key for key, started in self._running.items() if started.future in ended)
        started = self._running.pop(key)
        assert started.future is not None
        return key, started.number, started.future.result()

    def finish(self) -> None:
        """Stop everything and wait until no gate is at work."""
        for key in list(self._running):
            self.stop(key)
        if self._threads is not None:
            self._threads.shutdown()
        self._ending.clear()

    def _free(self) -> int:
        """The lowest number of a clone that nobody uses; a run that is being stopped still uses its own."""
        while True:
            used = {started.number for started in (*self._running.values(), *self._ending)}
            free = next(number for number in range(1, len(used) + 2) if number not in used)
            if free <= self.jobs:
                return free
            ended, _ = wait([s.future for s in self._ending if s.future], return_when=FIRST_COMPLETED)
            self._ending = [started for started in self._ending if started.future not in ended]
