"""Branches that were red: kept under the commit that was judged, until that branch moves on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_ref, read_stored, to_sha, transact, write_json
from coffee_hooks.base.remote import COPIES, OURS

PREFIX = "refs/coffee/verdicts/blamed/"


@dataclass(frozen=True, slots=True)
class Blame:
    """The gate was red for *sha* merged on *base*, and green on *base* alone."""

    sha: Sha
    base: Sha
    tree: Sha
    log: str | None


def read_blames(repo: Repo, remote: str | None = None) -> Mapping[Sha, Blame]:
    """Every blamed commit; those too that other machines pushed to *remote*, as far as they were fetched."""
    copies = _copies(remote)
    found = read_stored(repo, PREFIX, *([copies] if remote else []))
    here = (decode(ref, stored.value) for ref, stored in found.items() if ref.startswith(PREFIX))
    there = (
        decode(PREFIX + ref.removeprefix(copies), {**stored.value, "log": None})  # the file is not here
        for ref, stored in found.items()
        if ref.startswith(copies)
    )
    return {blame.sha: blame for blame in (*there, *here) if blame is not None}


def blame(repo: Repo, found: Blame) -> str:
    """Remember that *found.sha* is red; the ref that says so."""
    ref = PREFIX + found.sha
    blob = write_json(repo, {"base": found.base, "tree": found.tree, "log": found.log})
    transact(repo, [Move(ref, read_ref(repo, ref) or ABSENT, blob)])
    return ref


def forgive(repo: Repo, sha: Sha, remote: str | None = None) -> str:
    """Forget the blame of *sha*: a person had it tested again and it was green. The ref that is gone.

    Also what is known of it on *remote*, until the next fetch; whoever shares takes it away there.
    """
    refs = list_refs(repo, PREFIX + sha, *([_copies(remote) + sha] if remote else []))
    transact(repo, [Move(ref, blob, ABSENT) for ref, blob in refs.items()])
    return PREFIX + sha


def _copies(remote: str | None) -> str:
    return f"{COPIES}{remote}/{PREFIX.removeprefix(OURS)}"


def decode(ref: str, value: Mapping[str, Any]) -> Blame | None:
    """What *value* under *ref* says; None when it is no blame."""
    try:
        log = value.get("log")
        sha = to_sha(ref.removeprefix(PREFIX))
        return Blame(sha, to_sha(value["base"]), to_sha(value["tree"]), log if isinstance(log, str) else None)
    except (KeyError, ValueError):
        return None
