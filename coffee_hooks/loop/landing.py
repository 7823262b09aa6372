"""Merge what is ready: the meeting of readiness, the queue, and what a gate's clone is furnished with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, UsageError
from coffee_hooks.base.lock import LockProof, hold
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import Target, is_ancestor, read_target
from coffee_hooks.base.text import printable
from coffee_hooks.guard.cfr_013 import branch_allowed
from coffee_hooks.loop.merge_hooks import admitted, telling
from coffee_hooks.merge.candidate import Work
from coffee_hooks.merge.land import Pushing
from coffee_hooks.merge.merge import merge
from coffee_hooks.merge.record import Green, Record
from coffee_hooks.merge.recorded import land_recorded
from coffee_hooks.merge.recover import recover
from coffee_hooks.merge.result import Result, Settings
from coffee_hooks.merge.session import Merging
from coffee_hooks.ready.judge import WAIVED_BY_NAME, Code
from coffee_hooks.ready.observe import Candidate, Readiness, detect_ready
from coffee_hooks.spawn.copies import choose_copies, copy_into
from coffee_hooks.state.claims import Claim, read_claims
from coffee_hooks.state.landings import Member, read_landings
from coffee_hooks.state.reverts import in_force, taken_back
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class MergeReport:
    """What one merge did. *pushed* is None without a remote; *gates* are (started, ended) in UNIX seconds.

    *changes* are those that a dry run would have made, None when it was none. *flaky* are the branches of candidates
    on which the gate disagreed with itself, *greens* what would have landed where nothing might.
    """

    target: str
    before: Sha
    after: Sha
    pushed: bool | None
    results: tuple[Result, ...]
    gates: tuple[tuple[float, float], ...] = ()
    changes: tuple[str, ...] | None = None
    flaky: tuple[str, ...] = ()
    greens: tuple[Green, ...] = ()

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
    recorded: Record | None = None,
    wait: float = 0.0,
    tell: Callable[[Result], None] = lambda _result: None,
    announce: Callable[[Candidate], None] = lambda _candidate: None,
) -> MergeReport:
    """Merge the branches *names*, or all that are ready, oldest claim first.

    With *recorded* nothing is tested: what it calls green lands. *announce* hears of each that is ready before it is
    tested, also where it became so since the caller looked.

    Raises LockedError when another merge runs, UsageError for a name that cannot be merged at all.
    """
    check_names(project, names)
    with hold(project.repo, "merge", wait=wait) as proof:
        if settings.pushing is Pushing.PUSH:
            fetch(project)
        target = recover(project, read_target(project), proof)
        claims = read_claims(project.repo)
        readiness = detect_ready(project, store, target, names, claims)
        for candidate in readiness.candidates if not names else ():
            if candidate.ready:
                announce(candidate)
        chosen = choose(project, readiness, names, claims)
        return settle_all(project, store, target, chosen, settings, proof, tell, recorded)


def settle_all(
    project: Project, store: Store, target: Target, chosen: Sequence[Work | Result], settings: Settings,
    proof: LockProof, tell: Callable[[Result], None] = lambda _result: None, recorded: Record | None = None,
) -> MergeReport:  # fmt: skip
    """Test and land what was *chosen* and is work, or land what was *recorded* of it; tell the answers among it."""
    if target.unpushed and any(isinstance(each, Work) for each in chosen):
        output.say(_says_unpushed(project, target, settings))
    chosen = admitted(project, target, chosen, settings)
    works = [each for each in chosen if isinstance(each, Work)]
    tell = telling(project, target, works, tell)
    merging = Merging(project, store, settings, proof, target, furnisher(project), tell)
    for each in chosen:
        if isinstance(each, Result):
            tell(each)
    _merge(merging, works, recorded)
    results = [each if isinstance(each, Result) else merging.results[each] for each in chosen]
    landed = any(result.outcome == "landed" for result in results)
    pushed = None if project.remote is None else landed and settings.pushing is Pushing.PUSH
    return MergeReport(
        project.config.target, target.sha, merging.target.sha, pushed, tuple(results), tuple(merging.gates),
        flaky=tuple(merging.flaky), greens=tuple(merging.greens),
    )  # fmt: skip


def check_names(project: Project, names: Sequence[str]) -> None:
    """Raises UsageError for a name that no branch of a task can have."""
    for name in names:
        if name == project.config.target or not branch_allowed(name, project.config.target):
            raise UsageError(f"{printable(name)} is no branch that can be merged", hint="coffee detect-ready")


def _merge(merging: Merging, works: Sequence[Work], recorded: Record | None) -> None:
    """All branches; what fails is an outcome, so that nobody is told less about the branches before it."""
    try:
        if recorded is None:
            merge(merging, works)
        else:
            land_recorded(merging, works, recorded)
    except (EnvironmentFailure, UsageError, OSError) as failed:
        if isinstance(failed, UsageError) and not merging.results:
            raise
        for work in works:
            if work not in merging.results:
                merging.settle(work, _failed(work, failed))


def _failed(work: Work, failed: CoffeeError | OSError) -> Result:
    if isinstance(failed, OSError):
        why, hint = f"{failed.strerror or failed}", "check disk space and rights, then run this again"
    else:
        why, hint = failed.what + (f" ({failed.detail})" if failed.detail else ""), failed.hint
    return Result(
        work.branch, work.task, work.tip, "error", reason=printable(why), hint=printable(hint) or None,
        reverts=work.reverts,
    )  # fmt: skip


def _says_unpushed(project: Project, target: Target, settings: Settings) -> str:
    count = project.repo.objects("rev-list", "--count", f"{target.remote}..{target.sha}").text
    many = f"{count} commit{'' if count == '1' else 's'}"
    pushed = " and pushed along with what lands" if settings.pushing is Pushing.PUSH else ""
    return f"{project.config.target} holds {many} that {project.remote} does not have: tested{pushed}"


def furnisher(project: Project) -> Callable[[Path], None]:
    """What puts the files of ``worktrees.copy`` into a gate's clone; they are chosen once."""
    main = project.repo.main
    copies = None

    def furnish(clone: Path) -> None:
        nonlocal copies
        if not (main / ".git").exists():  # a bare repository with worktrees has no files of its own
            return
        if copies is None:
            copies = choose_copies(main, project.config.worktrees.copy, [project.worktrees_root])
        copy_into(main, clone, clone / ".git", copies)

    return furnish


