"""The ``roadmap-*`` branches, here and on the remote, with what their commits say. A handful of git processes."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.guard.cfr_013 import branch_allowed
from coffee_hooks.sources.task_names import is_listed

_READY_LINE = re.compile(r"^[ \t]*Status:[ \t]*Ready for merge[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_TASK = r"(?<![A-Za-z0-9_-])(?:US-\d+|PRIORITY[ -]\d+(?:\.\d+)*)(?![\w-])"
_LISTED = r"T[0-9]{3,9}[A-Za-z]?(?![\w-])"
"""A task of a list, where nothing else can be meant: first in a subject, in brackets, or in a line of its own."""
_IN_SUBJECT = re.compile(rf"^(?:\w+(?:\([^()]*\))?!?:\s+)?(?P<first>{_LISTED})|[(\[](?P<inside>{_LISTED})[)\]]")


class Where(Enum):
    """Where a branch exists."""

    LOCAL = "local"
    REMOTE = "remote"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch at the commit that would land.

    *diverged*: the one here and the one on the remote each hold commits that neither the other nor the target has.
    """

    name: str
    tip: Sha
    where: Where
    message: str
    diverged: bool

    @property
    def subject(self) -> str:
        """The first line of the last commit."""
        return self.message.split("\n", 1)[0]

    @property
    def says_ready(self) -> bool:
        """Whether the last commit carries the line that declares it finished."""
        return _READY_LINE.search(self.message) is not None


@dataclass(frozen=True, slots=True)
class Ref:
    """One branch ref: the commit and its message."""

    tip: Sha
    message: str


def list_branches(project: Project, target: Sha, names: Collection[str] = ()) -> tuple[tuple[Branch, int], ...]:
    """Every branch that CFR-013 allows except the target, or those of *names*, sorted by name.

    Each comes with its commits that *target* does not contain. Two git processes, however many branches there are.
    """
    local, remote = _refs(project)
    wanted = sorted(
        name
        for name in {*local, *remote}
        if name != project.config.target
        and branch_allowed(name, project.config.target)
        and (not names or name in names)
    )
    tips = {ref.tip for refs in (local, remote) for name, ref in refs.items() if name in wanted}
    own = own_commits(project.repo, target, tips)
    branches = (_branch(name, local.get(name), remote.get(name), own) for name in wanted)
    return tuple((branch, len(own[branch.tip])) for branch in branches)


def _refs(project: Project) -> tuple[dict[str, Ref], dict[str, Ref]]:
    """Local and remote ``roadmap-*`` branches by their short names; symbolic refs and tags of tags left out."""
    remotes = f"refs/remotes/{project.remote}/" if project.remote else None
    said = project.repo.objects(
        "for-each-ref", "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(symref)%00%(contents)%00",
        "--", "refs/heads/roadmap-*", *([f"{remotes}roadmap-*"] if remotes else []),
    )  # fmt: skip
    fields = said.out.split(b"\0")
    local: dict[str, Ref] = {}
    remote: dict[str, Ref] = {}
    for at in range(0, len(fields) - 4, 5):
        name = os.fsdecode(fields[at].lstrip(b"\n"))
        if fields[at + 2] != b"commit" or fields[at + 3]:
            continue
        ref = Ref(Sha(fields[at + 1].decode()), fields[at + 4].decode("utf-8", "replace"))
        if remotes and name.startswith(remotes):
            remote[name.removeprefix(remotes)] = ref
        else:
            local[name.removeprefix("refs/heads/")] = ref
    return local, remote


def _branch(name: str, local: Ref | None, remote: Ref | None, own: Mapping[Sha, AbstractSet[str]]) -> Branch:
    if local is None or remote is None:
        only = local or remote
        assert only is not None
        where = Where.LOCAL if local else Where.REMOTE
        return Branch(name, only.tip, where, only.message, False)
    here, there = own[local.tip], own[remote.tip]
    chosen = remote if here < there else local
    return Branch(name, chosen.tip, Where.BOTH, chosen.message, diverged=not (here <= there or there <= here))


def count_ahead(repo: Repo, target: Sha, tips: Iterable[Sha]) -> dict[Sha, int]:
    """Commits of each tip that *target* does not contain. One git process for all."""
    return {tip: len(commits) for tip, commits in own_commits(repo, target, tips).items()}


def own_commits(repo: Repo, target: Sha, tips: Iterable[Sha]) -> dict[Sha, AbstractSet[str]]:
    """The commits of each tip that *target* does not contain. One git process for all."""
    wanted = list(dict.fromkeys(tips))
    if not wanted:
        return {}
    said = repo.objects(
        "rev-list", "--parents", "--stdin", stdin="".join(f"{t}\n" for t in [*wanted, f"^{target}"]).encode()
    )
    parents: dict[str, Sequence[str]] = {}
    for line in said.text.splitlines():
        commit, *rest = line.split(" ")
        parents[commit] = rest
    return {tip: _reachable(tip, parents) for tip in wanted}


def _reachable(tip: Sha, parents: Mapping[str, Sequence[str]]) -> AbstractSet[str]:
    seen: set[str] = set()
    waiting = [str(tip)]
    while waiting:
        commit = waiting.pop()
        if commit in seen or commit not in parents:
            continue
        seen.add(commit)
        waiting.extend(parents[commit])
    return seen


def infer_task(message: str) -> TaskId | None:
    """The task that a commit names: a ``Priority:``/``Coffee-Task:`` line first, then its subject.

    ``US-24 - US-107`` is the alias form and means US-107; a subject that names several others names none.
    """
    line = rf"^[ \t]*(?:Priority|Coffee-Task):[ \t]*({_TASK}|(?-i:{_LISTED}))[ \t\r]*$"
    body = re.findall(line, message, re.MULTILINE | re.IGNORECASE)
    if body:
        return _canonical(body[-1])
    subject = message.split("\n", 1)[0]
    alias = re.search(rf"{_TASK}\s+-\s+({_TASK})", subject, re.IGNORECASE)
    if alias:
        return _canonical(alias[1])
    named = {_canonical(found) for found in re.findall(_TASK, subject, re.IGNORECASE)}
    named = named or {TaskId(found["first"] or found["inside"]) for found in _IN_SUBJECT.finditer(subject)}
    return named.pop() if len(named) == 1 else None


def _canonical(text: str) -> TaskId:
    return TaskId(text if is_listed(text) else text.upper().replace(" ", "-"))
