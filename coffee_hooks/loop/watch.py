"""``coffee status --watch``: the status again whenever it changes, on a terminal as a table that stands still.

Nothing is read with git while nothing changes: the times of some files tell (`glance`), and what they cannot tell, as
an edit that nobody staged, is found when all is read again after a while.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.terminal import Screen, can_redraw, lent_screen
from coffee_hooks.base.text import one_line
from coffee_hooks.loop.board import StatusReport, to_text
from coffee_hooks.loop.exchange import catch_up
from coffee_hooks.loop.frame import Look, frame, painted
from coffee_hooks.loop.glance import Glance, glance

TICK_SECONDS = 1.0
"""How often the clock is drawn and the files are looked at."""
LOOK_SECONDS = 5.0
"""The shortest pause between two readings, however much changes."""
AGAIN_SECONDS = 120.0
"""The longest pause between two readings, however little seems to change."""

NEVER = float("-inf")

Read = Callable[[Project], StatusReport]


def due(now: float, read: float, *, changed: bool) -> bool:
    """Whether all is to be read again *now* after it was at *read*, in seconds of one clock. Pure."""
    return now - read >= (LOOK_SECONDS if changed else AGAIN_SECONDS)


@dataclass(slots=True)
class Watch:
    """What was read last, and when (monotonic seconds). *trouble* says why it could not be read since."""

    start: Path
    read: Read
    report: StatusReport | None = None
    trouble: str | None = None
    _read_at: float = field(default=NEVER, init=False)
    _caught_up: float = field(default=NEVER, init=False)
    _seen: Glance = field(default=(), init=False)
    _project: Project | None = field(default=None, init=False)

    def look(self, now: float) -> StatusReport:
        """The status, read again if that is due. Raises what the first reading raises; later ones are tried again."""
        self._catch_up(now)
        seen = self._glance()
        if self.report is not None and not due(now, self._read_at, changed=seen != self._seen):
            return self.report
        try:
            self._read(now)
        except CoffeeError as failed:
            if self.report is None:
                raise
            self.trouble = f"error: {one_line(failed.what)}; trying again"
            self._read_at = now
        assert self.report is not None
        return self.report

    def _read(self, now: float) -> None:
        self._project = project = open_project(self.start)
        self._catch_up(now)
        self._seen = self._glance()  # before it is read: what changes meanwhile is read the next time
        self.report, self.trouble, self._read_at = self.read(project), None, now
        self._seen = (*self._seen[:-1], self._glance()[-1])  # the runs are known only now

    def _catch_up(self, now: float) -> None:
        if self._project is not None and now - self._caught_up >= self._project.config.poll:
            catch_up(self._project)
            self._caught_up = now

    def _glance(self) -> Glance:
        runs = [doing.run for doing in self.report.doing if doing.running] if self.report else []
        return glance(self._project.repo, runs) if self._project is not None else ()


def watch(start: Path, read: Read, as_object: Callable[[StatusReport], Mapping[str, Any]]) -> int:
    """Show the status of *start* until Ctrl-C, which is how this ends: 130. Raises what the first reading raises."""
    seen = Watch(start, read)
    try:
        if can_redraw() and not output.wants_json():
            _redraw(seen)
        _repeat(seen, as_object)
    except KeyboardInterrupt:
        return 130


def _redraw(seen: Watch) -> NoReturn:
    seen.look(time.monotonic())  # an error is told on the screen that stays
    output.configure(loudness=output.Loudness.QUIET)  # narration would fall into the table
    with lent_screen() as screen:
        while True:
            show(screen, seen)
            screen.wait(TICK_SECONDS)


def _repeat(seen: Watch, as_object: Callable[[StatusReport], Mapping[str, Any]]) -> NoReturn:
    """One block, or one JSON object, for each change: for a pipe, and for a terminal that only goes forward."""
    said = ""
    while True:
        report = seen.look(time.monotonic())
        text = json.dumps(as_object(report)) if output.wants_json() else to_text(report)
        if text != said:
            output.answer_json("status", as_object(report))
            output.answer(text)
            said = text
        time.sleep(TICK_SECONDS)


def show(screen: Screen, seen: Watch) -> None:
    """Draw the status as it is now, for the size that the terminal has now."""
    report = seen.look(time.monotonic())
    look = Look(*screen.size(), output.colourful(), output.beyond_ascii())
    screen.draw([painted(line, look) for line in frame(report, time.time(), look, seen.trouble)])
