"""Push the target by compare-and-swap, all refs of a landing or none, and read the answer from the flags."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move


class Pushed(Enum):
    """What the remote said."""

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
        project.remote, *specs, ok=(0, 1, 128, -9),
    )  # fmt: skip
    return read_answer(said.text, said.err, [m.ref for m in moves])


def read_answer(out: str, err: str, refs: Sequence[str]) -> Answer:
    """Judge the lines ``FLAG TAB from:to TAB summary`` of ``push --porcelain``. Pure."""
    flags: dict[str, tuple[str, str]] = {}
    for line in out.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and len(parts[0]) == 1:
            flags[parts[1].partition(":")[2]] = parts[0], parts[2]
    if all(flags.get(ref, ("!", ""))[0] in " +*-=" for ref in refs):
        return Answer(Pushed.ACCEPTED)
    summaries = " ".join(summary for flag, summary in flags.values() if flag == "!")
    last = next((line for line in reversed(err.strip().splitlines()) if line.strip()), "")
    if re.search(r"stale info|fetch first|non-fast-forward|but expected|cannot lock ref|failed to lock", summaries):
        return Answer(Pushed.MOVED, summaries)
    if re.search(r"does not support --atomic", err):
        return Answer(Pushed.NO_OTHER_REFS, last)
    if "!" in [flag for flag, _ in flags.values()]:
        others = [ref for ref in refs if not ref.startswith("refs/heads/") and _blames(flags.get(ref))]
        heads = [ref for ref in refs if ref.startswith("refs/heads/") and _blames(flags.get(ref))]
        kind = Pushed.NO_OTHER_REFS if others and not heads else Pushed.REFUSED
        told = [line.removeprefix("remote: ").strip() for line in err.splitlines() if line.startswith("remote: ")]
        return Answer(kind, "; ".join(filter(None, [summaries, *told[:2]])))
    return Answer(Pushed.UNREACHABLE, last)


def _blames(answer: tuple[str, str] | None) -> bool:
    """Whether a ref was refused on its own account, not because of another one of the same atomic push."""
    return answer is not None and answer[0] == "!" and "atomic" not in answer[1]
