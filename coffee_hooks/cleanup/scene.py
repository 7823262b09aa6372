"""Everything that cleanup reads once, before it looks at single branches."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, require_target
from coffee_hooks.base.refs import REVIEWS, list_refs
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.cleanup.examine import COPIED
from coffee_hooks.cleanup.running import running_branches
from coffee_hooks.cleanup.values import RemotePolicy
from coffee_hooks.guard.cfr_013 import PREFIX, branch_allowed
from coffee_hooks.state import verdicts
from coffee_hooks.state.agents import all_runs
from coffee_hooks.state.claims import Claim, owner_here, read_claims
from coffee_hooks.state.graveyard import Grave, read_graves
from coffee_hooks.state.landings import read_landings
from coffee_hooks.state.reverts import taken_back
from coffee_hooks.state.store import Store

HEADS = "refs/heads/"
RESTORED = "coffee-restored"
"""In a worktree's git folder: a person brought it back."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything about the repository that was read once. *landed* is UNIX time of the last landing by branch.

    *refs* are the branches, here and on the remote, verdicts and reviews. *landed_trees* are those of every target.
    *reverted* are the branches of whose landings none is in force any more.
    """

    project: Project
    refs: Mapping[str, Sha]
    worktrees: tuple[Worktree, ...]
    claims: Mapping[str, Claim]
    landed: Mapping[str, int]
    landed_trees: frozenset[Sha]
    reverted: frozenset[str]
    graves: tuple[Grave, ...]
    running: Mapping[str, str]
    recorded: Mapping[str, frozenset[Path]]
    target: Sha
    remote_target: Sha
    owner: str
    inside: frozenset[Path]
    """The folder this command runs in and all that contain it."""
    now: float

    def tip(self, branch: str) -> Sha | None:
        """The local branch."""
        return self.refs.get(HEADS + branch)

    def tracking(self, branch: str) -> Sha | None:
        """The remote branch as last fetched."""
        return self.refs.get(tracking_ref(self.project, branch))


def tracking_ref(project: Project, branch: str) -> str:
    """Where git keeps what it last saw of the remote branch."""
    return f"refs/remotes/{project.remote}/{branch}"


def look_around(project: Project, store: Store) -> Scene:
    """Read the repository; about ten git processes. Raises UsageError without a target branch."""
    repo, now = project.repo, time.time()
    fallback = require_target(project)
    theirs = [f"refs/remotes/{project.remote}/"] if project.remote else []
    refs = list_refs(repo, HEADS, verdicts.PREFIX, REVIEWS, *theirs)
    claims: dict[str, Claim] = {}
    for claim in sorted(read_claims(repo).values(), key=lambda claim: (not claim.open, claim.task)):
        claims.setdefault(claim.branch, claim)
    record = read_landings(repo)
    landings = [landing for landing in record if landing.target == project.config.target]
    recorded: dict[str, set[Path]] = {}
    runs = all_runs(store)
    for run in runs:
        recorded.setdefault(run.branch, set()).add(Path(run.worktree).resolve())
    target = refs.get(project.target_ref, fallback)
    return Scene(
        project=project, refs=refs, worktrees=list_worktrees(repo), claims=claims,
        landed={member.branch: landing.when for landing in landings for member in landing.members},
        landed_trees=frozenset(landing.tree for landing in record),
        reverted=frozenset(taken_back(landings, project.config.target)), graves=read_graves(repo),
        running=running_branches(runs, repo.state_dir, now),
        recorded={branch: frozenset(paths) for branch, paths in recorded.items()},
        target=target, remote_target=refs.get(project.remote_ref or "", target), owner=owner_here(project),
        inside=_around(repo.top), now=now,
    )  # fmt: skip


def candidates(scene: Scene, remote: RemotePolicy) -> tuple[str, ...]:
    """Every branch of ours that is still there, in order of name."""
    project = scene.project
    here = {branch for worktree in scene.worktrees if (branch := branch_of(scene, worktree))}
    known = {*scene.claims, *scene.landed, *here}
    return tuple(
        sorted(
            branch
            for branch in known
            if branch_allowed(branch)
            and branch != project.config.target
            and (scene.tip(branch) or branch in here or (remote is RemotePolicy.DELETE and scene.tracking(branch)))
        )
    )


def branch_of(scene: Scene, worktree: Worktree) -> str | None:
    """The branch that a worktree of ours is for, also while its HEAD is detached."""
    name = worktree.branch or worktree.busy_branch
    if name is None and _in_root(scene.project, worktree) and re.fullmatch(r"wt\d+", worktree.path.name):
        name = PREFIX + worktree.path.name
    return name if name and is_ours(scene, worktree, name) else None


def _in_root(project: Project, worktree: Worktree) -> bool:
    return worktree.path.resolve().parent == project.worktrees_root.resolve()


def is_ours(scene: Scene, worktree: Worktree, branch: str) -> bool:
    """Whether coffee made the worktree: by its place, by the record of an agent's run, or by what spawn left there."""
    return (
        _in_root(scene.project, worktree)
        or worktree.path.resolve() in scene.recorded.get(branch, ())
        or (worktree.git_dir / COPIED).is_file()
    )


def _around(top: Path) -> frozenset[Path]:
    try:
        here = Path.cwd().resolve()
    except FileNotFoundError:  # the folder we were started in is gone
        here = top.resolve()
    return frozenset({top.resolve(), here, *here.parents})
