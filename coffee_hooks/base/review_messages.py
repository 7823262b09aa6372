"""What a reviewer tells the architect. Reports were written by anybody: each line stays on its line."""

from __future__ import annotations

from dataclasses import dataclass, replace

from coffee_hooks.base.messages import Draft, Level, task_line
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.text import one_line, printable

EXCERPT_LINES = 12
"""How many lines of a report a notification shows."""


@dataclass(frozen=True, slots=True)
class ReviewedWork:
    """A branch that a reviewer has judged at *sha*. *report* is where the report is, *excerpt* its first lines."""

    branch: str
    task: TaskId | None
    sha: Sha
    report: str | None
    excerpt: str


def review_rejected(work: ReviewedWork) -> Draft:
    """The reviewer reports issues to the architect, once per SHA."""
    return replace(_review(work, "Review Rejected", "found issues in"), level=Level.HIGH)


def review_remarks(work: ReviewedWork) -> Draft:
    """The reviewer approved, and had something to say all the same."""
    return _review(work, "Review Approved", "approved, with remarks,")


def _review(work: ReviewedWork, title: str, what: str) -> Draft:
    branch, lines = printable(work.branch), work.excerpt.splitlines()
    more = ["..."] if len(lines) > EXCERPT_LINES else []
    message = "\n".join(
        [
            f"The review {what} {branch} at {work.sha[:12]}.",
            "",
            *task_line(work.task),
            *([f"Report: {printable(work.report)}"] if work.report else []),
            "",
            *(f"> {one_line(line)}" for line in lines[:EXCERPT_LINES]),
            *more,
        ]
    ).rstrip()
    key = f"{title.lower()} {work.branch} {work.sha}"
    return Draft("code-reviewer", f"{title}: {branch}", message, recipient="architect", dedupe_key=key)
