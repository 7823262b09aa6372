"""The configuration as values, with the defaults of the contract. Durations are seconds, sizes bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
Command = tuple[str, ...]

FILE = ".coffee.yaml"


@dataclass(frozen=True, slots=True)
class Gate:
    """The command that decides whether a candidate may land; no command means nothing may."""

    command: Command = ()
    setup: Command = ()
    timeout: Seconds = Seconds(1800)
    retries: int = 1
    jobs: int = 1
    keep: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worktrees:
    """Where worktrees go and what they get."""

    root: str = "../{repo}.worktrees"
    copy: tuple[str, ...] = (".env",)
    setup: Command = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """One way to start an agent: *command* is a preset's name or an argument list."""

    command: str | Command = "claude"
    prompt: str | None = None
    max_parallel: int = 3
    timeout: Seconds = Seconds(7200)
    idle_timeout: Seconds = Seconds(1800)
    retries: int = 2
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine must have free before one more agent is started; *load* is that of each processor."""

    disk: Bytes = Bytes(1 << 30)
    memory: Bytes = Bytes(512 << 20)
    load: int | None = 8


@dataclass(frozen=True, slots=True)
class Ready:
    """What counts as finished: ``managed``, ``required`` or ``none``."""

    signal: str = "managed"
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """The reviewer's command, None for no review. *jobs*: so many reviewers at a time."""

    command: Command | None = None
    reports: str | None = None
    timeout: Seconds = Seconds(1800)
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Evaluate:
    """*risk* above which two tasks are not run together, None for the built-in threshold."""

    risk: float | None = None
    architect: Command | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """*batch* None lets the queue choose; a person has to allow files larger than *largest*, None for no limit."""

    auto: bool = True
    batch: int | None = None
    mark_complete: bool = True
    protect: tuple[str, ...] = (".github/workflows/",)
    largest: Bytes | None = Bytes(50 << 20)


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What follows a landing."""

    after_merge: bool = True
    remote: bool = True
    min_age: Seconds = Seconds(0)
    precious: tuple[str, ...] = (".env*", "*.local", "*.db", "*.sqlite*")


@dataclass(frozen=True, slots=True)
class Hooks:
    """The user's own commands around the phases, and the one that gets each notification; each has *timeout*."""

    after_create: Command = ()
    before_agent: Command = ()
    after_agent: Command = ()
    before_merge: Command = ()
    after_merge: Command = ()
    before_remove: Command = ()
    notify: Command = ()
    timeout: Seconds = Seconds(600)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything ``.coffee.yaml`` can say. *remote* ``auto`` is origin if it exists, None is local only."""

    target: str = "roadmap"
    remote: str | None = "auto"
    shared: bool = False
    roadmap: str | None = None
    specs: str = "docs/architecture/specs"
    gate: Gate = Gate()
    worktrees: Worktrees = Worktrees()
    agent: Agent = Agent()
    agents: Mapping[str, Agent] = field(default_factory=dict)
    limits: Limits = Limits()
    ready: Ready = Ready()
    review: Review = Review()
    evaluate: Evaluate = Evaluate()
    merge: Merge = Merge()
    cleanup: Cleanup = Cleanup()
    hooks: Hooks = Hooks()
    poll: Seconds = Seconds(30)
