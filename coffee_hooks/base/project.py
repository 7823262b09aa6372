"""A repository with its configuration: what every command opens first."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.config import FILE, Config
from coffee_hooks.base.config_file import ACTIONS, parse_config
from coffee_hooks.base.discover import discover
from coffee_hooks.base.errors import EnvironmentFailure, UsageError
from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs, read_ref

CANDIDATES = "roadmap-"
"""How the names of the branches begin that are judged and landed."""


@dataclass(frozen=True, slots=True)
class Project:
    """One repository and how it wants to be treated. *remote* is None when there is none or it is not wanted."""

    repo: Repo
    config: Config
    remote: str | None

    @property
    def target_ref(self) -> str:
        """``refs/heads/roadmap``."""
        return f"refs/heads/{self.config.target}"

    @property
    def remote_ref(self) -> str | None:
        """``refs/remotes/origin/roadmap``, None without a remote."""
        return f"refs/remotes/{self.remote}/{self.config.target}" if self.remote else None

    @property
    def worktrees_root(self) -> Path:
        """The folder that holds our worktrees and gate clones."""
        main = self.repo.main
        return Path(os.path.normpath(main / self.config.worktrees.root.replace("{repo}", main.name)))


def open_project(start: Path) -> Project:
    """The project around *start*. Raises UsageError or EnvironmentFailure as the contract lists them."""
    repo = discover(start)
    remotes = repo.objects("remote").text.split("\n")
    config = _configuration(repo, remotes)
    remote = _remote(config, remotes)
    if remote is not None and remote not in remotes:
        raise UsageError(f"there is no remote {remote!r}", hint="git remote add, or set remote: null in .coffee.yaml")
    return Project(repo, config, remote)


def config_at(repo: Repo, commit: Sha) -> Config | None:
    """The configuration committed in *commit*; None when it has none."""
    read = ((name, value) for name, value in os.environ.items() if name.startswith("COFFEE_") or name == ACTIONS)
    return _config_at(repo, commit, tuple(read))


@lru_cache(maxsize=4)  # a commit never changes, and a landing asks for the same one three times
def _config_at(repo: Repo, commit: Sha, settings: tuple[tuple[str, str], ...]) -> Config | None:
    found = read_blobs(repo, [f"{commit}:{FILE}"])
    return parse_config(next(iter(found.values())), dict(settings), f"{FILE} of {commit[:10]}") if found else None


def _configuration(repo: Repo, remotes: list[str]) -> Config:
    wanted = os.environ.get("COFFEE_TARGET")
    name = wanted or "roadmap"
    found = _committed(repo, name, remotes)
    if found is not None and found.target != name:  # it names another target, whose own file then counts
        name = found.target
        found = _committed(repo, name, remotes)
    if found is None:
        return _from_checkout(repo, name, remotes)
    if found.target != name:
        raise UsageError(
            f"{FILE} of {name} names another target, {found.target}", hint=f"let {FILE} of {name} say target: {name}"
        )
    return found


def _from_checkout(repo: Repo, name: str, remotes: list[str]) -> Config:
    """What the main checkout's file says while the target has none, unless that file belongs to a branch we judge."""
    data = _checkout_file(repo)
    if data is None:
        return replace(parse_config(b"", os.environ), target=name)
    config = parse_config(data, os.environ)
    if config.target != name and (committed := _committed(repo, config.target, remotes)) is not None:
        return committed
    branch = in_worktree(repo.main, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1, 128)).text
    if branch.startswith(CANDIDATES) and branch != config.target:
        output.say(f"{FILE} of the checkout is not read: it belongs to {branch}; commit it to {config.target}")
        return replace(parse_config(b"", os.environ), target=name)
    output.say(f"{FILE} is read from the checkout: {config.target} has none yet, so commit it there")
    return config


def _checkout_file(repo: Repo) -> bytes | None:
    try:
        return (repo.main / FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as broken:
        raise EnvironmentFailure(f"{FILE} cannot be read: {broken.strerror}", hint="check the file") from broken


def _committed(repo: Repo, target: str, remotes: list[str]) -> Config | None:
    """The file of the local target, else of the target on that remote which the file itself wants to work with."""
    commit = read_ref(repo, f"refs/heads/{target}")
    if commit is not None and (found := config_at(repo, commit)) is not None:
        return found
    for remote in filter(None, remotes):
        commit = read_ref(repo, f"refs/remotes/{remote}/{target}")
        found = config_at(repo, commit) if commit is not None else None
        if found is not None and _remote(found, remotes) == remote:
            return found
    return None


def _remote(config: Config, remotes: list[str]) -> str | None:
    return ("origin" if "origin" in remotes else None) if config.remote == "auto" else config.remote


def require_target(project: Project) -> Sha:
    """The local target's commit, or the remote's where there is no local one.

    Raises EnvironmentFailure without any commit, UsageError without a target branch.
    """
    for ref in filter(None, (project.target_ref, project.remote_ref)):
        commit = read_ref(project.repo, ref)
        if commit is not None:
            return commit
    if in_worktree(project.repo.top, "rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1, 128)).rc:
        raise EnvironmentFailure("this repository has no commits", hint="make a first commit, then run: coffee init")
    raise UsageError(f"there is no branch {project.config.target}", hint="run: coffee init")


def require_identity(repo: Repo) -> dict[str, str]:
    """Environment that names author and committer: the user's identity, else ``coffee <coffee@localhost>``."""
    said = in_worktree(repo.main, "var", "GIT_COMMITTER_IDENT", ok=(0, 128))
    name, _, rest = said.text.partition(" <")
    mail = rest.partition(">")[0]
    if said.rc or not name or not mail:
        name, mail = "coffee", "coffee@localhost"
    return {
        "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": mail,
    }  # fmt: skip
