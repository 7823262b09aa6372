"""Land a tested commit: one compare-and-swap, an intent before it, and a proof after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT, in_worktree
from coffee_hooks.base.lock import LockProof
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, list_refs, read_ref, transact
from coffee_hooks.base.target import Target, is_ancestor
from coffee_hooks.merge.checkout import InTheWay, advance, contains, heal, holder
from coffee_hooks.merge.push import Answer, Pushed, push
from coffee_hooks.state import claims as claims_
from coffee_hooks.state import intent as intents
from coffee_hooks.state import landings
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.landings import Landing


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


def land(
    project: Project, target: Target, landing: Landing, identity: dict[str, str], pushing: Pushing, proof: LockProof
) -> Landed | NotLanded:
    """Move the target from ``landing.before`` to ``landing.after``, whose tree the gate passed.

    Raises EnvironmentFailure when the trees differ, which would be our bug, or when the remote cannot be reached.
    """
    assert proof.name == "merge"
    repo = project.repo
    _assert_tested(project, landing)
    record = landings.append(repo, landing, identity, read_ref(repo, _remote_record(project)))
    moves = [record, *_claim_moves(project, landing)]
    start = target.local or _created(project, landing.before)
    intent = intents.declare(repo, project.target_ref, start, landing.after, moves)
    if project.remote is not None and pushing is Pushing.PUSH:
        answer = _push(project, target, landing, record)
        if answer.pushed is not Pushed.ACCEPTED:
            transact(repo, [intents.clear(intent)])
            return _refused(answer, project)
        behind = _follow(project, landing.after)
        _finish(project, intent)
        return Landed(True, behind)
    moved = advance(repo, project.target_ref, start, landing.after)
    if moved is not True:
        transact(repo, [intents.clear(intent)])
        if isinstance(moved, InTheWay):
            return NotLanded("target-dirty", moved.detail)
        return NotLanded("moved", f"{project.config.target} moved meanwhile")
    _finish(project, intent)
    return Landed(None if project.remote is None else False)


def _created(project: Project, at: Sha) -> Sha:
    transact(project.repo, [Move(project.target_ref, ABSENT, at)], reason="coffee: follow the remote")
    return at


def _assert_tested(project: Project, landing: Landing) -> None:
    said = project.repo.objects("rev-parse", f"{landing.after}^{{tree}}", f"{landing.after}^1")
    tree, parent = said.text.split("\n")
    if tree != landing.tree or parent != landing.before:
        raise EnvironmentFailure(
            "the commit to land is not the one that was tested; nothing was moved", hint="report this"
        )


def _claim_moves(project: Project, landing: Landing) -> list[Move]:
    """The claims of the members become ``landed``; read now, so that a later change by their owner wins."""
    by_branch = {claim.branch: claim for claim in claims_.read_claims(project.repo).values()}
    moves = []
    for member in landing.members:
        claim = by_branch.get(member.branch)
        if claim is not None and claim.state in (ClaimState.CLAIMED, ClaimState.DONE, ClaimState.BLOCKED):
            _, move = claims_.moved(
                project.repo,
                claim,
                state=ClaimState.LANDED,
                sha=member.merge_commit,
                reason=None,
                since=int(time.time()),
            )
            moves.append(move)
    return moves


def _push(project: Project, target: Target, landing: Landing, record: Move) -> Answer:
    """Target and landing record in one atomic push; the target alone where the host takes no other refs."""
    head = Move(project.target_ref, target.remote or ABSENT, landing.after)
    if not contains(project.repo, landing.after, landing.before) or (
        target.remote and not is_ancestor(project.repo, target.remote, landing.after)
    ):
        return Answer(Pushed.MOVED, "the remote's target is not part of the candidate")
    theirs = read_ref(project.repo, _remote_record(project)) or ABSENT
    answer = push(project, [head, Move(landings.REF, theirs, record.new)])
    if answer.pushed is Pushed.NO_OTHER_REFS:
        output.say(f"{project.remote} takes no refs/coffee/*: pushing {project.config.target} alone ({answer.detail})")
        answer = push(project, [head])
    if answer.pushed is Pushed.ACCEPTED:
        transact(project.repo, _known(project, landing.after, record.new))
    return answer


def _remote_record(project: Project) -> str:
    return f"{landings.REMOTES}{project.remote}/landings"


def _known(project: Project, after: Sha, record: Sha) -> list[Move]:
    """Remember what the remote now holds, as a fetch would."""
    wanted = {_remote_record(project): record, project.remote_ref or "": after}
    refs = list_refs(project.repo, *wanted)
    return [Move(ref, refs.get(ref, ABSENT), sha) for ref, sha in wanted.items() if refs.get(ref) != sha]


def _refused(answer: Answer, project: Project) -> NotLanded:
    if answer.pushed is Pushed.MOVED:
        return NotLanded("moved", f"somebody else moved {project.config.target} on {project.remote} ({answer.detail})")
    if answer.pushed is Pushed.UNREACHABLE:
        return NotLanded("unreachable", f"{project.remote} could not be reached: {answer.detail}")
    return NotLanded("error", f"{project.remote} refused the push: {answer.detail}")


def _follow(project: Project, after: Sha) -> str | None:
    """Bring the local target to what the remote has, where nothing is in the way; else say what is."""
    repo, name = project.repo, project.config.target
    local = read_ref(repo, project.target_ref)
    if local == after:
        return None
    if local is None:
        _created(project, after)
        return None
    if not is_ancestor(repo, local, after):
        return f"your {name} has commits of its own; it stays where it is"
    moved = advance(repo, project.target_ref, local, after)
    if isinstance(moved, InTheWay):
        then = f"git -C {moved.worktree} merge --ff-only {project.remote}/{name}"
        return f"{moved.detail}; your {name} stays behind. Then: {then}"
    return None


def _finish(project: Project, intent: intents.Intent) -> None:
    """Put record and claims in place and drop the intent; each move that lost its race is left to its winner."""
    repo = project.repo
    if transact(repo, [*intent.moves, intents.clear(intent)], reason="coffee: landed"):
        return
    for move in intent.moves:
        if move.ref == landings.REF and read_ref(repo, landings.REF) != move.new:
            raise EnvironmentFailure("the landing record was changed by somebody else", hint="coffee verify")
        transact(repo, [move], reason="coffee: landed")
    transact(repo, [intents.clear(intent)])


def recover(project: Project, target: Target, proof: LockProof) -> None:
    """Finish or drop what a killed merge left. Call after a fetch, with the lock.

    Raises EnvironmentFailure when a half-updated checkout was edited since, so that nothing of it is lost.
    """
    assert proof.name == "merge"
    repo = project.repo
    intent = intents.pending(repo)
    if intent is None:
        return
    output.say("finishing what an interrupted merge began")
    landed = contains(repo, target.remote, intent.after) or contains(repo, target.local, intent.after)
    found = holder(repo, intent.target)
    if found is not None and found[1] is None and not contains(repo, target.local, intent.after):
        heal(repo, found[0], intent.before, intent.after, intent.since)
        if not landed and project.remote is None and _half_done(project, found[0], intent):
            landed = advance(repo, intent.target, intent.before, intent.after) is True
    if not landed:
        transact(repo, [intents.clear(intent)])
        return
    if project.remote is not None:
        _follow(project, target.sha)
    _finish(project, intent)


def _half_done(project: Project, worktree: Path, intent: intents.Intent) -> bool:
    """Whether the checkout already holds the landed content, and nothing else staged, while its branch does not."""
    staged = in_worktree(worktree, "diff", "--cached", "--name-only", "-z", "--no-renames", intent.before, "--").records
    landed = project.repo.objects("diff-tree", "-r", "-z", "--name-only", intent.before, intent.after).records
    return bool(staged) and set(staged) <= set(landed)
