"""The facts about single branches: what is cheap for all of them at once, the rest on demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from coffee_hooks.base.model import Sha
from coffee_hooks.base.worktrees import Worktree
from coffee_hooks.cleanup.examine import examine
from coffee_hooks.cleanup.integrated import integrated, read_commits
from coffee_hooks.cleanup.scene import RESTORED, Scene, branch_of, is_ours
from coffee_hooks.cleanup.values import Facts, Home, Integration, Ownership, Place, Remote, RemotePolicy, Work
from coffee_hooks.guard.cfr_013 import branch_allowed
from coffee_hooks.sources.roadmap_places import roadmap_paths
from coffee_hooks.state.claims import Claim, ClaimState


def gather(scene: Scene, branches: Iterable[str], *, named: bool, remote: RemotePolicy) -> tuple[Facts, ...]:
    """The facts about *branches* as far as they are cheap: worktrees and the remote are still to be looked at."""
    wanted = tuple(dict.fromkeys(branches))
    homes = {branch: _homes(scene, branch) for branch in wanted}
    tips = [sha for branch in wanted for sha in _commits(scene, branch, homes[branch])]
    repo, roadmaps = scene.project.repo, roadmap_paths(scene.project.config.roadmap)
    here = integrated(repo, scene.target, tips, roadmaps)
    there = here
    if scene.remote_target != scene.target:
        there = integrated(repo, scene.remote_target, tips, roadmaps)
    landed = {**there, **here}
    empty = _empty_claims(scene, wanted, landed)
    times = {sha: commit.when for sha, commit in read_commits(repo, tips).items()}
    return tuple(
        _facts(scene, branch, homes[branch], landed, empty, times, named=named, remote=remote) for branch in wanted
    )


def _facts(
    scene: Scene, branch: str, homes: tuple[Home, ...], landed: Mapping[Sha, Integration], empty: frozenset[str],
    times: Mapping[Sha, int], *, named: bool, remote: RemotePolicy,
) -> Facts:  # fmt: skip
    claim = scene.claims.get(branch)
    commits = _commits(scene, branch, homes)
    reasons = [landed.get(sha) for sha in commits]
    touched = [float(times.get(sha, 0)) for sha in commits] + [claim.since if claim else 0, scene.landed.get(branch, 0)]
    asked = scene.project.remote is not None and remote is RemotePolicy.DELETE
    return Facts(
        branch=branch, named=named, ownership=_ownership(scene, branch, homes), tip=scene.tip(branch), homes=homes,
        claim=claim, work=_work(claim, branch in empty, branch in scene.reverted), running=scene.running.get(branch),
        landed=reasons[0] if reasons and all(reasons) else None,
        remote=Remote.UNASKED if asked else Remote.UNWANTED, tracking=scene.tracking(branch),
        age=scene.now - max(touched),
    )  # fmt: skip


def _commits(scene: Scene, branch: str, homes: Sequence[Home]) -> list[Sha]:
    """What must be in the target before the branch may go: its tip, or the remote's, and the HEADs of its worktrees."""
    tip = scene.tip(branch)
    found = [tip, *(home.head for home in homes)]
    return list(dict.fromkeys(sha for sha in found if sha)) or list(filter(None, [scene.tracking(branch)]))


def _homes(scene: Scene, branch: str) -> tuple[Home, ...]:
    holders = [w for w in scene.worktrees if branch in (w.branch, w.busy_branch)]
    if not holders:
        holders = [w for w in scene.worktrees if w.branch is None and branch_of(scene, w) == branch]
    return tuple(
        Home(
            path=w.path, git_dir=w.git_dir, place=_place(scene, w, branch), head=w.head, locked=w.locked,
            missing=w.missing, restored=(w.git_dir / RESTORED).is_file(),
        )
        for w in holders
    )  # fmt: skip


def _place(scene: Scene, worktree: Worktree, branch: str) -> Place:
    repo = scene.project.repo
    if worktree.path == repo.main or worktree.git_dir == repo.common_dir:
        return Place.MAIN
    if worktree.path.resolve() in scene.inside:
        return Place.HERE
    if not is_ours(scene, worktree, branch):
        return Place.ELSEWHERE
    return Place.OURS if worktree.missing or worktree.points_back else Place.REPLACED


def _ownership(scene: Scene, branch: str, homes: Sequence[Home]) -> Ownership:
    """Pure over the scene: claims and records may name anything, so the name is judged first."""
    if branch == scene.project.config.target or not branch_allowed(branch):
        return Ownership.REFUSED
    made_here = any(home.place in (Place.OURS, Place.HERE, Place.REPLACED) for home in homes)
    claim = scene.claims.get(branch)
    if claim and claim.open and claim.owner != scene.owner and not made_here:
        return Ownership.ANOTHERS
    return Ownership.OURS if claim or made_here or branch in scene.landed else Ownership.NOBODYS


def _work(claim: Claim | None, is_empty: bool, is_reverted: bool) -> Work:
    if claim is None:
        return Work.REVERTED if is_reverted else Work.OVER
    if claim.open and is_empty:
        return Work.EMPTY
    if claim.state in (ClaimState.CLAIMED, ClaimState.BLOCKED):
        return Work.OPEN
    return Work.REVERTED if claim.state is ClaimState.REVERTED else Work.OVER


def _empty_claims(scene: Scene, branches: Iterable[str], landed: Mapping[Sha, Integration]) -> frozenset[str]:
    """Branches with an open claim and nothing of their own: git calls a branch without commits merged.

    That is a tip on the target's own line, unless its agent was done right there, or commits that change nothing.
    """
    open_claims = {
        branch: (claim, tip)
        for branch in branches
        if (claim := scene.claims.get(branch)) and claim.open and (tip := scene.tip(branch)) and tip in landed
    }
    if not open_claims:
        return frozenset()
    said = scene.project.repo.objects("rev-list", "--first-parent", scene.target, scene.remote_target, "--")
    line = set(said.text.split())
    return frozenset(
        branch
        for branch, (claim, tip) in open_claims.items()
        if landed[tip] is Integration.NO_CHANGE
        or (tip in line and not (claim.state is ClaimState.DONE and claim.sha == tip != claim.base))
    )


def look_closer(scene: Scene, facts: Facts) -> Facts:
    """The facts with every worktree looked into."""
    precious = scene.project.config.cleanup.precious
    others = [worktree.path for worktree in scene.worktrees]
    known = {worktree.path: worktree for worktree in scene.worktrees}
    homes = [replace(h, tree=examine(scene.project.repo, known[h.path], others, precious)) for h in facts.homes]
    return replace(facts, homes=tuple(homes))
