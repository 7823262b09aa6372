"""Which commit of the target counts: with a remote it is the remote's, unless the local one is strictly ahead."""

from __future__ import annotations

from dataclasses import dataclass

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.git import Repo
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
