"""May this branch and its worktree go? Pure: facts in, decision out. Whatever is unsure stays."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from coffee_hooks.base.text import one_line, printable
from coffee_hooks.cleanup.values import (
    Decision,
    Facts,
    Home,
    Outcome,
    Ownership,
    Place,
    Remote,
    Tree,
    Waive,
    Work,
)

SHOWN = 3
"""How many paths a sentence names before it only counts them."""

Answer = tuple[Outcome, str, str]
Rule = Callable[["Facts"], "Answer | None"]
"""Outcome, why, and what to type."""


def judge(facts: Facts, waive: Waive = Waive.NOTHING, min_age: float = 0.0) -> Decision | None:
    """The decision about one branch, or None while its worktrees or its remote have not been looked at.

    The order is fixed: there at all, ours, not running, not locked, then (unless nobody named it and it is not
    landed, which needs no look) clean, landed, not moved on the remote, old enough (*min_age* seconds). Only what a
    person named may be waived.
    """
    permitted = waive if facts.named else Waive.NOTHING
    if facts.named and not facts.tip and not facts.homes and facts.remote is Remote.UNASKED:
        return None
    fixed: tuple[Rule, ...] = (_missing, _foreign, _running, _locked)
    for rule in fixed:
        if answer := rule(facts):
            return Decision(facts, *answer)
    if not facts.named and (answer := _unmerged(facts)):
        return Decision(facts, *answer)
    if facts.remote is Remote.UNASKED or any(home.tree is None for home in facts.homes):
        return None
    waivable: tuple[tuple[Waive, Rule], ...] = (
        (Waive.NOTHING, _unsavable),
        (Waive.DIRTY, _dirty),
        (Waive.UNMERGED, _unmerged),
        (Waive.NOTHING, _moved),
        (Waive.UNMERGED, _ahead),
        (Waive.UNMERGED, _unpushed),
    )
    for waiver, rule in waivable:
        if not (waiver and waiver in permitted) and (answer := rule(facts)):
            return Decision(facts, *answer)
    if not facts.named and (answer := _young(facts, min_age)):
        return Decision(facts, *answer)
    return Decision(
        facts, Outcome.REMOVED, facts.landed.value if facts.landed else "not landed, but named to be removed"
    )


def _missing(facts: Facts) -> Answer | None:
    if facts.tip or facts.homes or facts.remote not in (Remote.ABSENT, Remote.UNWANTED):
        return None
    return Outcome.MISSING, "there is no such branch", "coffee status"


def _foreign(facts: Facts) -> Answer | None:
    reasons = {
        Ownership.NOBODYS: "coffee did not make it: no claim, no worktree of coffee's, never landed",
        Ownership.ANOTHERS: f"{one_line(facts.claim.owner) if facts.claim else 'somebody else'} claimed it, "
        "and it has not landed",
        Ownership.REFUSED: "it is not a work branch (roadmap-NAME)",
    }
    if reason := reasons.get(facts.ownership):
        return Outcome.KEPT_FOREIGN, reason, _by_hand(facts)
    if len(facts.homes) > 1:
        return Outcome.KEPT_FOREIGN, f"it is checked out {len(facts.homes)} times", "git worktree list"
    return next((answer for home in facts.homes if (answer := _place(facts, home))), None)


def _place(facts: Facts, home: Home) -> Answer | None:
    where = printable(str(home.path))
    if home.place is Place.HERE:
        return Outcome.KEPT_RUNNING, f"this command runs in {where}", "run it from another folder"
    if home.place is Place.MAIN:
        return Outcome.KEPT_FOREIGN, "it is checked out in the main worktree", "git switch to another branch there"
    if home.place is Place.ELSEWHERE:
        return Outcome.KEPT_FOREIGN, f"coffee did not make the worktree {where}", _remove_by_hand(home)
    if home.place is Place.REPLACED:
        return Outcome.KEPT_FOREIGN, f"{where} is not its worktree any more", "git worktree repair, or move it away"
    if home.restored and not facts.named:
        return Outcome.KEPT_FOREIGN, "a person brought it back", _again(facts)
    return None


def _running(facts: Facts) -> Answer | None:
    if not facts.running:
        return None
    stop = f"coffee stop {shlex.quote(facts.claim.task)}" if facts.claim else "coffee status"
    return Outcome.KEPT_RUNNING, f"{facts.running} still runs", stop


def _locked(facts: Facts) -> Answer | None:
    for home in facts.homes:
        if home.locked:
            unlock = f"git worktree unlock {shlex.quote(printable(str(home.path)))}"
            return Outcome.KEPT_LOCKED, f"the worktree {printable(str(home.path))} is locked", unlock
    return None


def _unmerged(facts: Facts) -> Answer | None:
    if facts.work is Work.EMPTY:
        reason = "its task is claimed, and nothing was committed on it yet"
    elif not facts.landed:
        reason = "its commits are not in the target"
    elif facts.work is Work.OPEN and not facts.named:
        reason = "its task is still claimed"
    elif facts.work is Work.REVERTED and not facts.named:
        reason = "its landing was reverted"
    else:
        return None
    return Outcome.KEPT_UNMERGED, reason, _again(facts, "--force-delete")


def _trees(facts: Facts) -> list[Tree]:
    return [home.tree for home in facts.homes if home.tree]


def _unsavable(facts: Facts) -> Answer | None:
    for tree in _trees(facts):
        if tree.unsavable:
            return Outcome.KEPT_DIRTY, tree.unsavable[0], "save it by hand first: no flag of coffee can keep it"
    return None


def _dirty(facts: Facts) -> Answer | None:
    for tree in _trees(facts):
        if not tree.clean:
            return Outcome.KEPT_DIRTY, _dirt(tree), f"commit it, or: {_again(facts, '--force')}"
    return None


def _dirt(tree: Tree) -> str:
    if tree.in_progress:
        return f"{tree.in_progress} is in progress"
    if tree.dirty:
        return f"uncommitted: {_some(tree.dirty)}"
    if tree.hidden:
        return f"edited, but hidden from git status: {_some(tree.hidden)}"
    return f"ignored by git, but worth keeping: {_some(tree.precious)}"


def _moved(facts: Facts) -> Answer | None:
    if facts.remote is not Remote.MOVED:
        return None
    return Outcome.KEPT_MOVED, "the remote branch has commits that are not known here", "git fetch, then run this again"


def _ahead(facts: Facts) -> Answer | None:
    if facts.remote is not Remote.AHEAD:
        return None
    return Outcome.KEPT_MOVED, "the remote branch has commits that have not landed", "coffee detect-ready"


def _unpushed(facts: Facts) -> Answer | None:
    if facts.remote is not Remote.UNPUSHED:
        return None
    return Outcome.KEPT_UNMERGED, "it landed here, but the remote's target does not have it", "coffee merge --push"


def _young(facts: Facts, min_age: float) -> Answer | None:
    if facts.age >= min_age:
        return None
    return (
        Outcome.KEPT_UNMERGED,
        f"landed, but touched {facts.age:.0f} s ago, and cleanup.min-age is {min_age:.0f} s",
        _again(facts),
    )


def _again(facts: Facts, *flags: str) -> str:
    return " ".join(["coffee cleanup", shlex.quote(printable(facts.branch)), *flags])


def _by_hand(facts: Facts) -> str:
    if facts.ownership is Ownership.ANOTHERS:
        return "ask its owner"
    if facts.ownership is Ownership.REFUSED:
        return "coffee cleanup without names lists what it may remove"
    return f"git branch --delete {shlex.quote(printable(facts.branch))}"


def _remove_by_hand(home: Home) -> str:
    return f"git worktree remove {shlex.quote(printable(str(home.path)))}"


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name) for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
