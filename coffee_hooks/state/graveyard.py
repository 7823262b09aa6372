"""The graveyard: everything cleanup removes stays reachable here until a person deletes it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, encode, list_refs

PREFIX = "refs/coffee/graveyard/"

_KINDS = ("tip", "head", "dirty", "remote", "strays")
_HASHED = re.compile(r"^%_$|%_[0-9a-f]{40}$")


@dataclass(frozen=True, slots=True)
class Grave:
    """One burial of a branch: its tip, and where there is more to keep, each in a ref of its own.

    *head* is a detached HEAD of its worktree, *dirty* the saved uncommitted work (parents: HEAD and the index, as
    git-stash(1) makes them), *remote* the remote branch where it differed, *strays* a commit whose parents are what
    only reflogs and unfinished operations of the worktree still named. *branch* is the encoded form of a name that
    is too long for a ref.
    """

    branch: str
    number: int
    tip: Sha | None = None
    head: Sha | None = None
    dirty: Sha | None = None
    remote: Sha | None = None
    strays: Sha | None = None

    @property
    def prefix(self) -> str:
        """Where its refs live."""
        return f"{PREFIX}{_folder(self.branch)}/{self.number}/"

    @property
    def kept(self) -> dict[str, Sha]:
        """Every ref of the burial with what it keeps, the most important first."""
        shas = (self.tip, self.head, self.dirty, self.remote, self.strays)
        return {self.prefix + kind: sha for kind, sha in zip(_KINDS, shas, strict=True) if sha}

    def burial(self) -> tuple[Move, ...]:
        """The moves that park it; none of the refs may exist yet."""
        return tuple(Move(ref, ABSENT, sha) for ref, sha in self.kept.items())


def read_graves(repo: Repo) -> tuple[Grave, ...]:
    """Every burial, ordered by branch and number."""
    found: dict[tuple[str, int], dict[str, Sha]] = {}
    for ref, sha in list_refs(repo, PREFIX).items():
        matched = re.fullmatch(rf"(.+)/(\d+)/({'|'.join(_KINDS)})", ref.removeprefix(PREFIX))
        if matched:
            folder, number, kind = matched[1], int(matched[2]), matched[3]
            branch = folder if _HASHED.search(folder) else unquote(folder, errors="surrogateescape")
            found.setdefault((branch, number), {})[kind] = sha
    return tuple(Grave(branch, number, *map(kept.get, _KINDS)) for (branch, number), kept in sorted(found.items()))


def graves_of(graves: Iterable[Grave], branch: str) -> tuple[Grave, ...]:
    """The burials of *branch*, the latest last."""
    return tuple(grave for grave in graves if _folder(grave.branch) == _folder(branch))


def next_grave(graves: Iterable[Grave], branch: str) -> int:
    """The number of the next burial of *branch*."""
    return 1 + max((grave.number for grave in graves_of(graves, branch)), default=0)


def _folder(branch: str) -> str:
    return branch if _HASHED.search(branch) else encode(branch)
