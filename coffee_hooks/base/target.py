"""Which commit of the target counts: with a remote it is the remote's, unless the local one is strictly ahead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.git import Repo, Result
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, require_target
from coffee_hooks.base.refs import list_refs


@dataclass(frozen=True, slots=True)
class Target:
    """*sha* is where candidates start. *local* and *remote* are what the two refs say; None where there is none.

    *unpushed* says that the local target is strictly ahead: its commits are tested and pushed along.
    """

    sha: Sha
    local: Sha | None
    remote: Sha | None

    @property
    def unpushed(self) -> bool:
        """Whether the local target holds commits that the remote does not."""
        return self.remote is not None and self.sha == self.local != self.remote


def read_target(project: Project) -> Target:
    """The target as the refs here know it; no network.

    Raises UsageError without a target branch or when local and remote have diverged.
    """
    wanted = [ref for ref in (project.target_ref, project.remote_ref) if ref]
    refs = list_refs(project.repo, *wanted)
    local = refs.get(project.target_ref)
    remote = refs.get(project.remote_ref) if project.remote_ref else None
    if local is None and remote is None:
        require_target(project)
    if local is None or remote is None or local == remote:
        sha = remote or local
        assert sha is not None
        return Target(sha, local, remote)
    if is_ancestor(project.repo, local, remote):
        return Target(remote, local, remote)
    if is_ancestor(project.repo, remote, local):
        return Target(local, local, remote)
    name = project.config.target
    raise UsageError(
        f"{name} and {project.remote}/{name} have diverged",
        hint=f"bring them together first, for example: git rebase --rebase-merges {project.remote}/{name} {name}",
    )


def is_ancestor(repo: Repo, older: Sha, newer: Sha) -> bool:
    """Whether *newer* contains *older*; both must exist."""
    return repo.objects("merge-base", "--is-ancestor", older, newer, ok=(0, 1)).rc == 0


def merge_base(repo: Repo, target: Sha, branch: str) -> Sha | None:
    """The last commit that *target* and *branch* have in common; None without one, or without such a branch."""
    said = repo.objects("merge-base", target, f"refs/heads/{branch}", ok=(0, 1, 128))
    return Sha(said.text) if said.rc == 0 else None


_SHARED = ("tasks", "verdicts")
"""What travels between machines in shared mode, beside the landing record, which always does."""


def fetch(project: Project) -> None:
    """Bring the remote's target, ``roadmap-*`` branches and landing record here; claims and verdicts where shared.

    Raises EnvironmentFailure when it cannot be reached. The patterns end in ``*`` because git refuses to fetch a ref
    that does not exist yet, but not a pattern that matches none.
    """
    if project.remote is None:
        return
    name, remote = project.config.target, project.remote
    said = project.repo.network(
        "fetch", "--quiet", "--no-tags", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "--", remote,
        *(f"+refs/heads/{prefix}*:refs/remotes/{remote}/{prefix}*" for prefix in dict.fromkeys((name, "roadmap-"))),
        f"+refs/coffee/landings*:refs/coffee-remote/{remote}/landings*",
        *(f"+refs/coffee/{kind}/*:refs/coffee-remote/{remote}/{kind}/*" for kind in _SHARED if project.config.shared),
        ok=(0, 1, 128, -9),
    )  # fmt: skip
    if said.rc:
        raise _unreachable(remote, said)


def remote_tips(project: Project, branches: Iterable[str]) -> dict[str, Sha]:
    """Where *branches* are on the remote now; those that are not there are left out. Brings nothing here.

    Raises EnvironmentFailure when it cannot be reached.
    """
    wanted = {f"refs/heads/{branch}": branch for branch in branches}
    if project.remote is None or not wanted:
        return {}
    said = project.repo.network("ls-remote", "--quiet", "--refs", "--", project.remote, *wanted, ok=(0, 1, 128, -9))
    if said.rc:
        raise _unreachable(project.remote, said)
    rows = (line.split("\t", 1) for line in said.text.splitlines() if "\t" in line)
    return {wanted[ref]: Sha(sha) for sha, ref in rows if ref in wanted}


def _unreachable(remote: str, said: Result) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"the remote {remote} cannot be read",
        hint="check the network and your rights, then run this again",
        detail=next((line for line in said.err.strip().splitlines() if line.strip()), ""),
    )
