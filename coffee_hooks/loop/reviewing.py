"""A review from its order to its verdict, and ``coffee review`` as it is typed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coffee_hooks.base import output, review_messages
from coffee_hooks.base.config import FILE
from coffee_hooks.base.errors import CoffeeError, LockedError, RuleError, UsageError
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.exchange import catch_up, tell_others
from coffee_hooks.loop.landing import check_names
from coffee_hooks.notify import send
from coffee_hooks.notify.courier import handing_over
from coffee_hooks.ready.judge import Code
from coffee_hooks.ready.observe import Candidate, detect_ready
from coffee_hooks.ready.review_report import excerpt, publish
from coffee_hooks.ready.review_run import Finding, run_review
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.state.reviewing import ReviewOrder, stop_file, take_order
from coffee_hooks.state.reviews import Opinion, Reviewed, read_reviews, record
from coffee_hooks.state.store import Store, open_store

LOOK_SECONDS = 0.5


def waits_for_review(candidate: Candidate) -> bool:
    """Whether a branch waits for its review and for nothing else; what waits for a person may hold a secret. Pure."""
    return candidate.codes == {Code.REVIEW_PENDING}


def order_for(project: Project, candidate: Candidate, target: Sha) -> ReviewOrder:
    """What to review of *candidate*: everything since it left the target."""
    said = project.repo.objects("merge-base", target, candidate.branch.tip, ok=(0, 1))
    base = said.text if said.rc == 0 else target
    return ReviewOrder(candidate.branch.tip, candidate.branch.name, candidate.task, base)


def make_review(project: Project, store: Store, order: ReviewOrder) -> Reviewed:
    """Review the commit of *order*, whose file this process holds, write the verdict and tell the architect.

    A run without a verdict never takes the place of one. Raises CoffeeError when the verdict cannot be written.
    """
    repo, sha = project.repo, Sha(order.sha)
    log = repo.state_dir / "logs" / "reviews" / f"{sha[:12]}.log"
    with _watching(stop_file(repo.state_dir, sha)) as stop:
        finding = run_review(project, order, _spec(project, order), log, stop)
    before = read_reviews(repo, project.remote).get(sha) or Reviewed(sha, Opinion.PENDING, order.branch)
    pending = finding.verdict is Opinion.PENDING
    if finding.stopped:
        return replace(before, verdict=Opinion.PENDING, why=finding.why)
    now = time.time()
    report: Path | None = None
    with suppress(OSError):  # the verdict holds without it, and its beginning travels along
        report = publish(project, sha, finding.report, now)
    review = replace(
        before, verdict=finding.verdict, branch=order.branch, report=str(report) if report else None,
        excerpt=_shown(finding), why=finding.why, tries=before.tries + 1 if pending else 0, when=int(now),
    )  # fmt: skip
    if pending and before.final:
        return review
    if not record(repo, review):
        return read_reviews(repo, project.remote).get(sha, review)  # somebody else's word came first
    tell_architect(store, review, order.task)
    return review


def _shown(finding: Finding) -> str:
    """What travels with the verdict; of a rejection without a report what the reviewer complained about, as many do."""
    if finding.report or finding.verdict is not Opinion.REJECTED:
        return excerpt(finding.report)
    return excerpt(finding.complaint)


def tell_architect(store: Store, review: Reviewed, task: str | None) -> None:
    """Once per commit: issues, with high priority, or remarks of a reviewer that approved."""
    known = TaskId(task) if task else None
    work = review_messages.ReviewedWork(review.branch, known, review.sha, review.report, review.excerpt)
    if review.verdict is Opinion.REJECTED:
        send(store, review_messages.review_rejected(work), time.time())
    elif review.verdict is Opinion.APPROVED and review.excerpt:
        send(store, review_messages.review_remarks(work), time.time())


@contextmanager
def _watching(file: Path) -> Iterator[threading.Event]:
    """An event that is set once *file* is there."""
    stop, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_SECONDS):
            if file.exists():
                stop.set()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        over.set()
        thread.join()
        file.unlink(missing_ok=True)


def _spec(project: Project, order: ReviewOrder) -> str:
    """The path of the task's spec, as agents are told it; nothing where nobody knows."""
    if order.task is None:
        return ""
    with suppress(CoffeeError):
        spec = read_plan(project, read_target(project).sha).specs.get(TaskId(order.task))
        return spec.path if spec else ""
    return ""


# --- as it is typed -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """One branch and what came of its review."""

    order: ReviewOrder
    review: Reviewed


def review_for(start: Path, branch: str | None) -> int:
    """Answer ``coffee review``: 0 all approved, 1 one rejected, 4 one without a verdict."""
    project = open_project(start)
    if project.config.review.command is None:
        raise UsageError("no reviewer is configured", hint=f"set review.command in {FILE}")
    check_names(project, [branch] if branch is not None else [])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    catch_up(project)
    target = read_target(project)
    with open_store(project.repo.state_dir) as store, handing_over(project, store):
        readiness = detect_ready(project, store, target, [branch] if branch else [])
        chosen = _chosen(readiness.candidates, branch)
        done = [
            each
            for candidate in chosen
            if (each := _review_one(project, store, order_for(project, candidate, target.sha), branch)) is not None
        ]
    tell_others(project)
    _print(done, branch)
    words = {each.review.verdict for each in done}
    return 1 if Opinion.REJECTED in words else 4 if Opinion.PENDING in words else 0


def _chosen(candidates: Sequence[Candidate], branch: str | None) -> list[Candidate]:
    if branch is None:
        return [candidate for candidate in candidates if waits_for_review(candidate)]
    if not candidates:
        raise UsageError(f"there is no open branch {printable(branch)}", hint="coffee detect-ready")
    if Code.NO_COMMITS in candidates[0].codes:
        raise RuleError(f"{printable(branch)} has no commits to review", hint="coffee detect-ready")
    return list(candidates)


def _review_one(project: Project, store: Store, order: ReviewOrder, named: str | None) -> Asked | None:
    """Raises LockedError where a named branch is being reviewed already; others are left to whoever is at it."""
    turn = take_order(project.repo.state_dir, order)
    if turn is None:
        if named:
            raise LockedError(f"{printable(named)} is being reviewed right now", hint="coffee status")
        return None
    try:
        known = read_reviews(project.repo, project.remote).get(Sha(order.sha))
        if known is not None and known.final and not named:
            return Asked(order, known)  # since we looked
        output.say(f"reviewing {printable(order.branch)} at {order.sha[:12]}")
        return Asked(order, make_review(project, store, order))
    finally:
        turn.finish()


def _print(done: Sequence[Asked], named: str | None) -> None:
    rows = [_row(each) for each in done]
    output.answer_json("review", {**(rows[0] if named else {}), "reviews": rows})
    lines = []
    for each in done:
        review = each.review
        lines.append(f"{printable(each.order.branch)}: {review.verdict.value} at {each.order.sha[:12]}")
        lines += [f"    {part}" for part in (printable(review.why), printable(review.report or "")) if part]
    output.answer("\n".join(lines) or "no branch waits for a review")


def _row(each: Asked) -> dict[str, Any]:
    review = each.review
    return {
        "branch": each.order.branch, "task": each.order.task, "sha": each.order.sha, "verdict": review.verdict.value,
        "report": review.report, "reason": review.why or None,
    }  # fmt: skip
