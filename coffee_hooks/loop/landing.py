"""Merge what is ready: the meeting of readiness and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import fetch, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.guard.cfr_013 import branch_allowed
from coffee_hooks.merge.candidate import Work
from coffee_hooks.merge.land import Pushing, recover
from coffee_hooks.merge.merge import Merging, Result, Settings
from coffee_hooks.ready.judge import WAIVED_BY_NAME, Code, Reason
from coffee_hooks.ready.observe import Candidate, Readiness, detect_ready
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What one merge did. *pushed* is None without a remote; *gates* are (started, ended) in UNIX seconds."""

    target: str
    before: Sha
    after: Sha
    pushed: bool | None
    gate_runs: int
    results: tuple[Result, ...]
    gates: tuple[tuple[float, float], ...] = ()

    @property
    def good(self) -> bool:
        """Whether every branch ended as was asked."""
        return all(result.good for result in self.results)


def merge_branches(
    project: Project,
    store: Store,
    names: Sequence[str],
    settings: Settings,
    *,
    wait: float = 0.0,
    tell: Callable[[Result], None] = lambda _result: None,
) -> MergeReport:
    """Merge the branches *names*, or all that are ready, oldest claim first.

    Raises LockedError when another merge runs, UsageError for a name that cannot be merged at all.
    """
    for name in names:
        if name == project.config.target or not branch_allowed(name, project.config.target):
            raise UsageError(f"{printable(name)} is no branch that can be merged", hint="coffee detect-ready")
    with hold(project.repo, "merge", wait=wait) as proof:
        if settings.pushing is Pushing.PUSH:
            fetch(project)
        target = read_target(project)
        recover(project, target, proof)
        target = read_target(project)
        readiness = detect_ready(project, store, target, names)
        merging = Merging(project, store, settings, proof, target)
        results = []
        for chosen in choose(project, readiness, names):
            result = chosen if isinstance(chosen, Result) else merging.merge(chosen)
            results.append(result)
            tell(result)
        landed = any(result.outcome == "landed" for result in results)
        pushed = None if project.remote is None else landed and settings.pushing is Pushing.PUSH
        return MergeReport(
            project.config.target, target.sha, merging.target.sha, pushed, merging.gate_runs, tuple(results),
            tuple(merging.gate_intervals),
        )  # fmt: skip


def choose(project: Project, readiness: Readiness, names: Sequence[str]) -> list[Work | Result]:
    """What to merge, in order, and the answers that need no merge."""
    by_name = {candidate.branch.name: candidate for candidate in readiness.candidates}
    if not names:
        claims = {claim.branch: claim for claim in read_claims(project.repo).values()}
        ready = [candidate for candidate in readiness.candidates if candidate.ready]
        ready.sort(
            key=lambda c: (claims[c.branch.name].since if c.branch.name in claims else 0, _numbers(c.branch.name))
        )
        return [_work(project, readiness.target_sha, candidate) for candidate in ready]
    return [_named(project, readiness, name, by_name.get(name)) for name in dict.fromkeys(names)]


def _named(project: Project, readiness: Readiness, name: str, candidate: Candidate | None) -> Work | Result:
    if candidate is None:
        return _absent(project, readiness, name)
    standing = [r for r in candidate.reasons if r.code not in WAIVED_BY_NAME]
    if not standing or standing[0].code is Code.CONFLICT:
        return _work(project, readiness.target_sha, candidate)
    first: Reason = standing[0]
    outcome = "already-landed" if first.code is Code.NO_COMMITS and _was_landed(project, name) else "not-ready"
    why = f"{first.code.value}: {first.detail}"
    return Result(name, candidate.task, candidate.branch.tip, outcome, reason=why, hint=first.hint)


def _absent(project: Project, readiness: Readiness, name: str) -> Result:
    claim = next((c for c in read_claims(project.repo).values() if c.branch == name), None)
    if claim is not None and _was_landed(project, name):
        return Result(name, claim.task, claim.sha or readiness.target_sha, "already-landed", merge_commit=claim.sha)
    raise UsageError(f"there is no branch {printable(name)}", hint="coffee detect-ready")


def _was_landed(project: Project, name: str) -> bool:
    return any(member.branch == name for landing in read_landings(project.repo) for member in landing.members)


def _work(project: Project, target: Sha, candidate: Candidate) -> Work:
    return Work(candidate.branch.name, candidate.branch.tip, candidate.task, _title(project, target, candidate.task))


def _title(project: Project, target: Sha, task: TaskId | None) -> str:
    if task is None:
        return ""
    try:
        item = read_plan(project, target).item(task)
    except UsageError:  # a repository without a roadmap may be merged all the same
        return ""
    return item.title if item else ""


def _numbers(name: str) -> tuple[int, str]:
    digits = name.rpartition("wt")[2]
    return (int(digits), name) if digits.isdigit() and len(digits) < 10 else (0, name)
