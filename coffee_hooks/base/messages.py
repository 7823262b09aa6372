"""The sentences people read, as functions of values. What they quote is hostile: it stays on its line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.text import one_line, printable

NAMED = 8
"""How many tasks the title of a batch names before it only counts them."""
FEATURES = 50
"""How many subjects a landing lists before it only counts them."""

_CO_AUTHOR = re.compile(
    r"co-authored-by:[ \t]*(?P<name>[^<>\s][^<>\n]*?)[ \t]*<(?P<email>[^<>\s]+)>[ \t]*", re.IGNORECASE
)


class Level(Enum):
    """How much a notification matters."""

    INFO = "info"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Draft:
    """A notification to be sent. *recipient* None: everybody. A *dedupe_key* reaches a recipient once."""

    sender: str | None
    title: str
    message: str
    level: Level = Level.INFO
    recipient: str | None = None
    sound: bool = False
    dedupe_key: str | None = None


# --- notifications --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadyWork:
    """A branch that is ready to land; *task* is None where nobody knows it."""

    branch: str
    target: str
    task: TaskId | None
    sha: Sha
    commits_ahead: int
    last_commit: str


def ready_for_merge(work: ReadyWork) -> Draft:
    """The orchestrator tells the architect, once per SHA."""
    branch = printable(work.branch)
    message = "\n".join(
        [
            f"Parallel work in {branch} is ready for merge to {printable(work.target)}.",
            "",
            *task_line(work.task),
            f"Commits Ahead: {work.commits_ahead}",
            f"Last Commit: {one_line(work.last_commit)}",
            "",
            "Action Required:",
            "1. Use merge-worktree-branches skill to merge",
            "2. Run tests after merge",
            "3. Push to remote",
            "4. Notify orchestrator when ready for cleanup",
            "",
            "Command:",
            merge_command(work.branch, work.task),
        ]
    )
    return Draft(
        sender="orchestrator",
        title=f"Worktree Ready for Merge: {branch}",
        message=message,
        level=Level.HIGH,
        recipient="architect",
        dedupe_key=f"ready {work.branch} {work.sha}",
    )


def merge_complete(branch: str, target: str, task: TaskId | None, sha: Sha) -> Draft:
    """The architect tells the orchestrator that *branch* landed at *sha*."""
    return Draft(
        sender="architect",
        title="Merge Complete",
        message=f"{printable(branch)} merged to {printable(target)}{_in_brackets(task)}",
        recipient="orchestrator",
        dedupe_key=f"merged {branch} {sha}",
    )


def merge_command(branch: str, task: TaskId | None) -> str:
    """What a person types to land *branch*."""
    number = () if task is None else ("--us-number", task.removeprefix("US-"))
    return printable(shlex.join(("architect", "merge-worktree-branches", "--merge", branch, *number)))


def task_line(task: TaskId | None) -> list[str]:
    """The line that names the task, as workflow.md writes it; none where nobody knows it."""
    if task is None:
        return []
    return [f"US Number: {printable(task)}" if task.startswith("US-") else f"Task: {printable(task)}"]


def _in_brackets(task: TaskId | None) -> str:
    return f" ({printable(task)})" if task else ""


# --- narration ------------------------------------------------------------------------------------

CREATED_WORKTREES = "🌿 Created worktrees for parallel execution:"
EXECUTION_COMPLETE = "✅ Parallel execution complete, state saved"


def created_worktree(worktree: str, branch: str, task: TaskId) -> str:
    return f"  - {printable(worktree)} ({printable(branch)}) → {printable(task)}"


def spawned(pid: int, task: TaskId, worktree: str) -> str:
    return f"🚀 code_developer spawned (PID {pid}) for {printable(task)} in {_last_name(worktree)}"


def running(pid: int, task: TaskId, seconds: float) -> str:
    """The progress line of every poll; *seconds* since the start of the agent."""
    minutes = int(max(seconds, 0) // 60)
    return f"code_developer (PID {pid}) for {printable(task)}: Running ({minutes} min elapsed)"


def notified_architect(branch: str, task: TaskId | None) -> str:
    return f"📬 Notified architect to merge {printable(branch)}{_in_brackets(task)}"


def notified_orchestrator(branch: str) -> str:
    return f"✅ Merge complete for {printable(branch)}, notified orchestrator"


def cleanup_requested(branch: str) -> str:
    return f"🧹 Cleanup requested for {printable(branch)}"


def removed_worktrees(worktrees: Iterable[str]) -> str:
    return f"🧹 Removed worktrees: {', '.join(_last_name(worktree) for worktree in worktrees)}"


def deleted_remote_branches(branches: Iterable[str]) -> str:
    return f"🧹 Deleted remote branches: {', '.join(printable(branch) for branch in branches)}"


def check_passed(tests: int | None = None) -> list[str]:
    """The three lines of a good ``--check``; *tests* where the gate says how many there were."""
    count = "" if tests is None else f" ({tests} tests)"
    return [f"✅ Tests passing{count}", "✅ No conflicts detected", "✅ Ready for merge"]


def _last_name(path: str) -> str:
    return printable(PurePath(path).name or path)


# --- what a landing writes ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LandedWork:
    """One task that lands: *subjects* of its non-merge commits, the *gate* that passed in *seconds*.

    *restores* are the commits that had taken it back.
    """

    branch: str
    task: TaskId | None
    title: str
    sha: Sha
    subjects: Sequence[str]
    co_authors: Sequence[str]
    gate: Sequence[str]
    seconds: float
    restores: Sequence[Sha] = ()


def landing_message(work: LandedWork) -> str:
    """The message of a task's merge commit; its last paragraph is one block of git trailers."""
    title = ": ".join(filter(None, [f"Merge parallel work from {printable(work.branch)}", _name_of(work)]))
    command = one_line(shlex.join(work.gate)) if work.gate else "gate"
    paragraphs = [
        [title],
        [f"This brings back what commit {sha} had reverted." for sha in work.restores],
        _features(work.subjects),
        [f"Tests: All passing ({command}, {work.seconds:.0f} s)", "Status: Ready for production"],
        [
            *(f"Co-authored-by: {one_line(author)}" for author in dict.fromkeys(work.co_authors)),
            *([f"Coffee-Task: {one_line(work.task)}"] if work.task else []),
            f"Coffee-Branch: {printable(work.branch)}",
            *(f"Coffee-Restores: {sha}" for sha in work.restores),
            f"Coffee-Sha: {work.sha}",
        ],
    ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines) + "\n"


