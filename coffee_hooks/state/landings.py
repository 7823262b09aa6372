"""The landing record: one commit per landing on ``refs/coffee/landings``, never reaped, read by verify."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_blobs, read_ref, resolve_commit, to_sha, to_text, write_json

REF = "refs/coffee/landings"
REMOTES = "refs/coffee-remote/"
_FILE = "landing.json"
REVERT = "Revert"
"""How the message of a record begins whose landing took something back."""


@dataclass(frozen=True, slots=True)
class Member:
    """One branch that landed: its merge commit and the commit that was merged.

    With *reverts* it took those merge commits of the branch back instead, and *merge_commit* is the one that did.
    *roadmap* is the file that names the task, None where nobody knows.
    """

    task: str | None
    branch: str
    sha: Sha
    merge_commit: Sha
    reverts: tuple[Sha, ...] = ()
    roadmap: str | None = None


@dataclass(frozen=True, slots=True)
class Landing:
    """The target went from *before* to *after*; *tree* is what the gate passed. *when* is UNIX time."""

    target: str
    before: Sha
    after: Sha
    tree: Sha
    members: tuple[Member, ...]
    gate: tuple[str, ...]
    verdict: str
    when: int
    blamed: tuple[str, ...] = ()


def append(repo: Repo, landing: Landing, identity: dict[str, str], theirs: Sha | None = None) -> Move:
    """Write *landing* as a commit on top of the record, and return the move that would put it in place.

    *theirs* is the remote's record; the new commit contains both, so that no landing is ever dropped.
    """
    blob = write_json(repo, _encode(landing))
    tree = repo.objects("mktree", "-z", stdin=f"100644 blob {blob}\t{_FILE}\0".encode()).text
    old = read_ref(repo, REF)
    parents = [word for sha in _heads(repo, [old, theirs]) for word in ("-p", sha)]
    verb = REVERT if any(m.reverts for m in landing.members) else "Land"
    message = f"{verb} {', '.join(m.branch for m in landing.members)} on {landing.target}\n"
    said = repo.objects("commit-tree", tree, *parents, "-F", "-", stdin=os.fsencode(message), env=identity)
    return Move(REF, old or ABSENT, Sha(said.text))


def _heads(repo: Repo, records: Sequence[Sha | None]) -> list[Sha]:
    """The records that no other one contains. What is no commit was not written by us and holds no landing."""
    named = dict.fromkeys(sha for sha in records if sha)
    commits = {commit for sha in named if (commit := resolve_commit(repo, sha))}
    if len(commits) < 2:
        return sorted(commits)
    return [Sha(sha) for sha in repo.objects("merge-base", "--independent", *sorted(commits)).text.split()]


def read_landings(repo: Repo) -> tuple[Landing, ...]:
    """Every landing that is known here or was fetched, the oldest first.

    Raises GitFailed when the record has holes: what is missing could be what matters.
    """
    refs = list_refs(repo, REF, REMOTES).items()
    heads = {sha for ref, sha in refs if ref == REF or ref.endswith("/landings")}
    if not heads:
        return ()
    commits = repo.objects("rev-list", "--topo-order", "--reverse", *sorted(heads)).text.split()
    blobs = read_blobs(repo, [f"{commit}:{_FILE}" for commit in commits])
    return tuple(landing for data in blobs.values() if (landing := _decode(data)) is not None)


def _encode(landing: Landing) -> dict[str, Any]:
    return {
        "target": landing.target, "before": landing.before, "after": landing.after, "tree": landing.tree,
        "gate": list(landing.gate), "verdict": landing.verdict, "when": landing.when, "blamed": list(landing.blamed),
        "members": [
            {"task": m.task, "branch": m.branch, "sha": m.sha, "merge_commit": m.merge_commit}
            | ({"reverts": list(m.reverts)} if m.reverts else {})
            | ({"roadmap": m.roadmap} if m.roadmap else {})
            for m in landing.members
        ],
    }  # fmt: skip


def _decode(data: bytes) -> Landing | None:
    try:
        value = json.loads(data)
        return Landing(
            to_text(value["target"]), to_sha(value["before"]), to_sha(value["after"]), to_sha(value["tree"]),
            tuple(map(_member, value["members"])), _texts(value["gate"]), to_text(value["verdict"]),
            int(value["when"]), _texts(value.get("blamed", [])),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _member(value: Any) -> Member:
    task = value["task"]
    return Member(
        None if task is None else to_text(task), to_text(value["branch"]), to_sha(value["sha"]),
        to_sha(value["merge_commit"]), tuple(map(to_sha, _texts(value.get("reverts", [])))),
        None if value.get("roadmap") is None else to_text(value["roadmap"]),
    )  # fmt: skip


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError("not a list")
    return tuple(map(to_text, values))
