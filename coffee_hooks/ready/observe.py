"""Look at every ``roadmap-*`` branch and say what stands between it and the target."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.merge_tree import Merged, merge_trees
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import list_refs, read_json
from coffee_hooks.base.target import Target
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.ready.branches import Branch, count_ahead, infer_task, list_branches
from coffee_hooks.ready.judge import AgentState, Facts, Reason, Review, Signal, judge
from coffee_hooks.ready.radar import Overlap, find_overlaps
from coffee_hooks.state.agent_state import Doing, what_agents_do
from coffee_hooks.state.blame import read_blames
from coffee_hooks.state.claims import Claim, ClaimState, read_claims
from coffee_hooks.state.store import Store

REVIEWS = "refs/coffee/reviews/"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A branch as detect-ready reports it."""

    branch: Branch
    commits_ahead: int
    task: TaskId | None
    worktree: Path | None
    reasons: tuple[Reason, ...]
    conflicts: tuple[str, ...]
    touched: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Nothing stands in its way."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Readiness:
    """Every open branch against one commit of the target."""

    target: str
    target_sha: Sha
    candidates: tuple[Candidate, ...]
    overlaps: tuple[Overlap, ...]


def detect_ready(project: Project, store: Store, target: Target, names: Sequence[str] = ()) -> Readiness:
    """Judge the branches *names*, or all. Landed branches that wait for their cleanup are left out."""
    repo = project.repo
    claims = read_claims(repo)
    by_branch = {claim.branch: claim for claim in claims.values()}
    branches = [b for b in list_branches(project) if not names or b.name in names]
    ahead = count_ahead(repo, target.sha, [b.tip for b in branches])
    branches = [b for b in branches if not _landed(by_branch.get(b.name), ahead[b.tip])]
    tips = list(dict.fromkeys(b.tip for b in branches if ahead[b.tip]))
    merged = dict(zip(tips, merge_trees(repo, [(target.sha, tip) for tip in tips]), strict=True))
    touched = changed_paths(repo, target.sha, merged)
    seen = _Seen(
        project, target, by_branch, ahead, merged, touched, _states(repo, branches),
        what_agents_do(repo.state_dir, store), read_blames(repo), _reviews(project),
    )  # fmt: skip
    candidates = tuple(_candidate(branch, seen) for branch in branches)
    overlaps = find_overlaps(
        repo, {b.name: b.tip for b in branches}, {c.branch.name: c.touched for c in candidates if c.touched}
    )
    return Readiness(project.config.target, target.sha, candidates, overlaps)


@dataclass(frozen=True, slots=True)
class _State:
    """A checkout of a branch: where, what is uncommitted, what is in progress."""

    path: Path
    dirty: tuple[str, ...]
    in_progress: str | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """Everything that was read in one go, for the branches to pick from."""

    project: Project
    target: Target
    claims: Mapping[str, Claim]
    ahead: Mapping[Sha, int]
    merged: Mapping[Sha, Merged | None]
    touched: Mapping[Sha, tuple[str, ...]]
    states: Mapping[str, _State]
    doing: Mapping[str, Doing]
    blames: Mapping[Sha, object]
    reviews: Mapping[Sha, Review] | None


def _landed(claim: Claim | None, ahead: int) -> bool:
    return claim is not None and claim.state is ClaimState.LANDED and ahead == 0


def _candidate(branch: Branch, seen: _Seen) -> Candidate:
    claim = seen.claims.get(branch.name)
    task = claim.task if claim else infer_task(branch.message)
    state = seen.states.get(branch.name)
    merged = seen.merged.get(branch.tip)
    paths = seen.touched.get(branch.tip, ())
    config = seen.project.config
    doing = seen.doing.get(branch.name)
    blamed = seen.blames.get(branch.tip)
    conflicts = merged.conflicts if merged and not merged.clean else ()
    ignored = config.ready.ignore
    facts = Facts(
        branch=branch.name,
        target=config.target,
        task=task,
        commits_ahead=seen.ahead[branch.tip],
        changes=bool(paths),
        dirty=[p for p in state.dirty if not any(fnmatch.fnmatch(p, g) for g in ignored)] if state else (),
        in_progress=state.in_progress if state else None,
        agent=_agent(doing, claim),
        agent_detail=(doing.detail if doing else "") or (claim.reason or "" if claim else ""),
        signal=_signal(branch, claim, config.ready.signal),
        conflicts=conflicts,
        mergeable=merged is not None and merged.clean,
        red=blamed is not None,
        red_log=getattr(blamed, "log", None),
        review=Review.NOT_ASKED if seen.reviews is None else seen.reviews.get(branch.tip, Review.PENDING),
        diverged=branch.diverged,
        protected=[p for p in paths if any(is_under(p, rule) for rule in config.merge.protect)],
    )
    return Candidate(branch, facts.commits_ahead, task, state.path if state else None, judge(facts), conflicts, paths)


