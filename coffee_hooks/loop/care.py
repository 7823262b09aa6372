"""The caring step of a round: what will not land by itself goes back to its owner, or to a person, once."""

from __future__ import annotations

import time

from coffee_hooks.base import output
from coffee_hooks.base.errors import CoffeeError, EnvironmentFailure, UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_ref, resolve_commit
from coffee_hooks.base.target import is_ancestor
from coffee_hooks.base.text import one_line, printable
from coffee_hooks.loop.moment import Moment
from coffee_hooks.loop.retry import CONFLICT, GONE, Failure, Next, block, decide, failure_now, never_began
from coffee_hooks.loop.work import brief, crew_for
from coffee_hooks.ready.judge import Code
from coffee_hooks.ready.observe import Candidate, Readiness
from coffee_hooks.sources.plan import read_plan
from coffee_hooks.spawn.resume import resume
from coffee_hooks.spawn.room import find_lack
from coffee_hooks.state import claims as claims_
from coffee_hooks.state.agents import latest_run
from coffee_hooks.state.claims import Claim, ClaimState
from coffee_hooks.state.timings import Phase, Timing, last_timing, note


def look_after(moment: Moment, readiness: Readiness) -> None:
    """Every open claim of ours without an agent at work, and every branch that a person has to look at."""
    seen = {candidate.branch.name: candidate for candidate in readiness.candidates}
    ours = [claim for claim in moment.claims.values() if moment.is_ours(claim)]
    for claim in ours:
        if claim.state in (ClaimState.CLAIMED, ClaimState.DONE) and claim.branch not in moment.busy:
            _look_at(moment, claim, seen.get(claim.branch))
    owned = {claim.branch for claim in ours}
    for candidate in readiness.candidates:
        if candidate.codes == {Code.CONFLICT} and candidate.branch.name not in owned:
            _tell_people(moment, candidate, "Conflict")
    protected = [candidate for candidate in readiness.candidates if candidate.codes == {Code.NEEDS_HUMAN}]
    for candidate in protected:
        _tell_people(moment, candidate, "Waits for you")
    moment.memory.protected = frozenset(candidate.branch.name for candidate in protected)


def _look_at(moment: Moment, claim: Claim, candidate: Candidate | None) -> None:
    run = latest_run(moment.store, claim.task)
    failure = failure_now(claim, run, candidate)
    moment.stranded = moment.stranded or never_began(claim, run, candidate)
    if failure is None or (failure.code == GONE and _landed_by_hand(moment, claim)):
        return
    if failure.code == CONFLICT:
        _note_conflict(moment, claim, failure, run.ended if run else None)
    give_back(moment, claim, failure, moment.target.sha)


def _note_conflict(moment: Moment, claim: Claim, failure: Failure, since: float | None) -> None:
    """Note once that what its agent left behind at *since* conflicts, however many rounds see it."""
    last = last_timing(moment.store, claim.branch, Phase.MERGE)
    if last is None or not last.detail.startswith(CONFLICT) or (since is not None and last.ended < since):
        now, said = time.time(), f"{CONFLICT}: {one_line(failure.summary)}"
        note(moment.store, Timing(claim.task, claim.branch, Phase.MERGE, now, now, said))


def _landed_by_hand(moment: Moment, claim: Claim) -> bool:
    """Whether a finished branch is gone because a person merged it."""
    repo, sha = moment.project.repo, claim.sha
    if sha is None or not resolve_commit(repo, sha) or not is_ancestor(repo, sha, moment.target.sha):
        return False
    claims_.update(repo, claim, state=ClaimState.LANDED, reason="merged by hand")
    return True


def _tell_people(moment: Moment, candidate: Candidate, title: str) -> None:
    name, reason = candidate.branch.name, candidate.reasons[0]
    text = f"{printable(name)} {reason.detail}.\n\nNext: {reason.hint}"
    moment.notify(f"{title}: {printable(name)}", text, f"{reason.code.value}:{name}:{candidate.branch.tip}")


def give_back(moment: Moment, claim: Claim, failure: Failure, target: Sha) -> None:
    """Start the owner again with what failed on *target*, or give the task to a person."""
    barren = claim.barren_at(read_ref(moment.project.repo, f"refs/heads/{claim.branch}"))
    what = decide(failure, claim.attempt, moment.project.config.agent.retries, time.time(), barren)
    if what is Next.RESUME and find_lack(moment.project):
        what = Next.WAIT
    if what is Next.RESUME and (why := _resume(moment, claim, failure, target)):
        what = Next.BLOCK
        claim = claims_.read_claims(moment.project.repo).get(claim.task, claim)
        failure = Failure(failure.code, f"{failure.summary}, and its agent cannot be started again: {why}")
    moment.waiting = moment.waiting or what is Next.WAIT
    if what is Next.BLOCK and block(moment.project, moment.store, claim, failure):
        output.say(f"{claim.task} is blocked: {failure.summary}. Its work is kept on {printable(claim.branch)}")
        reason = f"{failure.code}: {failure.summary}"
        moment.tell("blocked", {"task": claim.task, "branch": claim.branch, "reason": reason})


def _resume(moment: Moment, claim: Claim, failure: Failure, target: Sha) -> str | None:
    """Why its agent cannot be started (no branch, command or worktree); None when it was, or somebody else has it."""
    try:
        plan = read_plan(moment.project, moment.target.sha)
        crew = crew_for(moment.project, moment.wishes.agent)
        work = brief(moment.project, plan, claim, failure, target)
        again = resume(moment.project, moment.store, claim, work, crew)
    except CoffeeError as failed:
        if failed.exit_code in (UsageError.exit_code, EnvironmentFailure.exit_code):
            return failed.what
        moment.waiting = True  # it runs, its claim has changed, or another spawn is at work: the next round will see
        return None
    moment.tell("resumed", {"task": claim.task, "branch": claim.branch, "attempt": again.attempt, "pid": again.pid})
    return None
