"""Push the target by compare-and-swap, all refs of a landing or none, and read the answer from the flags."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move


class Pushed(Enum):
    """What the remote said; UNREACHABLE is also a push whose answer was lost, so it may have been accepted."""

    ACCEPTED = "accepted"
    MOVED = "moved"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NO_OTHER_REFS = "no-other-refs"


@dataclass(frozen=True, slots=True)
class Answer:
    """The remote's answer, with its own words behind it."""

    pushed: Pushed
    detail: str = ""


def push(project: Project, moves: Sequence[Move]) -> Answer:
    """Push all *moves* (old values are what the remote must hold) in one atomic push.

    The caller has checked that each new value descends from the old one: a lease is also permission to force.
    """
    assert project.remote is not None
    leases = [f"--force-with-lease={m.ref}:{'' if m.old == ABSENT else m.old}" for m in moves]
    specs = [f"{'' if m.new == ABSENT else m.new}:{m.ref}" for m in moves]
    atomic = ["--atomic"] if len(moves) > 1 else []
    said = project.repo.network(
        "push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", *atomic, *leases, "--",
        project.remote, *specs, ok=range(-64, 256),
    )  # fmt: skip
    return read_answer(said.text, said.err, [m.ref for m in moves])


_LOST = re.compile(r"stale info|fetch first|non-fast-forward|but expected|cannot lock ref|failed to lock")
# In an atomic push the server says "atomic transaction failed" for every ref, and why only in its own words.
_LOST_TOGETHER = re.compile(r"cannot lock ref .*(?:but expected|reference already exists|File exists)")
_SILENT = re.compile(r"remote failure|failed to report status")
_WHOLE = re.compile(r"pre-receive hook declined")


def read_answer(out: str, err: str, refs: Sequence[str]) -> Answer:
    """Judge the lines ``FLAG TAB from:to TAB summary`` of ``push --porcelain``; no exit code is trusted. Pure."""
    flags: dict[str, tuple[str, str]] = {}
    for line in out.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and len(parts[0]) == 1:
            flags[parts[1].partition(":")[2]] = parts[0], parts[2]
    if all(flags.get(ref, ("!", ""))[0] in " +*-=" for ref in refs):
        return Answer(Pushed.ACCEPTED)
    refused = {ref: summary for ref, (flag, summary) in flags.items() if flag == "!"}
    said = [line.strip() for line in err.splitlines() if line.strip()]
    told = [line.removeprefix("remote:").strip() for line in said if line.startswith("remote:")]
    if not refused:
        kind = Pushed.NO_OTHER_REFS if "does not support --atomic" in err else Pushed.UNREACHABLE
        why = next((line for line in said if line.startswith("fatal: ")), said[-1] if said else "")
        return Answer(kind, "; ".join(dict.fromkeys([why, *told[:2]])))
    summaries = "; ".join(dict.fromkeys(refused.values()))
    detail = "; ".join(filter(None, [summaries, *told[:2]]))
    if _LOST.search(summaries) or any(map(_LOST_TOGETHER.search, told)):
        return Answer(Pushed.MOVED, detail)
    if _SILENT.search(summaries):
        return Answer(Pushed.UNREACHABLE, detail)
    return Answer(_whose(refused), detail)


def _whose(refused: Mapping[str, str]) -> Pushed:
    """Was it the target, or what came along? A server's pre-receive hook refuses all at once and does not say."""
    own = {ref: summary for ref, summary in refused.items() if "atomic" not in summary}
    heads = [ref for ref in own if ref.startswith("refs/heads/")]
    if any(not _WHOLE.search(own[ref]) for ref in heads) or len(own) == len(heads):
        return Pushed.REFUSED
    return Pushed.NO_OTHER_REFS
