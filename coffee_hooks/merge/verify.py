"""Prove promise 1 on history: every landing of ours has the tree that the gate passed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import resolve_commit
from coffee_hooks.base.remote import fetch
from coffee_hooks.base.target import read_target
from coffee_hooks.state.landings import Landing, read_landings


class Proof(Enum):
    """What the record says about a first-parent commit of the target."""

    TESTED = "tested"
    OTHER = "other"
    UNRECORDED = "unrecorded"
    """Its trailers claim to be ours, but no landing knows it."""
    ALTERED = "altered"
    """A landing knows it, but not with this tree or this parent."""


_OURS = re.compile(r"^Coffee-Sha: [0-9a-f]{40}(?:[0-9a-f]{24})?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Checked:
    """One first-parent commit of the target."""

    sha: Sha
    tree: Sha
    subject: str
    proof: Proof

    @property
    def good(self) -> bool:
        """Whether it keeps promise 1, as far as it is ours."""
        return self.proof in (Proof.TESTED, Proof.OTHER)


@dataclass(frozen=True, slots=True)
class Commit:
    """What verify reads of a commit."""

    sha: Sha
    tree: Sha
    parent: Sha | None
    message: str


def verify(project: Project, since: str | None) -> tuple[Checked, ...]:
    """Check the first-parent history of the target, newest first.

    A landing that is not recorded here is looked for on the remote, which a fresh clone has not read yet. Raises
    UsageError for an unknown *since*, EnvironmentFailure when the remote had to be asked and could not.
    """
    checked = _verify(project, since)
    if project.remote is None or all(each.proof is not Proof.UNRECORDED for each in checked):
        return checked
    fetch(project)
    return _verify(project, since)


def _verify(project: Project, since: str | None) -> tuple[Checked, ...]:
    span = [read_target(project).sha]
    if since is not None:
        start = resolve_commit(project.repo, since)
        if start is None:
            raise UsageError(f"{since!r} is no commit", hint="coffee verify --since <commit, tag or branch>")
        span.append(Sha(f"^{start}"))
    said = project.repo.objects("log", "--first-parent", "--format=%H%x00%T%x00%P%x00%B%x00", *span, "--")
    fields = [field.decode("utf-8", "replace") for field in said.out.split(b"\0")]
    commits = [
        Commit(Sha(sha.strip()), Sha(tree), Sha(parents.split(" ")[0]) if parents else None, message)
        for sha, tree, parents, message in zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False)
    ]
    return check(commits, {landing.after: landing for landing in read_landings(project.repo)})


def check(commits: Sequence[Commit], landed: Mapping[Sha, Landing]) -> tuple[Checked, ...]:
    """Hold every commit against the record. Pure."""
    return tuple(Checked(c.sha, c.tree, c.message.split("\n", 1)[0], _proof(c, landed.get(c.sha))) for c in commits)


def _proof(commit: Commit, landing: Landing | None) -> Proof:
    if landing is None:
        trailers = commit.message.strip().rpartition("\n\n")[2]
        return Proof.UNRECORDED if _OURS.search(trailers) else Proof.OTHER
    same = landing.tree == commit.tree and landing.before == commit.parent and landing.verdict == "green"
    return Proof.TESTED if same else Proof.ALTERED
