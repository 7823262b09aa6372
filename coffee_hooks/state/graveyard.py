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


@dataclass(frozen=True, slots=True)
class Grave:
    """One burial of a branch: its tip, and where they differ the detached HEAD and the saved uncommitted work."""

    branch: str
    number: int
    tip: Sha | None = None
    head: Sha | None = None
    dirty: Sha | None = None

    @property
    def prefix(self) -> str:
        """Where its refs live."""
        return f"{PREFIX}{encode(self.branch)}/{self.number}/"

    def burial(self) -> tuple[Move, ...]:
        """The moves that park it; none of the refs may exist yet."""
        kinds = {"tip": self.tip, "head": self.head, "dirty": self.dirty}
        return tuple(Move(self.prefix + kind, ABSENT, sha) for kind, sha in kinds.items() if sha)


def read_graves(repo: Repo) -> tuple[Grave, ...]:
    """Every burial, ordered by branch and number."""
    found: dict[tuple[str, int], dict[str, Sha]] = {}
    for ref, sha in list_refs(repo, PREFIX).items():
        matched = re.fullmatch(r"(.+)/(\d+)/(tip|head|dirty)", ref.removeprefix(PREFIX))
        if matched:
            branch = unquote(matched[1], errors="surrogateescape", encoding="utf-8")
            found.setdefault((branch, int(matched[2])), {})[matched[3]] = sha
    return tuple(
        Grave(branch, number, kinds.get("tip"), kinds.get("head"), kinds.get("dirty"))
        for (branch, number), kinds in sorted(found.items())
    )


def next_grave(graves: Iterable[Grave], branch: str) -> int:
    """The number of the next burial of *branch*."""
    return 1 + max((g.number for g in graves if g.branch == branch), default=0)
