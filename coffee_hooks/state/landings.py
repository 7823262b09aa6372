"""The landing record: one commit per landing on ``refs/coffee/landings``, never reaped, read by verify."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, list_refs, read_ref

REF = "refs/coffee/landings"
REMOTES = "refs/coffee-remote/"
_FILE = "landing.json"


@dataclass(frozen=True, slots=True)
class Member:
    """One branch that landed: its merge commit and the commit that was merged."""

    task: str | None
    branch: str
    sha: Sha
    merge_commit: Sha


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
    data = json.dumps(_encode(landing), ensure_ascii=False, sort_keys=True, indent=1)
    blob = repo.objects(
        "hash-object", "-w", "--no-filters", "--stdin", stdin=data.encode("utf-8", "surrogateescape") + b"\n"
    ).text
    tree = repo.objects("mktree", "-z", stdin=f"100644 blob {blob}\t{_FILE}\0".encode()).text
    old = read_ref(repo, REF)
    parents = _heads(repo, [sha for sha in (old, theirs) if sha])
    message = f"Land {', '.join(m.branch for m in landing.members)} on {landing.target}\n"
    commit = repo.objects("commit-tree", tree, *(word for sha in parents for word in ("-p", sha)), "-F", "-", stdin=os.fsencode(message), env=identity).text
    return Move(REF, old or ABSENT, Sha(commit))


def _heads(repo: Repo, records: list[Sha]) -> list[Sha]:
    if len(set(records)) < 2:
        return records[:1]
    return [Sha(sha) for sha in repo.objects("merge-base", "--independent", *records).text.split()]


def read_landings(repo: Repo) -> tuple[Landing, ...]:
    """Every landing that is known here or was fetched, the oldest first. Three git processes."""
    records = [sha for ref, sha in list_refs(repo, REF, REMOTES).items() if ref == REF or ref.endswith("/landings")]
    if not records:
        return ()
    commits = repo.objects("rev-list", "--topo-order", "--reverse", *records).text.split()
    said = repo.objects("cat-file", "--batch", stdin="".join(f"{c}:{_FILE}\n" for c in commits).encode())
    found, at = [], 0
    for _ in commits:
        end = said.out.index(b"\n", at)
        words = said.out[at:end].split(b" ")
        at = end + 1
        if words[-1].isdigit():
            size = int(words[-1])
            landing = _decode(said.out[at : at + size])
            at += size + 1
            if landing:
                found.append(landing)
    return tuple(found)


def _encode(landing: Landing) -> dict[str, Any]:
    return {
        "target": landing.target, "before": landing.before, "after": landing.after, "tree": landing.tree,
        "gate": list(landing.gate), "verdict": landing.verdict, "when": landing.when, "blamed": list(landing.blamed),
        "members": [
            {"task": m.task, "branch": m.branch, "sha": m.sha, "merge_commit": m.merge_commit} for m in landing.members
        ],
    }  # fmt: skip


def _decode(data: bytes) -> Landing | None:
    try:
        value = json.loads(data)
        members = tuple(
            Member(m.get("task"), m["branch"], Sha(m["sha"]), Sha(m["merge_commit"])) for m in value["members"]
        )
        return Landing(
            value["target"], Sha(value["before"]), Sha(value["after"]), Sha(value["tree"]), members,
            tuple(value["gate"]), value["verdict"], int(value["when"]), tuple(value.get("blamed", ())),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
