"""Land a tested commit: one compare-and-swap, an intent before it where it takes two steps, a proof before both."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from coffee_hooks.base import output
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.push import Answer, Pushed, push
from coffee_hooks.base.refs import Move, list_refs, read_ref, transact
from coffee_hooks.base.remote import copy_of, fetch
from coffee_hooks.base.target import Target, is_ancestor
from coffee_hooks.base.text import printable
from coffee_hooks.merge.checkout import InTheWay, Step, advance, fast_forward, holder
from coffee_hooks.state import claims as claims_
from coffee_hooks.state import intent as intents
from coffee_hooks.state import landings
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.intent import Intent
from coffee_hooks.state.landings import Landing, Member


class Pushing(Enum):
    """Whether a landing goes to the remote."""

    PUSH = "push"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Landed:
    """It is done. *pushed* None: there is no remote. *behind* says why the local checkout did not follow."""

    pushed: bool | None
    behind: str | None = None


@dataclass(frozen=True, slots=True)
class NotLanded:
    """Nothing moved: ``moved`` (try again on the new target), ``target-dirty`` or ``error``."""

    outcome: str
    detail: str
    hint: str | None = None


def land(
    project: Project, target: Target, landing: Landing, identity: dict[str, str], pushing: Pushing, proof: LockProof
) -> Landed | NotLanded:
    """Move the target from ``landing.before`` to ``landing.after``, whose tree the gate passed.

    Raises EnvironmentFailure before anything moved, when the trees differ, which would be our bug.
    """
    assert proof.name == "merge"
    _assert_tested(project, target, landing)
    theirs = read_ref(project.repo, copy_of(project, landings.REF)) if project.remote else None
    claims = _claim_moves(project, landing)
    moves = [landings.append(project.repo, landing, identity, theirs), *claims]
    if project.remote is not None and pushing is Pushing.PUSH:
        head = Move(project.target_ref, target.remote or ABSENT, landing.after)
        along = [Move(landings.REF, theirs or ABSENT, moves[0].new)]
        if project.config.shared:  # whoever changes a claim of these meanwhile stops the landing
            known = list_refs(project.repo, *(copy_of(project, move.ref) for move in claims)) if claims else {}
            along += [Move(m.ref, known.get(copy_of(project, m.ref), ABSENT), m.new) for m in claims]
        return _land_there(project, target, moves, head, along)
    return _land_here(project, target, landing, moves)


def _assert_tested(project: Project, target: Target, landing: Landing) -> None:
    """A lease is also permission to force: what lands is the tested tree on top of the target."""
    said = project.repo.objects("rev-parse", f"{landing.after}^{{tree}}", f"{landing.after}^1")
    if said.text.split("\n") != [landing.tree, landing.before] or landing.before != target.sha:
        raise EnvironmentFailure(
            "the commit to land is not the one that was tested; nothing was moved", hint="report this"
        )


def _claim_moves(project: Project, landing: Landing) -> list[Move]:
    """The claims of the members become ``landed`` or ``reverted``; read now, so that a later change wins."""
    by_branch = {claim.branch: claim for claim in claims_.read_claims(project.repo).values()}
    moves = []
    for member in landing.members:
        claim = by_branch.get(member.branch)
        if claim is not None and (state := _state_after(claim, member)):
            why = f"taken back by {member.merge_commit[:12]}" if member.reverts else None
            _, move = claims_.moved(
                project.repo, claim, state=state, sha=member.merge_commit, reason=why, since=int(time.time())
            )
            moves.append(move)
    return moves


def _state_after(claim: Claim, member: Member) -> ClaimState | None:
    """What the claim becomes; None when it stays, as one does on whose branch work goes on after the landing."""
    if member.reverts:
        return ClaimState.REVERTED if claim.state is ClaimState.LANDED else None
    return ClaimState.LANDED if claim.open or claim.state is ClaimState.REVERTED else None


def _land_here(project: Project, target: Target, landing: Landing, moves: Sequence[Move]) -> Landed | NotLanded:
    """Without a checkout of the target everything is one transaction; with one, its fast-forward comes first."""
    repo, ref, start = project.repo, project.target_ref, target.local or ABSENT
    held = holder(repo, ref)
    step: Step | InTheWay
    if held is None:
        done = transact(repo, [Move(ref, start, landing.after), *moves], reason="coffee: land")
        step = Step.DONE if done else Step.LOST
    elif start == ABSENT:
        step = InTheWay(held.path, f"{project.config.target} has no commit there yet")
    else:
        intent = intents.declare(repo, ref, start, landing.after, moves)
        step = fast_forward(repo, held, ref, start, landing.after)
        if step is Step.DONE:
            finish(project, intent)
        else:
            transact(repo, [intents.clear(intent)])
    if isinstance(step, InTheWay):
        where = shlex.quote(printable(str(step.worktree)))
        return NotLanded("target-dirty", step.detail, f"look at: git -C {where} status; then run this again")
    if step is Step.LOST:
        return NotLanded("moved", f"{project.config.target} or a claim moved meanwhile")
    return Landed(None if project.remote is None else False)


def _land_there(
    project: Project, target: Target, moves: Sequence[Move], head: Move, along: Sequence[Move]
) -> Landed | NotLanded:
    """The push of *head*, with the record and shared claims *along*, is the landing; the local branch follows it."""
    repo, after = project.repo, head.new
    intent = intents.declare(repo, project.target_ref, target.local or ABSENT, after, moves)
    pushed = [head, *along]
    answer = push(project, pushed)
    if answer.pushed is Pushed.NO_OTHER_REFS:
        output.say(f"{project.remote} takes no refs/coffee/*: pushing {project.config.target} alone ({answer.detail})")
        pushed, answer = [head], push(project, [head])
    if answer.pushed is Pushed.UNREACHABLE:
        found = _ask_again(project, after, answer)
        if found is None:  # nobody knows yet: the intent stays for the next run
            return NotLanded("error", _lost(project, answer), "run this again when the remote can be reached")
        answer = found
    if answer.pushed is not Pushed.ACCEPTED:
        transact(repo, [intents.clear(intent)])
        return _refused(answer, project)
    names = {head.ref: project.remote_ref or "", **{move.ref: copy_of(project, move.ref) for move in along}}
    refs = list_refs(repo, head.ref, *names.values())
    known = [Move(names[move.ref], refs.get(names[move.ref], ABSENT), move.new) for move in pushed]
    behind = follow(project, refs.get(head.ref), after)
    finish(project, intent, [move for move in known if move.old != move.new])
    return Landed(True, behind)


def _ask_again(project: Project, after: Sha, answer: Answer) -> Answer | None:
    """Whether a push without an answer was accepted: the remote alone knows. None when it cannot be asked."""
    try:
        fetch(project)
    except EnvironmentFailure:
        return None
    there = read_ref(project.repo, project.remote_ref or "")
    if there is not None and is_ancestor(project.repo, after, there):
        return Answer(Pushed.ACCEPTED)
    return Answer(Pushed.REFUSED, answer.detail)


def _lost(project: Project, answer: Answer) -> str:
    return f"{project.remote} did not answer the push ({answer.detail}), so it may have landed or not"


def _refused(answer: Answer, project: Project) -> NotLanded:
    name, detail = project.config.target, printable(answer.detail)
    if answer.pushed is Pushed.MOVED:
        return NotLanded("moved", f"somebody else moved {name} on {project.remote} ({detail})")
    return NotLanded("error", f"{project.remote} refused the push: {detail}", f"may you push to {name} there?")


def follow(project: Project, local: Sha | None, after: Sha) -> str | None:
    """Bring the *local* target to what the remote has, where nothing is in the way; else say what is.

    A target that does not exist here is not made: git makes one that tracks the remote's when it is asked for.
    """
    if local in (None, after):
        return None
    assert local is not None
    name = project.config.target
    step = advance(project.repo, project.target_ref, local, after)
    if isinstance(step, InTheWay):
        where = shlex.quote(printable(str(step.worktree)))
        then = f"git -C {where} merge --ff-only {project.remote}/{name}"
        return f"{step.detail}; your {name} stays behind. Then: {then}"
    return f"your {name} moved meanwhile; it stays where it is" if step is Step.LOST else None


def finish(project: Project, intent: Intent, known: Sequence[Move] = ()) -> None:
    """Put record and claims in place, remember what is *known* of the remote, and drop the intent.

    Each move that lost its race is left to its winner: the target has moved, so nothing here is a failure.
    """
    repo = project.repo
    if transact(repo, [*intent.moves, *known, intents.clear(intent)], reason="coffee: landed"):
        return
    for move in (*intent.moves, *known):
        if not transact(repo, [move], reason="coffee: landed") and move.ref == landings.REF:
            output.say("warning: somebody else changed the landing record; see: coffee verify")
    transact(repo, [intents.clear(intent)])
