"""Claims and reviews travel: what changed here goes to the remote by compare-and-swap, with finished branches.

Whatever the remote does not have yet is pushed, so a push that was lost or put off is made up for by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from coffee_hooks.base.errors import CoffeeError
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.project import Project
from coffee_hooks.base.push import Pushed, push
from coffee_hooks.base.refs import CLAIMS, REVIEWS, Move, list_refs, read_stored, transact
from coffee_hooks.base.remote import copy_of, exchanging, fetch_shared
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.text import printable
from coffee_hooks.state.claims import ClaimState, read_claims
from coffee_hooks.state.reviews import copies_of, decode, wins

SEQ = "refs/coffee/seq"
TRIES = 5
KEPT = 30 * 86400.0
"""Seconds after which a review on the remote goes, where no branch that is known here has its commit."""


def share(project: Project) -> str | None:
    """Push what is newer here; None once the remote has it all, or where nothing is shared, else why it has not.

    A claim that somebody else changed meanwhile becomes theirs here. Raises LockedError and GitFailed.
    """
    if project.remote is None or not project.config.shared:
        return None
    with exchanging(project):
        for _ in range(TRIES):
            moves = tuple(_newer(project))
            if not moves:
                return None
            answer = push(project, moves)
            if answer.pushed is Pushed.ACCEPTED:
                _remember(project, moves)
                return None
            if answer.pushed is not Pushed.MOVED:
                return f"{project.remote} did not take the claims ({printable(answer.detail)})"
            try:
                fetch_shared(project)
            except CoffeeError as gone:
                return gone.what
    return "the claims of others change all the time"


def last_number(project: Project, ref: str = SEQ) -> int:
    """The last branch number that was given out, here or as *ref* says; 0 for none."""
    values = [stored.value for stored in read_stored(project.repo, ref).values()]
    return max((int(v["last"]) for v in values if type(v.get("last")) is int), default=0)


def _newer(project: Project) -> Iterator[Move]:
    """What the remote has to move so that it knows what we know."""
    refs = list_refs(project.repo, CLAIMS, SEQ, copy_of(project, CLAIMS), copy_of(project, SEQ))
    for ref, mine in refs.items():
        theirs = refs.get(copy_of(project, ref), ABSENT)
        if ref.startswith(CLAIMS) and mine != theirs:
            yield Move(ref, theirs, mine)
    if last_number(project) > last_number(project, copy_of(project, SEQ)):
        yield Move(SEQ, refs.get(copy_of(project, SEQ), ABSENT), refs[SEQ])
    yield from _finished(project)
    yield from _reviewed(project)


def _reviewed(project: Project) -> Iterator[Move]:
    """Verdicts of reviewers that the remote does not have, and old ones there of commits that are no branch's tip."""
    assert project.remote is not None
    copies = copies_of(project.remote)
    stored = read_stored(project.repo, REVIEWS, copies)
    known = {ref: decode(_own(ref, copies), each.value, each.blob) for ref, each in stored.items()}
    for ref, mine in known.items():
        if ref.startswith(REVIEWS) and mine is not None and mine.final:
            theirs = known.get(copies + mine.sha)
            if theirs is None or wins(mine, theirs):
                there = stored.get(copies + mine.sha)
                yield Move(ref, there.blob if there else ABSENT, mine.blob)
    old = [each for ref, each in known.items() if ref.startswith(copies) and each and each.when < time.time() - KEPT]
    if old:
        tips = set(list_refs(project.repo, "refs/heads/", f"refs/remotes/{project.remote}/").values())
        yield from (Move(REVIEWS + each.sha, each.blob, ABSENT) for each in old if each.sha not in tips)


def _own(ref: str, copies: str) -> str:
    return REVIEWS + ref.removeprefix(copies).removeprefix(REVIEWS)


def _finished(project: Project) -> Iterator[Move]:
    """Branches that are done here and not yet there; one that the remote's does not lead to is left to its owner."""
    done = {c.branch: c.sha for c in read_claims(project.repo).values() if c.state is ClaimState.DONE}
    here = {f"refs/heads/{branch}": f"refs/remotes/{project.remote}/{branch}" for branch in done}
    refs = list_refs(project.repo, *here, *here.values()) if here else {}
    for branch, sha in done.items():
        ref = f"refs/heads/{branch}"
        tip, theirs = refs.get(ref), refs.get(here[ref])
        if tip is None or tip != sha or tip == theirs:
            continue
        if theirs is None or is_ancestor(project.repo, theirs, tip):
            yield Move(ref, theirs or ABSENT, tip)


def _remember(project: Project, moves: tuple[Move, ...]) -> None:
    """The remote is there now, as far as we know."""
    names = {move.ref: _copy(project, move.ref) for move in moves}
    refs = list_refs(project.repo, *names.values())
    known = [Move(names[move.ref], refs.get(names[move.ref], ABSENT), move.new) for move in moves]
    transact(project.repo, [move for move in known if move.old != move.new])


def _copy(project: Project, ref: str) -> str:
    branch = ref.removeprefix("refs/heads/")
    return copy_of(project, ref) if branch == ref else f"refs/remotes/{project.remote}/{branch}"
