"""What an agent is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.model import TaskId

LONGEST_SPEC = 60_000
"""Characters of a spec that are quoted; one argument of a process may not exceed 128 KiB on Linux."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task as its agent sees it. *feedback* is what failed last time, None on the first attempt."""

    task: TaskId
    title: str
    item: str
    spec_path: str | None = None
    spec: str = ""
    feedback: str | None = None


def prompt(work: Assignment, worktree: Path, branch: str, gate: tuple[str, ...], extra: str | None = None) -> str:
    """The prompt: task, item, spec, the rules of the house, and on a retry what failed."""
    parts = [f"# {work.task}: {work.title}", work.item.strip()]
    if work.spec_path:
        text = work.spec[:LONGEST_SPEC]
        cut = f"\n[cut here; read the rest in {work.spec_path}]" if len(work.spec) > LONGEST_SPEC else ""
        parts.append(f"## Specification: {work.spec_path}\n\n{text.strip()}{cut}")
    if extra:
        parts.append(extra.strip())
    if work.feedback:
        parts.append(
            f"## What failed last time\n\n{work.feedback.strip()}\n\nYour earlier commits are still here. Repair them."
        )
    tests = " ".join(gate) or "the project's tests"
    parts.append(
        "## Rules\n\n"
        f"- Work only inside {worktree}, on branch {branch}. Change nothing outside it.\n"
        "- Commit your work there. Do not push, merge, rebase or switch branches.\n"
        f"- Before you finish, run: {tests}\n"
        "- Leave nothing uncommitted. Finish with `coffee done`, or with the line"
        " `Status: Ready for merge` in your last commit message.\n"
        "- Do not edit the status of items in the roadmap: it is set when your work lands."
    )
    return "\n\n".join(parts) + "\n"
