"""What a cleanup would do, decided and said before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import REVIEWS, Move
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.forget import outdated
from coffee_hooks.cleanup.judge import judge
from coffee_hooks.cleanup.observe import gather, look_closer
from coffee_hooks.cleanup.remote import ask_remote
from coffee_hooks.cleanup.scene import HEADS, Scene, candidates, look_around
from coffee_hooks.cleanup.values import Decision, Facts, Outcome, Remote, RemotePolicy, Waive, Work
from coffee_hooks.state.claims import ClaimState
from coffee_hooks.state.graveyard import Grave, next_grave
from coffee_hooks.state.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision for each branch, made on one look at the repository.

    *forgotten* are the deletions of outdated verdicts, None when that was not asked for.
    """

    scene: Scene
    decisions: tuple[Decision, ...]
    forgotten: tuple[Move, ...] | None = None

    @property
    def removals(self) -> tuple[Decision, ...]:
        """The branches that go."""
        return tuple(d for d in self.decisions if d.outcome is Outcome.REMOVED)

    @property
    def changes(self) -> tuple[str, ...]:
        """The exact changes as lines of text, in order; names made harmless."""
        lines = [line for decision in self.removals for line in _changes(self.scene, decision.facts)]
        for move in self.forgotten or ():
            kind = "review" if move.ref.startswith(REVIEWS) else "verdict"
            lines.append(f"forget the {kind} {move.ref} ({move.old[:10]})")
        return tuple(map(printable, lines))


def plan_cleanup(
    project: Project,
    names: Sequence[str] = (),
    *,
    waive: Waive = Waive.NOTHING,
    remote: RemotePolicy = RemotePolicy.DELETE,
    store: Store,
) -> Plan:
    """Decide about the named branches, or without names about all of ours and old verdicts. Changes nothing.

    Raises UsageError without a target branch, or when something is waived without naming the branch;
    EnvironmentFailure when the remote is wanted and cannot be read.
    """
    if waive and not names:
        raise UsageError("what shall be given up must be named", hint="coffee cleanup BRANCH --force")
    scene = look_around(project, store)
    branches = [name.removeprefix(HEADS) for name in names] or candidates(scene, remote)
    facts = gather(scene, branches, named=bool(names), remote=remote)
    min_age = project.config.cleanup.min_age
    decisions = {each.branch: judge(each, waive, min_age) for each in facts}
    undecided = [look_closer(scene, each) for each in facts if decisions[each.branch] is None]
    for each in ask_remote(scene, undecided):
        decisions[each.branch] = judge(each, waive, min_age)
    made = tuple(decision for decision in decisions.values() if decision is not None)
    # What nobody named and is not there any more is only a stale memory of the remote.
    shown = tuple(d for d in made if d.facts.named or d.outcome is not Outcome.MISSING)
    return Plan(scene, shown, None if names else outdated(scene))


def claim_after(facts: Facts) -> ClaimState | None:
    """What becomes of the claim when the branch goes; None leaves it as it is."""
    if facts.claim is None or not facts.claim.open:
        return None
    return ClaimState.LANDED if facts.landed and facts.work is not Work.EMPTY else ClaimState.RELEASED


def _changes(scene: Scene, facts: Facts) -> list[str]:
    grave = Grave(facts.branch, next_grave(scene.graves, facts.branch))
    lines = [f"park {facts.branch} under {grave.prefix}"]
    for home in facts.homes:
        if home.tree and not home.tree.clean:
            saved = dict.fromkeys((*home.tree.dirty, *home.tree.hidden, *home.tree.precious))
            lines.append(f"save uncommitted work as {grave.prefix}dirty: {', '.join(saved) or home.tree.in_progress}")
        lines.append(f"remove the worktree {os.fspath(home.path)}")
    if facts.remote_tip and facts.remote is not Remote.ABSENT:
        lines.append(f"delete {facts.branch} ({facts.remote_tip[:10]}) on {scene.project.remote}")
    if facts.tip:
        lines.append(f"delete {HEADS}{facts.branch} ({facts.tip[:10]})")
    if facts.claim and (state := claim_after(facts)):
        lines.append(f"set the claim of {facts.claim.task} to {state.value}")
    return lines