def choose(
    project: Project, readiness: Readiness, names: Sequence[str], claims: Mapping[TaskId, Claim]
) -> list[Work | Result]:
    """What to merge, in order, and the answers that need no merge. Raises UsageError for a name that is no branch."""
    if not names:
        since = {claim.branch: claim.since for claim in claims.values()}
        ready = [candidate for candidate in readiness.candidates if candidate.ready]
        ready.sort(key=lambda c: (since.get(c.branch.name, 0), _numbers(c.branch.name)))
        return [_work(candidate) for candidate in ready]
    by_name = {candidate.branch.name: candidate for candidate in readiness.candidates}
    return [_named(project, readiness, name, by_name.get(name)) for name in dict.fromkeys(names)]


def _named(project: Project, readiness: Readiness, name: str, candidate: Candidate | None) -> Work | Result:
    waived = WAIVED_BY_NAME | ({Code.NO_COMMITS} if candidate and _comes_back(candidate) else frozenset())
    standing = [r for r in candidate.reasons if r.code not in waived] if candidate else []
    if candidate is not None and (not standing or standing[0].code is Code.CONFLICT):
        return _work(candidate)
    if candidate is None or standing[0].code is Code.NO_COMMITS:
        member = _landed(project, readiness.target_sha, name)
        if member is not None:
            return Result(name, member.task, member.sha, "already-landed", merge_commit=member.merge_commit)
    if candidate is None and name in taken_back(read_landings(project.repo), project.config.target):
        raise UsageError(
            f"the landing of {printable(name)} was taken back, and the branch is gone", hint=f"coffee restore {name}"
        )
    if candidate is None:
        raise UsageError(f"there is no branch {printable(name)}", hint="coffee detect-ready")
    why = f"{standing[0].code.value}: {standing[0].detail}"
    return Result(name, candidate.task, candidate.branch.tip, "not-ready", reason=why, hint=standing[0].hint)


def _landed(project: Project, target: Sha, name: str) -> Member | None:
    """The last landing of *name* that *target* still contains."""
    landings = read_landings(project.repo)
    members = [member for member in in_force(landings, project.config.target) if member.branch == name]
    return members[-1] if members and is_ancestor(project.repo, members[-1].merge_commit, target) else None


def _work(candidate: Candidate) -> Work:
    task: TaskId | None = candidate.task
    blamed = any(reason.code is Code.GATE_FAILED for reason in candidate.reasons)
    work = Work(candidate.branch.name, candidate.branch.tip, task, blamed, roadmap=candidate.roadmap)
    if candidate.reverted is None:
        return work
    name, sha = printable(candidate.branch.name), candidate.reverted.commit
    if not _comes_back(candidate):
        output.say(f"{name} holds the commit that took its landing back ({sha[:12]}): it lands as it is, without that")
        return work
    output.say(f"{name} was taken back by {sha[:12]}: what that reverted lands again with it")
    return replace(work, undoes=(sha,))


def _comes_back(candidate: Candidate) -> bool:
    """Whether a revert of its landing hides its commits, so that git would merge nothing of them."""
    return candidate.reverted is not None and not candidate.reverted.inside


def _numbers(name: str) -> tuple[int, str]:
    digits = name.rpartition("wt")[2]
    return (int(digits), name) if digits.isdigit() and len(digits) < 10 else (0, name)
