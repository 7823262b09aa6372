"""What differs where a landing is taken back instead of made: its message, and what to type when it cannot be."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from coffee_hooks.base.text import one_line, printable
from coffee_hooks.merge.candidate import Link, Work


def revert_message(link: Link, gate: Sequence[str], seconds: float) -> str:
    """The message of the one commit that takes the landings of a branch back; it ends in a block of git trailers."""
    work = link.work
    name = " - ".join(filter(None, [one_line(work.task or ""), one_line(link.title)])) or printable(work.branch)
    command = one_line(shlex.join(gate)) if gate else "gate"
    lines = [
        f"Revert {name}",
        "",
        *(f"This reverts commit {sha}, the merge of {printable(work.branch)}." for sha in work.reverts),
        "",
        f"Tests: All passing ({command}, {seconds:.0f} s)",
        "Status: Ready for production",
        "",
        *([f"Coffee-Task: {one_line(work.task)}"] if work.task else []),
        f"Coffee-Branch: {printable(work.branch)}",
        *(f"Coffee-Reverts: {sha}" for sha in work.reverts),
        f"Coffee-Sha: {work.tip}",
    ]
    return "\n".join(lines) + "\n"


def conflict_hint(work: Work, target: str) -> str:
    """What a person types where git cannot merge *work* with the target."""
    if work.reverts:
        since = f"git log --first-parent {work.reverts[-1][:12]}..{target}"
        return f"take back first what was built on it ({since}), or commit a repair on a branch of its own"
    if work.undoes:
        back = " ".join(sha[:12] for sha in work.undoes)
        return f"in its worktree: git merge {target} && git revert {back}; resolve, commit, then run this again"
    return f"git merge {target} in its worktree, resolve, commit, then run this again"
