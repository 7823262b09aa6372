"""What a killed command or a careless hand may leave: claims, landings, locks, half-made gates, branches."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base.errors import LockedError
from coffee_hooks.base.lock import hold
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import list_refs
from coffee_hooks.base.worktrees import Worktree, list_worktrees
from coffee_hooks.cleanup.running import running_branches
from coffee_hooks.doctor.values import Check, fine, several, wrong
from coffee_hooks.spawn.making import being_made
from coffee_hooks.spawn.place import worktree_path
from coffee_hooks.state.agents import AgentRun, all_runs
from coffee_hooks.state.claims import Claim, owner_here, read_claims
from coffee_hooks.state.intent import Intent, pending
from coffee_hooks.state.store import open_store

OLD_SECONDS = 600.0
"""A lock file older than this was left behind: no git command of ours holds one for so long."""

_NUMBERED = re.compile(r"roadmap-wt\d+")
_MAKING = re.compile(r"gate\d+\.making")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """*ghosts*: open claims without branch and worktree. *intent*: a landing that did not get to its end.

    *locks*: old lock files. *making*: clones of ours that were never finished. *unclaimed*: branches that look like
    ours and that nobody claimed. *living*: branches with a running agent. *owner*: how we sign claims.
    """

    ghosts: tuple[Claim, ...]
    intent: Intent | None
    locks: tuple[Path, ...]
    making: tuple[Path, ...]
    unclaimed: tuple[str, ...]
    living: frozenset[str]
    owner: str


def look_for_leftovers(project: Project) -> Leftovers:
    """Read refs, database and folders; changes nothing. Raises CoffeeError when the database cannot be read."""
    repo, me = project.repo, owner_here(project)
    trees = list_worktrees(repo)
    claims = tuple(read_claims(repo).values())
    refs = list_refs(repo, "refs/heads/", "refs/remotes/")
    branches = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
    # Anywhere on any remote counts: what somebody else still has is not gone.
    remote = {ref.split("/", 3)[3] for ref in refs if ref.startswith("refs/remotes/") and ref.count("/") >= 3}
    held = {name for tree in trees for name in (tree.branch, tree.busy_branch) if name}
    known = branches | remote | held
    claimed = {claim.branch for claim in claims}
    return Leftovers(
        ghosts=tuple(
            c
            for c in claims
            if c.open
            and c.branch not in known
            and not worktree_path(project, c.branch).exists()
            and (c.owner == me or not project.config.shared)  # the branch of another machine comes when it is finished
        ),
        intent=_interrupted(project),
        locks=tuple(_old_locks(project, trees, time.time())),
        making=tuple(_half_made(project)),
        unclaimed=tuple(sorted(b for b in branches - claimed - held if _NUMBERED.fullmatch(b))),
        living=_living(project, claimed),
        owner=me,
    )


def check_leftovers(seen: Leftovers) -> tuple[Check, ...]:
    """One check for each kind. Pure."""
    return (_claims(seen), _landing(seen), _locks(seen), _gate_clones(seen), _branches(seen))


def releasable(seen: Leftovers) -> Iterator[Claim]:
    """The claims that may be given back: made by us, and no agent is at work."""
    return (claim for claim in seen.ghosts if claim.owner == seen.owner and claim.branch not in seen.living)


def _claims(seen: Leftovers) -> Check:
    if not seen.ghosts:
        return fine("claims", "every claimed task has its branch")
    found = [f"{c.task} is claimed by {c.owner}, but its branch {c.branch} is gone" for c in seen.ghosts]
    hint = "coffee doctor --fix" if any(releasable(seen)) else "whoever claimed it: coffee doctor --fix"
    return wrong("claims", several(found), hint)


def _landing(seen: Leftovers) -> Check:
    if seen.intent is None:
        return fine("landing", "no landing was interrupted")
    what = f"a landing on {seen.intent.target} was interrupted ({seen.intent.after[:10]})"
    return wrong("landing", what, "coffee merge   (it finishes what was begun, then looks for more)")


def _locks(seen: Leftovers) -> Check:
    if not seen.locks:
        return fine("locks", "no old lock files")
    paths = " ".join(shlex.quote(str(path)) for path in seen.locks)
    return wrong("locks", several([f"{path} is old" for path in seen.locks]), f"if no git runs here: rm {paths}")


def _gate_clones(seen: Leftovers) -> Check:
    if not seen.making:
        return fine("gate-clone", "no half-made gate")
    return wrong("gate-clone", several([f"{path} was never finished" for path in seen.making]), "coffee doctor --fix")


def _branches(seen: Leftovers) -> Check:
    if not seen.unclaimed:
        return fine("branches", "no branch without owner looks like ours")
    return fine("branches", f"kept, claimed by nobody: {several(seen.unclaimed)}")


def _old_locks(project: Project, trees: Sequence[Worktree], now: float) -> Iterator[Path]:
    common = project.repo.common_dir
    target = common / "refs" / "heads" / f"{project.config.target}.lock"
    places = [common / "packed-refs.lock", common / "config.lock", target]
    places += [tree.git_dir / name for tree in trees for name in ("index.lock", "HEAD.lock")]
    places += sorted((common / "refs" / "coffee").rglob("*.lock"))
    for path in dict.fromkeys(places):
        try:
            if now - path.lstat().st_mtime > OLD_SECONDS:
                yield path
        except FileNotFoundError:
            continue


def _half_made(project: Project) -> Iterator[Path]:
    root = project.worktrees_root
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if _MAKING.fullmatch(path.name) and not path.is_symlink() and path.is_dir() and _is_ours(project, path):
            yield path


def _is_ours(project: Project, path: Path) -> bool:
    """Nothing but a ``.git`` that borrows from this repository: nobody can have worked in it."""
    try:
        line = (path / ".git" / "objects" / "info" / "alternates").read_bytes().removesuffix(b"\n")
        alone = {each.name for each in path.iterdir()} == {".git"}
        return alone and Path(_unquoted(line)).samefile(project.repo.common_dir / "objects")
    except (OSError, ValueError):
        return False


def _unquoted(line: bytes) -> str:
    """A line of ``objects/info/alternates``: a path, in C quotes where it has unusual characters."""
    if not line.startswith(b'"'):
        return os.fsdecode(line)
    return os.fsdecode(line.strip(b'"').decode("unicode_escape").encode("latin-1"))


def _interrupted(project: Project) -> Intent | None:
    """The landing that nobody is working on; one under way holds the lock."""
    if pending(project.repo) is None:
        return None
    try:
        with hold(project.repo, "merge"):
            return pending(project.repo)
    except LockedError:
        return None


def _living(project: Project, claimed: Iterable[str]) -> frozenset[str]:
    state = project.repo.state_dir
    runs: Sequence[AgentRun] = ()
    if (state / "state.db").exists():
        with open_store(state) as store:
            runs = all_runs(store)
    being = {branch for branch in claimed if being_made(state, branch)}
    return frozenset(being.union(running_branches(runs, state, time.time())))
