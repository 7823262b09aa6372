"""Branches that were red: kept under the commit that was judged, until that branch moves on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_json, transact, write_json

PREFIX = "refs/coffee/verdicts/blamed/"


@dataclass(frozen=True, slots=True)
class Blame:
    """The gate was red for *sha* merged on *base*, and green on *base* alone."""

    sha: Sha
    base: Sha
    tree: Sha
    log: str | None


def read_blames(repo: Repo) -> Mapping[Sha, Blame]:
    """Every blamed commit."""
    refs = list_refs(repo, PREFIX)
    values = read_json(repo, refs.values())
    found = {}
    for ref, blob in refs.items():
        value = values.get(blob, {})
        sha = Sha(ref.removeprefix(PREFIX))
        if isinstance(value.get("base"), str) and isinstance(value.get("tree"), str):
            found[sha] = Blame(sha, Sha(value["base"]), Sha(value["tree"]), value.get("log"))
    return found


def blame(repo: Repo, found: Blame) -> None:
    """Remember that *found.sha* is red."""
    refs = list_refs(repo, PREFIX + found.sha)
    blob = write_json(repo, {"base": found.base, "tree": found.tree, "log": found.log})
    transact(repo, [Move(PREFIX + found.sha, refs.get(PREFIX + found.sha, ABSENT), blob)])


def forgive(repo: Repo, sha: Sha) -> None:
    """Forget the blame of *sha*: a person had it tested again and it was green."""
    for ref, blob in list_refs(repo, PREFIX + sha).items():
        transact(repo, [Move(ref, blob, ABSENT)])