def batch_message(members: Sequence[tuple[str | None, str, Sha]], gate: Sequence[str], seconds: float) -> str:
    """The message of the one commit that lands several (task, branch, tip) together."""
    named = [one_line(task or branch) for task, branch, _ in members]
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    names = ", ".join(named[:NAMED]) + more
    command = one_line(shlex.join(gate)) if gate else "gate"
    lines = [
        f"Land {names} ({len(members)} task{'' if len(members) == 1 else 's'})",
        "",
        f"Tests: All passing ({command}, {seconds:.0f} s)",
        "Status: Ready for production",
        "",
        *(f"Coffee-Sha: {sha}" for _, _, sha in members),
    ]
    return "\n".join(lines) + "\n"


def co_authors(messages: Iterable[str]) -> tuple[str, ...]:
    """The ``Name <address>`` of every Co-authored-by line of *messages*, each address once, in order."""
    found: dict[str, str] = {}
    for message in messages:
        for line in message.splitlines():
            if match := _CO_AUTHOR.fullmatch(line):
                author = f"{one_line(match['name'])} <{one_line(match['email'])}>"
                found.setdefault(match["email"].lower(), author)
    return tuple(found.values())


def _name_of(work: LandedWork) -> str:
    return " - ".join(filter(None, [one_line(work.task or ""), one_line(work.title)]))


def _features(subjects: Sequence[str]) -> list[str]:
    lines = [f"- {subject}" for subject in map(one_line, subjects) if subject]
    rest = len(lines) - FEATURES
    shown = [*lines[:FEATURES], f"- and {rest} more"] if rest > 0 else lines
    return ["Features:", *shown] if shown else []
