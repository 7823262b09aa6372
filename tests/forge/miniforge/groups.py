"""Concurrency groups: in each one run goes on, and by GitHub's default one more may wait."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

from miniforge.workflow import Concurrency


class Member(Protocol):
    """A run, as far as its group is concerned."""

    def cancel(self) -> None:
        """End it, whether it waits or goes on."""


@dataclass
class _Group:
    running: Member | None = None
    waiting: list[Member] = field(default_factory=list)


@dataclass
class Groups:
    """Lets runs go on in the order in which they came."""

    _groups: dict[str, _Group] = field(default_factory=lambda: defaultdict(_Group))
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def join(self, member: Member, wanted: Concurrency) -> None:
        """Get in line, and cancel whoever has to make room: an older one that waits, on request the one that runs."""
        with self._changed:
            group = self._groups[wanted.group]
            losers = list(group.waiting) if wanted.queue == "single" else []
            group.waiting = [member] if losers or wanted.queue == "single" else [*group.waiting, member]
            if wanted.cancel and group.running is not None:
                losers.append(group.running)
            self._changed.notify_all()
        for loser in losers:
            loser.cancel()

    def wait(self, member: Member, name: str) -> bool:
        """Wait for the turn of *member*; False when it lost its place."""
        with self._changed:
            group = self._groups[name]
            self._changed.wait_for(
                lambda: member not in group.waiting or (group.running is None and group.waiting[0] is member)
            )
            if member not in group.waiting:
                return False
            group.waiting.remove(member)
            group.running = member
            return True

    def leave(self, member: Member, name: str) -> None:
        """Let the next one go on."""
        with self._changed:
            group = self._groups[name]
            if group.running is member:
                group.running = None
            self._changed.notify_all()
