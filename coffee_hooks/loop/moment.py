"""What the steps of one round share, and what the loop remembers from round to round."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from coffee_hooks.base import messages
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import Target
from coffee_hooks.loop.signs import Signs
from coffee_hooks.notify import send
from coffee_hooks.spawn.signs import Silence
from coffee_hooks.state.agents import latest_run
from coffee_hooks.state.claims import Claim, owner_here
from coffee_hooks.state.store import Store

NEVER = float("inf")
VETOES = 3
"""So often the user's hook is asked for a branch before the loop says that only a person can help."""

Tell = Callable[[str, Mapping[str, Any]], None]
"""Receives every event as its name and its fields."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller asked for. *poll* and *wait* (for another loop) are seconds; None: as configured."""

    agent: str | None = None
    most: int | None = None
    poll: float | None = None
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A branch at *tip* did not land on *target*; it is not tried again before *until* (monotonic seconds).

    *vetoed*: the user's hook keeps it.
    """

    tip: Sha
    target: Sha
    until: float
    times: int
    vetoed: bool = False

    @property
    def passing(self) -> bool:
        """Whether a loop that ends when nothing is left still waits for it; for a hook it does so a few times."""
        return self.until < NEVER and not (self.vetoed and self.times >= VETOES)


@dataclass(slots=True)
class Memory:
    """What is remembered so that nothing is looked at twice; losing it costs time alone. Times are monotonic.

    *signs* are those that the next wait compares with. *planned* is what the refs said when there was nothing more to
    start, *crowded* that the machine had no room for it, *cleaned* the target for which everything was removed.
    *failed_starts* in a row put off the next start of agents until *start_again*. *gates* are (started, ended) in UNIX
    seconds. *held*, *unreviewed* and *protected* are branches that wait for a person. *reviews* are how often and when
    (in UNIX seconds) a commit's review was started, *reviewing* the branches of those whose end was not heard of yet,
    *told* those that the architect has. *unwatched* are the runs that lost their supervisor.
    """

    signs: Signs = field(default_factory=Signs)
    fetched: float = -NEVER
    narrated: float = -NEVER
    planned: object = None
    crowded: bool = False
    cleaned: Target | None = None
    clean_again: float = NEVER
    refused: dict[str, Refusal] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    unreviewed: dict[str, str] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    reviews: dict[Sha, tuple[int, float]] = field(default_factory=dict)
    reviewing: dict[Sha, str] = field(default_factory=dict)
    told: set[Sha] = field(default_factory=set)
    unwatched: dict[int, Silence] = field(default_factory=dict)
    failed_starts: int = 0
    start_again: float = -NEVER
    gates: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Moment:
    """One round: where we are, and what it leaves to the next.

    *trouble* is the first failure of the environment, *waiting* says that something will be tried again later,
    *stranded* that a claim of ours never got its agent.
    """

    project: Project
    store: Store
    target: Target
    wishes: Wishes
    memory: Memory
    tell: Tell
    claims: Mapping[TaskId, Claim] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    reviewing: Collection[Sha] = frozenset()
    landed: bool = False
    trouble: CoffeeError | None = None
    waiting: bool = False
    stranded: bool = False

    @property
    def poll(self) -> float:
        """Seconds between two looks at the world outside."""
        return self.wishes.poll if self.wishes.poll is not None else self.project.config.poll

    def is_ours(self, claim: Claim) -> bool:
        """Whether this machine may act on a claim: it made it, or it has run its agent."""
        run = latest_run(self.store, claim.task)
        return claim.owner == owner_here(self.project) or (run is not None and run.branch == claim.branch)

    def notify(self, title: str, text: str, key: str) -> None:
        """Tell the user once for each *key*."""
        level = messages.Level.HIGH
        draft = messages.Draft("orchestrator", title, text, level, "user_listener", dedupe_key=key)
        send(self.store, draft, time.time())
