"""The orchestrator: rounds over the phases; it never waits for an agent, and picks up where any earlier one stopped."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from coffee_hooks.base import output
from coffee_hooks.base.config import FILE
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.base.process import reap
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import Target, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.exchange import tell_others
from coffee_hooks.loop.moment import Memory, Moment, Tell, Wishes
from coffee_hooks.loop.preview import preview
from coffee_hooks.loop.round import Activity, play
from coffee_hooks.loop.signs import look, modified, wait_for_sign
from coffee_hooks.spawn.living import living_orders
from coffee_hooks.state.claims import ClaimState, read_claims
from coffee_hooks.state.store import Store, open_store

MANY_FAILURES = 3
"""Rounds in a row that the environment may fail, with nobody at work, before a loop that is to end gives up."""


class Until(Enum):
    """When the loop ends by itself."""

    STOPPED = "stopped"
    IDLE = "idle"
    ONE_ROUND = "one-round"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the configuration comes from: its *texts* in the target's *commits*, and when *files* here were changed."""

    commits: tuple[Sha | None, ...] = field(compare=False)
    texts: tuple[bytes, ...]
    files: tuple[int, ...]


@dataclass(slots=True)
class Orchestrator:
    """One loop over one repository, around the folder *start*."""

    start: Path
    tell: Tell
    wishes: Wishes = field(default_factory=Wishes)
    memory: Memory = field(default_factory=Memory)
    project: Project = field(init=False)
    _opened: Stamp | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    _said: str = field(default="", init=False)
    _worked: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.project = open_project(self.start)

    def run(self, until: Until) -> int:
        """Go round until *until*; 0, or 1 when something is blocked.

        Raises LockedError when another loop runs here, UsageError when the configuration, the roadmap or the target
        cannot be worked with, EnvironmentFailure when the environment fails for good. What breaks only later is waited
        for, and a configuration that does goes on as it was before.
        """
        with hold(self.project.repo, "run", wait=self.wishes.wait):
            self._opened = self._opened or self._stamp(read_target(self.project))
            self._require_gate()
            while True:
                activity = self._round(until)
                if until is Until.ONE_ROUND or (until is Until.IDLE and activity is Activity.IDLE):
                    return self._end()
                if activity is not Activity.PROGRESS:
                    poll = self.wishes.poll if self.wishes.poll is not None else self.project.config.poll
                    wait_for_sign(self.project.repo, self.memory.signs, poll)

    def _require_gate(self) -> None:
        if self.project.config.merge.auto and not self.project.config.gate.command:
            raise UsageError("no gate is configured, so nothing could land", hint=f"set gate.command in {FILE}")

    def _round(self, until: Until) -> Activity:
        """One round; a failure of the environment is told once and leaves something to wait for."""
        reap()
        self.memory.signs = look(self.project.repo)
        moment: Moment | None = None
        try:
            # Opened for each round: the database may be deleted meanwhile.
            with open_store(self.project.repo.state_dir) as store:
                moment = self._look_around(store)
                if moment.trouble is not None and until is Until.ONE_ROUND:
                    raise moment.trouble
                activity = play(moment)
        except (CoffeeError, OSError) as error:
            failed = error if isinstance(error, CoffeeError) else _of_the_system(error)
            # The kernel knows of agents also when the database cannot be opened, as on a full disk.
            busy = (moment is not None and bool(moment.busy)) or any(living_orders(self.project.repo.state_dir))
            self._failures += not busy
            gives_up = until is Until.IDLE and self._failures >= MANY_FAILURES
            never_worked = failed.exit_code == UsageError.exit_code and not self._worked
            if until is Until.ONE_ROUND or never_worked or gives_up:
                raise
            self._complain(failed, "trying again")
            return Activity.WAITING
        self._worked = True
        if not moment.waiting:
            self._failures, self._said = 0, ""
        return activity

    def _look_around(self, store: Store) -> Moment:
        """Fetch when it is time to, and open the project again when its configuration has changed."""
        trouble = self._fetch()
        target = read_target(self.project)
        if (stamp := self._stamp(target)) != self._opened:
            self._reload()
            target = read_target(self.project)
        self._opened = stamp
        return Moment(self.project, store, target, self.wishes, self.memory, self.tell, trouble=trouble)

    def _reload(self) -> None:
        """Open the project again; one that cannot be worked with is told, and the last good one stays."""
        before = self.project
        try:
            self.project = open_project(self.start)
            self._require_gate()
        except UsageError as broken:
            self.project = before
            self._complain(broken, "going on with what was configured before")

    def _stamp(self, target: Target) -> Stamp:
        """Everything that decides how the project is configured."""
        repo, committed = self.project.repo, (target.local, target.remote)
        files = (modified(repo.common_dir / "config"), modified(repo.main / FILE))
        if self._opened is not None and self._opened.commits == committed:
            return Stamp(committed, self._opened.texts, files)
        texts = read_blobs(repo, [f"{sha}:{FILE}" for sha in dict.fromkeys(committed) if sha])
        return Stamp(committed, tuple(texts.values()), files)

    def _fetch(self) -> CoffeeError | None:
        poll = self.wishes.poll if self.wishes.poll is not None else self.project.config.poll
        if self.project.remote is None or time.monotonic() - self.memory.fetched < poll:
            return None
        try:
            fetch(self.project)
        except EnvironmentFailure as gone:  # agents go on, and what is known here can be worked with
            return gone
        tell_others(self.project)
        self.memory.fetched = time.monotonic()
        return None

    def _complain(self, failed: CoffeeError, then: str) -> None:
        if failed.what == self._said:
            return
        self._said = failed.what
        output.say(f"error: {printable(failed.what)}; {then}")
        self.tell("error", {"reason": failed.what, "hint": failed.hint or None})

    def _end(self) -> int:
        claims = read_claims(self.project.repo).values()
        blocked = sorted(claim.task for claim in claims if claim.state is ClaimState.BLOCKED)
        held = sorted({*self.memory.held, *self.memory.unreviewed, *self.memory.protected})
        self.tell("idle", {"blocked": blocked, "held": held})
        return 1 if blocked or held else 0


def _of_the_system(error: OSError) -> EnvironmentFailure:
    """What the system said of a file, as a failure that may pass: a full disk, a lost terminal."""
    where = f": {error.filename}" if error.filename else ""
    return EnvironmentFailure(f"{error.strerror or error}{where}", hint="check disk space and rights")


@dataclass(frozen=True, slots=True)
class RunAsk:
    """``coffee run`` as typed."""

    until: Until
    wishes: Wishes
    dry_run: bool


def run_for(start: Path, ask: RunAsk) -> int:
    """Answer ``coffee run``; a request to end is Ctrl-C."""

    def tell(event: str, fields: Mapping[str, Any]) -> None:
        try:
            output.answer_json("run", {"event": event, "at": round(time.time(), 3), **fields})
        except OSError as deaf:  # a full disk, a lost terminal; the next ones go nowhere
            output.say(f"warning: events are not written any more: {deaf.strerror}")

    if ask.dry_run:
        project = open_project(start)
        with open_store(project.repo.state_dir) as store:
            for change in preview(project, store, ask.wishes.most):
                output.answer(change)
                tell("planned", {"change": change})
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asked for it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    code = Orchestrator(start, tell, ask.wishes).run(ask.until)
    if ask.until is Until.IDLE:
        output.answer("nothing is left to do" if code == 0 else "what is left is blocked; see: coffee status")
    return code