def is_under(path: str, rule: str) -> bool:
    """Whether *path* is what a rule of ``merge.protect`` names: a folder (ends in ``/``), a file or a glob."""
    return path.startswith(rule) if rule.endswith("/") else path == rule or fnmatch.fnmatch(path, rule)


def _agent(doing: Doing | None, claim: Claim | None) -> AgentState:
    if doing is None:
        return AgentState.NONE
    if doing.running:
        return AgentState.RUNNING
    finished = claim is not None and claim.state is ClaimState.DONE
    return AgentState.FAILED if doing.failed and not finished else AgentState.ENDED


def _signal(branch: Branch, claim: Claim | None, wanted: str) -> Signal:
    if branch.says_ready or (claim and claim.state is ClaimState.DONE and claim.sha == branch.tip):
        return Signal.GIVEN
    managed = claim is not None and claim.state is not ClaimState.RELEASED
    in_ci = "GITHUB_ACTIONS" in os.environ
    if wanted == "none" or (wanted == "managed" and not managed and not in_ci):
        return Signal.NOT_NEEDED
    return Signal.OUTDATED if claim and claim.state is ClaimState.DONE else Signal.MISSING


def _states(repo: Repo, branches: Sequence[Branch]) -> dict[str, _State]:
    names = {b.name for b in branches}
    found = [w for w in list_worktrees(repo) if not w.missing and (w.branch in names or w.busy_branch in names)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        states = list(pool.map(_state, found))
    return {w.branch or w.busy_branch or "": state for w, state in zip(found, states, strict=True)}


def _state(worktree: Worktree) -> _State:
    return _State(worktree.path, uncommitted(worktree.path), worktree.in_progress)


def uncommitted(path: Path) -> tuple[str, ...]:
    """Paths of a checkout that are changed or untracked and not ignored."""
    said = in_worktree(
        path, "status", "--porcelain=v2", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    columns = {"1": 8, "u": 10, "?": 1}
    return tuple(record.split(" ", columns[record[0]])[-1] for record in said.records if record[:1] in columns)


def _reviews(project: Project) -> dict[Sha, Review] | None:
    if project.config.review.command is None:
        return None
    refs = list_refs(project.repo, REVIEWS)
    values = read_json(project.repo, refs.values())
    words = {"approved": Review.APPROVED, "rejected": Review.REJECTED}
    return {
        Sha(ref.removeprefix(REVIEWS)): words.get(str(values.get(blob, {}).get("verdict")), Review.PENDING)
        for ref, blob in refs.items()
    }


def changed_paths(repo: Repo, target: Sha, merged: Mapping[Sha, Merged | None]) -> dict[Sha, tuple[str, ...]]:
    """What landing each tip would change: target's tree against the merged one. Two git processes for all."""
    before = repo.objects("rev-parse", f"{target}^{{tree}}").text
    trees = list(dict.fromkeys(m.tree for m in merged.values() if m and m.tree != before))
    if not trees:
        return {}
    said = repo.objects(
        "diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
        stdin="".join(f"{before} {tree}\n" for tree in trees).encode(),
    )  # fmt: skip
    by_tree = parse_diff_trees(said.out, trees)
    return {tip: by_tree[m.tree] for tip, m in merged.items() if m and m.tree in by_tree}


def parse_diff_trees(data: bytes, trees: Sequence[Sha]) -> dict[Sha, tuple[str, ...]]:
    """Paths per tree of ``diff-tree --stdin -r -z --raw``: a header line ``A B``, then ``:meta NUL path NUL``."""
    found: dict[Sha, list[str]] = {tree: [] for tree in trees}
    current: list[str] = []
    fields = iter(data.split(b"\0"))
    for field in fields:
        head, _, rest = field.rpartition(b"\n")
        if head:
            current = found[Sha(head.rpartition(b" ")[2].decode())]
        if rest.startswith(b":"):
            current.append(os.fsdecode(next(fields)))
    return {tree: tuple(paths) for tree, paths in found.items()}
