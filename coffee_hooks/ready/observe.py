"""Look at every ``roadmap-*`` branch and say what stands between it and the target."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from coffee_hooks.base.git import GitFailed, Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import Target
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.ready.branches import Branch, infer_task, list_branches
from coffee_hooks.ready.changes import Effect
from coffee_hooks.ready.foresee import Foreseen, foresee
from coffee_hooks.ready.judge import AgentState, Code, Facts, Reason, Review, Signal, judge
from coffee_hooks.ready.radar import Overlap
from coffee_hooks.ready.reverted import Reverted, effects_on_top, find_reverted
from coffee_hooks.ready.uncommitted import Uncommitted, uncommitted
from coffee_hooks.ready.unwanted import read_policy
from coffee_hooks.state.agent_state import Doing, what_agents_do
from coffee_hooks.state.blame import Blame, read_blames
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.reverts import in_force
from coffee_hooks.state.reviewing import being_reviewed
from coffee_hooks.state.reviews import Opinion, Reviewed, read_reviews
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Candidate:
    """A branch as detect-ready reports it. *red_log* is where the gate wrote why it was red at this commit.

    *touched* is what landing its commits would change. *reverted* is None unless its landing was taken back,
    *uncommitted* None where everything is committed. *roadmap* is the file that its claim says names the task.
    *reviewed* is what is known of the review of its tip, None where nobody reviews.
    """

    branch: Branch
    commits_ahead: int
    task: TaskId | None
    worktree: Path | None
    reasons: tuple[Reason, ...]
    conflicts: tuple[str, ...]
    touched: tuple[str, ...]
    red_log: Path | None = None
    reverted: Reverted | None = None
    uncommitted: Uncommitted | None = None
    roadmap: str | None = None
    reviewed: Reviewed | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Everything that it changes, committed or not, sorted."""
        return tuple(sorted({*self.touched, *(self.uncommitted.paths if self.uncommitted else ())}))

    @property
    def ready(self) -> bool:
        """Nothing stands in its way."""
        return not self.reasons

    @property
    def codes(self) -> frozenset[Code]:
        """What stands in its way, without the words."""
        return frozenset(reason.code for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Every open branch against one commit of the target."""

    target: str
    target_sha: Sha
    candidates: tuple[Candidate, ...]
    overlaps: tuple[Overlap, ...]


def detect_ready(
    project: Project,
    store: Store,
    target: Target,
    names: Sequence[str] = (),
    claims: Mapping[TaskId, Claim] | None = None,
) -> Readiness:
    """Judge the branches *names*, or all. Landed branches that wait for their cleanup are left out.

    *claims* where they have been read already. A dozen git processes and one for each worktree of a branch.
    """
    repo = project.repo
    by_branch = {claim.branch: claim for claim in (read_claims(repo) if claims is None else claims).values()}
    listed = _unlanded(project, list_branches(project, target.sha, names), by_branch)
    reverted = find_reverted(repo, project.config.target, target.sha, [branch for branch, _ in listed])
    tips = {branch.name: branch.tip for branch, ahead in listed if ahead}
    policy = read_policy(repo.main, project.config.worktrees.copy, project.config.merge.largest, target.sha)
    foreseen = foresee(repo, target.sha, tips, every=not names, roadmap=project.config.roadmap, policy=policy)
    effects = {**foreseen.effects, **_with_unwanted(effects_on_top(project, target.sha, tips, reverted), foreseen)}
    seen = _Seen(
        project, by_branch, effects, reverted, _states(repo, [branch for branch, _ in listed]),
        what_agents_do(repo.state_dir, store), read_blames(repo, project.remote), _reviews(project),
        being_reviewed(repo.state_dir),
    )  # fmt: skip
    candidates = tuple(_candidate(branch, ahead, seen) for branch, ahead in listed)
    return Readiness(project.config.target, target.sha, candidates, foreseen.overlaps)


def _with_unwanted(effects: Mapping[Sha, Effect], foreseen: Foreseen) -> dict[Sha, Effect]:
    """*effects*, with what a person has to allow of the commits whatever they are merged onto."""
    known = foreseen.effects
    return {
        tip: replace(each, secrets=known[tip].secrets, large=known[tip].large) if tip in known else each
        for tip, each in effects.items()
    }


def _unlanded(
    project: Project, listed: Sequence[tuple[Branch, int]], claims: Mapping[str, Claim]
) -> list[tuple[Branch, int]]:
    """Without the branches whose work is in the target and that only wait for their cleanup."""
    empty = [branch for branch, ahead in listed if not ahead]
    if not empty:
        return list(listed)
    landed = {branch.name for branch in empty if _state_of(claims.get(branch.name)) is ClaimState.LANDED}
    if any(branch.name not in claims for branch in empty):
        members = {(m.branch, m.sha) for m in in_force(read_landings(project.repo), project.config.target)}
        landed |= {b.name for b in empty if b.name not in claims and (b.name, b.tip) in members}
    return [(branch, ahead) for branch, ahead in listed if ahead or branch.name not in landed]


def _state_of(claim: Claim | None) -> ClaimState | None:
    return claim.state if claim else None


@dataclass(frozen=True, slots=True)
class _State:
    """A checkout of a branch: what is uncommitted (or why nobody knows), what is in progress."""

    checkout: Worktree
    dirty: tuple[str, ...]
    in_progress: str | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Everything that was read in one go, for the branches to pick from."""

    project: Project
    claims: Mapping[str, Claim]
    effects: Mapping[Sha, Effect]
    reverted: Mapping[str, Reverted]
    states: Mapping[str, _State]
    doing: Mapping[str, Doing]
    blames: Mapping[Sha, Blame]
    reviews: Mapping[Sha, Reviewed] | None
    reviewing: Collection[Sha]


def _candidate(branch: Branch, ahead: int, seen: _Seen) -> Candidate:
    claim = seen.claims.get(branch.name)
    task = claim.task if claim else infer_task(branch.message)
    state = seen.states.get(branch.name)
    effect = seen.effects.get(branch.tip)
    merged, paths = (effect.merged, effect.paths) if effect else (None, ())
    config = seen.project.config
    doing = seen.doing.get(branch.name)
    blamed = seen.blames.get(branch.tip)
    reverted = seen.reverted.get(branch.name)
    conflicts = merged.conflicts if merged and not merged.clean else ()
    ignored = config.ready.ignore
    dirty = tuple(p for p in state.dirty if not any(fnmatch.fnmatch(p, g) for g in ignored)) if state else ()
    review, detail = _review(branch.tip, seen)
    facts = Facts(
        branch=branch.name,
        target=config.target,
        task=task,
        commits_ahead=ahead,
        changes=bool(paths),
        dirty=dirty,
        unreadable=state.unreadable if state else None,
        in_progress=state.in_progress if state else None,
        agent=_agent(doing, claim),
        agent_detail=_agent_detail(doing, claim),
        signal=_signal(branch, claim, config.ready.signal),
        conflicts=conflicts,
        mergeable=merged is not None and merged.clean,
        red=blamed is not None,
        red_log=blamed.log if blamed else None,
        review=review,
        review_detail=detail,
        diverged=branch.diverged,
        reverted=reverted.commit if reverted and not reverted.inside else None,
        protected=[p for p in paths if any(is_under(p, rule) for rule in config.merge.protect)],
        secrets=effect.secrets if effect else (),
        large=effect.large if effect else (),
    )
    return Candidate(
        branch, ahead, task, state.checkout.path if state else None, judge(facts), conflicts, paths,
        Path(blamed.log) if blamed and blamed.log else None, reverted,
        Uncommitted(state.checkout, dirty) if state and dirty else None, claim.roadmap if claim else None,
        seen.reviews.get(branch.tip) if seen.reviews else None,
    )  # fmt: skip


def is_under(path: str, rule: str) -> bool:
    """Whether *path* is what a rule of ``merge.protect`` names: a folder (ends in ``/``), a file or a glob."""
    return path.startswith(rule) if rule.endswith("/") else path == rule or fnmatch.fnmatch(path, rule)


def _agent(doing: Doing | None, claim: Claim | None) -> AgentState:
    if doing is not None and doing.running:
        return AgentState.RUNNING
    if claim is not None and claim.state is ClaimState.DONE:
        return AgentState.ENDED
    if doing is None:  # never started here, or the database was deleted: then the claim alone knows how it ended
        stopped = claim is not None and claim.state is ClaimState.CLAIMED and claim.reason
        return AgentState.FAILED if stopped else AgentState.NONE
    return AgentState.FAILED if doing.failed else AgentState.ENDED


def _agent_detail(doing: Doing | None, claim: Claim | None) -> str:
    said = claim.reason if claim and claim.reason else ""
    if doing is None:
        return f"its agent ended: {said}" if said else ""
    told = doing.run.reason is not None and said == doing.run.reason.value
    return f"{doing.detail} ({said})" if said and not told and not doing.running else doing.detail


def _signal(branch: Branch, claim: Claim | None, wanted: str) -> Signal:
    if branch.says_ready or (claim and claim.state is ClaimState.DONE and claim.sha == branch.tip):
        return Signal.GIVEN
    managed = claim is not None and claim.state not in (ClaimState.RELEASED, ClaimState.REVERTED)
    in_ci = "GITHUB_ACTIONS" in os.environ
    if wanted == "none" or (wanted == "managed" and not managed and not in_ci):
        return Signal.NOT_NEEDED
    return Signal.OUTDATED if claim and claim.state is ClaimState.DONE else Signal.MISSING


def _states(repo: Repo, branches: Sequence[Branch]) -> dict[str, _State]:
    names = {b.name for b in branches}
    if not names:
        return {}
    found = [w for w in list_worktrees(repo) if not w.missing and (w.branch in names or w.busy_branch in names)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        states = list(pool.map(_state, found))
    return {w.branch or w.busy_branch or "": state for w, state in zip(found, states, strict=True)}


def _state(worktree: Worktree) -> _State:
    try:
        return _State(worktree, uncommitted(worktree.path), worktree.in_progress)
    except GitFailed as failed:  # one broken worktree must not hide all the others
        return _State(worktree, (), worktree.in_progress, failed.detail or failed.what)


def _reviews(project: Project) -> dict[Sha, Reviewed] | None:
    return read_reviews(project.repo, project.remote) if project.config.review.command is not None else None


def _review(tip: Sha, seen: _Seen) -> tuple[Review, str]:
    """The reviewer's word about *tip*, and what else there is to say."""
    if seen.reviews is None:
        return Review.NOT_ASKED, ""
    if tip in seen.reviewing:
        return Review.PENDING, "its review is going on"
    found = seen.reviews.get(tip)
    if found is None:
        return Review.PENDING, ""
    return _WORDS[found.verdict], printable(found.report or "") if found.final else one_line(found.why)


_WORDS = {
    Opinion.APPROVED: Review.APPROVED, Opinion.REJECTED: Review.REJECTED, Opinion.PENDING: Review.PENDING,
}  # fmt: skip
