"""The ``roadmap-*`` branches, here and on the remote, with what their commits say. A handful of git processes."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.guard.cfr_013 import branch_allowed

_READY_LINE = re.compile(r"^\s*Status:\s*Ready for merge\s*$", re.IGNORECASE | re.MULTILINE)
_TASK = r"(?<![A-Za-z0-9_-])(?:US-\d+|PRIORITY[ -]\d+(?:\.\d+)*)(?![\w-])"


class Where(Enum):
    """Where a branch exists."""

    LOCAL = "local"
    REMOTE = "remote"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch at the commit that would land. *diverged*: local and remote each hold commits of their own."""

    name: str
    tip: Sha
    where: Where
    message: str
    diverged: bool
    local: Sha | None
    remote: Sha | None

    @property
    def subject(self) -> str:
        """The first line of the last commit."""
        return self.message.split("\n", 1)[0]

    @property
    def says_ready(self) -> bool:
        """Whether the last commit carries the line that declares it finished."""
        return _READY_LINE.search(self.message) is not None


def list_branches(project: Project) -> tuple[Branch, ...]:
    """Every branch that CFR-013 allows except the target, sorted by name. One git process and one per moved pair."""
    remotes = f"refs/remotes/{project.remote}/" if project.remote else None
    said = project.repo.objects(
        "for-each-ref", "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(symref)%00%(contents)%00",
        "--", "refs/heads/roadmap-*", *([f"{remotes}roadmap-*"] if remotes else []),
    )  # fmt: skip
    fields = said.out.split(b"\0")
    local: dict[str, tuple[Sha, str]] = {}
    remote: dict[str, tuple[Sha, str]] = {}
    for at in range(0, len(fields) - 4, 5):
        ref = os.fsdecode(fields[at].lstrip(b"\n"))
        if fields[at + 2] != b"commit" or fields[at + 3]:
            continue
        entry = Sha(fields[at + 1].decode()), fields[at + 4].decode("utf-8", "replace")
        if remotes and ref.startswith(remotes):
            remote[ref.removeprefix(remotes)] = entry
        else:
            local[ref.removeprefix("refs/heads/")] = entry
    names = sorted(
        n for n in {*local, *remote} if n != project.config.target and branch_allowed(n, project.config.target)
    )
    return tuple(_branch(project.repo, name, local.get(name), remote.get(name)) for name in names)


def _branch(repo: Repo, name: str, local: tuple[Sha, str] | None, remote: tuple[Sha, str] | None) -> Branch:
    if local is None or remote is None:
        tip, message = local or remote or (Sha(""), "")
        where = Where.LOCAL if local else Where.REMOTE
        return Branch(name, tip, where, message, False, local[0] if local else None, remote[0] if remote else None)
    chosen, diverged = local, False
    if local[0] != remote[0]:
        if is_ancestor(repo, local[0], remote[0]):
            chosen = remote
        else:
            diverged = not is_ancestor(repo, remote[0], local[0])
    return Branch(name, chosen[0], Where.BOTH, chosen[1], diverged, local[0], remote[0])


def count_ahead(repo: Repo, target: Sha, tips: Iterable[Sha]) -> dict[Sha, int]:
    """Commits of each tip that *target* does not contain. One git process for all."""
    wanted = list(dict.fromkeys(tips))
    if not wanted:
        return {}
    said = repo.objects(
        "rev-list", "--parents", "--stdin", stdin="".join(f"{t}\n" for t in [*wanted, f"^{target}"]).encode()
    )
    parents: dict[str, Sequence[str]] = defaultdict(tuple)
    for line in said.text.splitlines():
        commit, *rest = line.split(" ")
        parents[commit] = rest
    return {tip: _reachable(tip, parents) for tip in wanted}


def _reachable(tip: Sha, parents: dict[str, Sequence[str]]) -> int:
    seen: set[str] = set()
    waiting = [str(tip)]
    while waiting:
        commit = waiting.pop()
        if commit in seen or commit not in parents:
            continue
        seen.add(commit)
        waiting.extend(parents[commit])
    return len(seen)


def infer_task(message: str) -> TaskId | None:
    """The task that a commit names: a ``Priority:``/``Coffee-Task:`` line first, then its subject.

    ``US-24 - US-107`` is the alias form and means US-107; a subject that names several others names none.
    """
    body = re.findall(rf"^(?:Priority|Coffee-Task):\s*({_TASK})\s*$", message, re.MULTILINE | re.IGNORECASE)
    if body:
        return _canonical(body[-1])
    subject = message.split("\n", 1)[0]
    alias = re.search(rf"{_TASK}\s+-\s+({_TASK})", subject, re.IGNORECASE)
    if alias:
        return _canonical(alias[1])
    named = {_canonical(found) for found in re.findall(_TASK, subject, re.IGNORECASE)}
    return named.pop() if len(named) == 1 else None


def _canonical(text: str) -> TaskId:
    return TaskId(text.upper().replace(" ", "-"))
