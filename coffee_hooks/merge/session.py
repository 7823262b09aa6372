"""One call of merge: what it works on, and what has come of it so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import Target
from coffee_hooks.merge.candidate import State, Work
from coffee_hooks.merge.record import Green
from coffee_hooks.merge.result import Result, Settings
from coffee_hooks.merge.suspects import Touched
from coffee_hooks.state.store import Store
from coffee_hooks.state.timings import Timing, note


@dataclass(slots=True)
class Merging:
    """One merge run: the target as it is now, what the gate said, and how each branch ended.

    *furnish* copies into a gate clone what `worktrees.copy` names. *tell* hears each result as soon as there is one.
    *flaky* are the branches of candidates whose runs disagreed. Where nothing may land, *greens* are what would, and
    *ahead* is the target that it would give.
    """

    project: Project
    store: Store
    settings: Settings
    proof: LockProof
    target: Target
    furnish: Callable[[Path], None]
    tell: Callable[[Result], None] = lambda _result: None
    results: dict[Work, Result] = field(default_factory=dict)
    flaky: list[str] = field(default_factory=list)
    gates: list[tuple[float, float]] = field(default_factory=list)
    greens: list[Green] = field(default_factory=list)
    ahead: State | None = None
    touched: dict[Work, Touched] = field(default_factory=dict)
    origin: Sha = field(init=False)
    """Where the target was before anything landed."""

    def __post_init__(self) -> None:
        self.origin = self.target.sha

    def settle(self, work: Work, result: Result) -> None:
        """That is how it ended."""
        self.results[work] = result
        self.tell(result)

    def note(self, timing: Timing) -> None:
        """Keep *timing* for the metrics."""
        note(self.store, timing)
