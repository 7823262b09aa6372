"""Gate runs side by side, each in a warm clone of its own, and stopped when nobody waits for them any more."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Generic, TypeVar

from coffee_hooks.merge.gate import Run

Key = TypeVar("Key", bound=Hashable)
Work = Callable[[int, Event], Run]
"""Runs the gate in the clone of the given number until it ends, or the event is set."""


@dataclass(slots=True, eq=False)
class _Started:
    number: int
    stop: Event
    work: Work
    thread: Thread | None = None
    result: Run | BaseException | None = None


@dataclass(slots=True)
class Runs(Generic[Key]):
    """At most *jobs* runs at a time. With one job everything happens in the calling thread, where Ctrl-C arrives."""

    jobs: int
    _running: dict[Key, _Started] = field(default_factory=dict)
    _ending: list[_Started] = field(default_factory=list)
    _ended: queue.SimpleQueue[_Started] = field(default_factory=queue.SimpleQueue)
    _unheard: deque[_Started] = field(default_factory=deque)

    def start(self, key: Key, work: Work) -> None:
        """Begin *work*; its end is told by :meth:`wait` under *key*."""
        started = _Started(self._free(), Event(), work)
        self._running[key] = started
        if self.jobs > 1:
            started.thread = Thread(target=self._run, args=(started,), daemon=True)
            started.thread.start()

    def stop(self, key: Key) -> None:
        """End the run under *key* early; nobody hears of it again."""
        started = self._running.pop(key)
        started.stop.set()
        if started in self._unheard:
            self._unheard.remove(started)
        elif started.thread is not None:
            self._ending.append(started)

    def wait(self) -> tuple[Key, int, Run]:
        """Block until a run ends: its key, the number of its clone, which is free now, and what it showed.

        Raises whatever it raised.
        """
        if self.jobs == 1:
            key, started = next(iter(self._running.items()))
            del self._running[key]
            return key, started.number, started.work(started.number, started.stop)
        while True:
            ended = self._unheard.popleft() if self._unheard else self._take()
            for key, started in self._running.items():
                if started is ended:
                    del self._running[key]
                    assert started.result is not None
                    if isinstance(started.result, BaseException):
                        raise started.result
                    return key, started.number, started.result

    def finish(self) -> None:
        """Stop everything and wait until no gate is at work."""
        for key in list(self._running):
            self.stop(key)
        for started in self._ending:
            if started.thread is not None:
                started.thread.join()
        self._ending.clear()

    def _take(self) -> _Started:
        """The next run that ended; without a time limit, a waiting main thread would not hear Ctrl-C everywhere."""
        while True:
            try:
                ended = self._ended.get(timeout=1.0)
            except queue.Empty:
                continue
            if ended in self._ending:
                self._ending.remove(ended)
            return ended

    def _free(self) -> int:
        """The lowest number of a clone that nobody uses; a run that is being stopped still uses its own."""
        while True:
            used = {started.number for started in (*self._running.values(), *self._ending)}
            free = next(number for number in range(1, len(used) + 2) if number not in used)
            if free <= self.jobs:
                return free
            ended = self._take()
            if any(started is ended for started in self._running.values()):
                self._unheard.append(ended)  # not the one that was waited for; its answer still counts

    def _run(self, started: _Started) -> None:
        try:
            started.result = started.work(started.number, started.stop)
        except BaseException as broken:  # noqa: BLE001 - handed to whoever waits
            started.result = broken
        self._ended.put(started)
