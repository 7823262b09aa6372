"""One run of the reviewer: the commit in a clone of its own, the target's command, and what its end means."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from coffee_hooks.base.capture import Captured, capture
from coffee_hooks.base.clone import Clone, discard
from coffee_hooks.base.config import Review
from coffee_hooks.base.environment import for_children
from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import OID, GitFailed
from coffee_hooks.base.model import Sha
from coffee_hooks.base.placeholders import fill
from coffee_hooks.base.process import End, Ended, end_marked, run
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.state.reviewing import ReviewOrder
from coffee_hooks.state.reviews import Opinion

REPORT_LIMIT = 256 * 1024
"""Bytes of a report that are kept."""
COMPLAINT = 4 * 1024
"""Bytes of stderr that stand for a report where there is none."""
DISK_NEEDED = 16 * 1024 * 1024
FOLDER = "review-"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a run: for PENDING *why* there is no verdict. *stopped*: nobody wanted to know any more.

    *complaint* is the end of what it wrote to stderr.
    """

    verdict: Opinion
    why: str = ""
    report: str = ""
    complaint: str = ""
    stopped: bool = False


def review_clone(project: Project, sha: str) -> Clone:
    """Where a commit is reviewed: beside the worktrees, as gates are."""
    return Clone(project.worktrees_root / f"{FOLDER}{sha[:_DIGITS]}", project.repo.common_dir / "objects")


def run_review(project: Project, order: ReviewOrder, spec: str, log: Path, stop: Event) -> Finding:
    """Run the reviewer on the commit of *order*; *log* gets what it complains about. Nothing of the run stays."""
    clone, made = review_clone(project, order.sha), False
    try:
        end_review(clone)
        if clone.foreign is not None:
            raise CoffeeError(f"{clone.foreign} is not a clone of coffee", hint="move it away")
        clone.make(len(order.sha))
        made = True
        clone.bring(Sha(order.sha))
        return _run_in(clone, project, order, spec, log, stop)
    except GitFailed as failed:
        return Finding(Opinion.PENDING, f"the commit could not be checked out ({printable(failed.detail)})")
    except CoffeeError as failed:
        return Finding(Opinion.PENDING, printable(failed.what))
    except OSError as failed:
        return Finding(Opinion.PENDING, f"the reviewer could not be run ({printable(failed.strerror or str(failed))})")
    finally:
        with suppress(OSError):  # what cannot go now goes with the next run
            end_review(clone)
            if made:  # also without the mark by which anybody else would know it
                discard(clone.path)
        _trim(log)


def _trim(log: Path) -> None:
    """Keep the end of a log that a chatty reviewer has written."""
    with suppress(OSError), log.open("r+b") as file:
        size = file.seek(0, 2)
        if size > REPORT_LIMIT:
            file.seek(size - REPORT_LIMIT)
            rest = file.read()
            file.seek(0)
            file.write(rest)
            file.truncate()


def end_review(clone: Clone) -> None:
    """End what a run left at work in *clone*, and remove the clone where it is ours."""
    end_marked("COFFEE_WORKTREE", (str(clone.path),))
    if clone.foreign is None and clone.borrows in (None, clone.objects):
        shutil.rmtree(clone.making, ignore_errors=True)
        discard(clone.path)


def leftover_clones(project: Project) -> list[Clone]:
    """The clones of reviews that are there, going on or not."""
    root = project.worktrees_root
    shas = (path.name.removeprefix(FOLDER) for path in (root.glob(f"{FOLDER}*") if root.is_dir() else ()))
    return [review_clone(project, sha) for sha in sorted(shas) if len(sha) == _DIGITS]


def commit_in(clone: Clone) -> str | None:
    """The commit that *clone* was made for; None where it does not say, and the next review there removes it."""
    with suppress(OSError, UnicodeDecodeError):
        said = (clone.git_dir / "HEAD").read_text().strip()
        return said if OID.fullmatch(said) and clone.path.name == f"{FOLDER}{said[:_DIGITS]}" else None
    return None


def _run_in(clone: Clone, project: Project, order: ReviewOrder, spec: str, log: Path, stop: Event) -> Finding:
    review = project.config.review
    values = {
        "task": order.task or "", "branch": order.branch, "worktree": str(clone.path), "base": order.base, "spec": spec,
    }  # fmt: skip
    argv = fill(review.command or (), values)
    begin = log.stat().st_size if log.exists() else 0
    with capture(REPORT_LIMIT) as (stdout, captured):
        ended = run(
            argv, cwd=clone.path, env=for_children(_environment(project, clone, order, spec)), log=log,
            seconds=review.timeout, stop=stop, stdout=stdout,
        )  # fmt: skip
        end_marked("COFFEE_WORKTREE", (str(clone.path),))
    verdict, why = conclude(ended, review, _free(clone.path))
    return Finding(verdict, why, harmless(captured), _end_of(log, begin), ended.end is End.STOPPED)


def _end_of(log: Path, begin: int) -> str:
    """The end of what was written to *log* from the byte *begin* on."""
    captured = Captured(COMPLAINT)
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(begin, file.seek(0, 2) - COMPLAINT))
        captured.take(file.read(COMPLAINT))
    return harmless(captured)


def _environment(project: Project, clone: Clone, order: ReviewOrder, spec: str) -> Mapping[str, str]:
    return {
        "COFFEE_TASK_ID": order.task or "", "COFFEE_BRANCH": order.branch, "COFFEE_WORKTREE": str(clone.path),
        "COFFEE_ROOT": str(project.repo.main), "COFFEE_BASE_SHA": order.base, "COFFEE_SPEC": spec,
        "PWD": str(clone.path),
    }  # fmt: skip


def _free(folder: Path) -> int:
    """Bytes that are free around *folder*, which the reviewer may have taken away."""
    return shutil.disk_usage(next(parent for parent in (folder, *folder.parents) if parent.exists())).free


def conclude(ended: Ended, review: Review, free_bytes: int) -> tuple[Opinion, str]:
    """What a finished run means: exit 0 approved, 1 rejected, anything else no verdict, and why not. Pure.

    Most programs fail with 1 where there is no room: that is no word about the commit.
    """
    name = one_line((review.command or ("",))[0])
    if ended.end is End.STOPPED:
        return Opinion.PENDING, "the review was stopped"
    if ended.end is End.TIMED_OUT:
        return Opinion.PENDING, f"the reviewer did not end within {review.timeout:.0f} s (review.timeout)"
    if ended.end is not End.EXITED or ended.rc is None:
        return Opinion.PENDING, f"the review command {name!r} was not found"
    if ended.rc < 0:
        return Opinion.PENDING, f"the reviewer was killed by signal {-ended.rc}"
    if ended.rc and free_bytes < DISK_NEEDED:
        return Opinion.PENDING, f"the reviewer ended with {ended.rc} and the disk is full"
    words = {0: Opinion.APPROVED, 1: Opinion.REJECTED}
    return words.get(ended.rc, Opinion.PENDING), "" if ended.rc in words else f"the reviewer ended with {ended.rc}"


def harmless(captured: Captured) -> str:
    """The report as text that may be shown anywhere: UTF-8, its own lines and tabs, and no control characters."""
    text = bytes(captured.kept).decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    clean = "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n")).strip("\n")
    if captured.total > captured.limit:
        clean += f"\n\n[cut off: the reviewer wrote {captured.total} bytes]"
    return f"{clean}\n" if clean.strip() else ""
