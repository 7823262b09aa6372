"""The report of a review as a file: ``REVIEW-<date>-<sha7>.md``, beside the logs or in ``review.reports``."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable

EXCERPT = 6_000
"""Characters of a report that travel with the verdict."""


def publish(project: Project, sha: str, text: str, when: float) -> Path | None:
    """Write *text* into a new file, one that is there is never overwritten; None for an empty one.

    A folder that cannot be written to is said, and the report is kept beside the logs. Raises OSError when that fails.
    """
    if not text:
        return None
    own = project.repo.state_dir / "logs" / "reviews"
    wanted = project.config.review.reports
    if wanted is None:
        return _write(own, sha, text, when)
    try:
        return _write(project.repo.main / wanted, sha, text, when)
    except OSError as failed:
        output.say(f"warning: review.reports cannot be written ({printable(str(failed))}): the report is in {own}")
        return _write(own, sha, text, when)


def _write(folder: Path, sha: str, text: str, when: float) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"REVIEW-{time.strftime('%Y-%m-%d', time.localtime(when))}-{sha[:7]}"
    for number in count(1):
        path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        try:
            file = path.open("x", encoding="utf-8", errors="replace")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(text)
        except OSError:  # half a report is worse than none
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("count never ends")


def excerpt(text: str) -> str:
    """The beginning of a report, whole lines where it has some. Pure."""
    if len(text) <= EXCERPT:
        return text
    cut = text[:EXCERPT]
    return (cut[: cut.rfind("\n") + 1] or cut) + "[more in the report]\n"
