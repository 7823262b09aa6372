"""New claims go to the remote before any agent starts: what others took first is given back here."""

from __future__ import annotations

from collections.abc import Sequence

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import ABSENT
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import Move, transact
from coffee_hooks.spawn.claim import Job, give_back
from coffee_hooks.spawn.report import Skipped
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.sharing import share


def publish(project: Project, jobs: Sequence[Job]) -> tuple[list[Job], list[Skipped]]:
    """The jobs whose claims all machines know now, and those that somebody else was faster with.

    Raises EnvironmentFailure when the remote cannot be told: then all are given back, because two machines could
    otherwise work on the same task.
    """
    if not jobs or project.remote is None or not project.config.shared:
        return list(jobs), []
    why = share(project)
    if why is not None:
        for job in jobs:
            _undo(project, job, "the remote could not be told")
        raise EnvironmentFailure(
            f"nothing was started: {why}", hint="shared: true needs the remote; check it, then run this again"
        )
    claims = read_claims(project.repo)
    taken = [(c.branch, c.nonce) for c in claims.values()]
    kept: list[Job] = []
    lost: list[Skipped] = []
    for job in jobs:
        now = claims.get(job.claim.task)
        if now is None or now.nonce != job.claim.nonce:
            owner = now.owner if now else "somebody else"
            lost.append(Skipped(job.claim.task, "claimed", f"{owner} was faster on another machine"))
        elif any(branch == job.claim.branch and nonce != job.claim.nonce for branch, nonce in taken):
            lost.append(Skipped(job.claim.task, "claimed", "another machine took its branch number; try again"))
        else:
            kept.append(job)
            continue
        _undo(project, job, "another machine was faster")
    if lost:
        share(project)  # those that were given back are free for everybody; else the next exchange says so
    return kept, lost


def _undo(project: Project, job: Job, reason: str) -> None:
    try:
        if not give_back(project, job.claim, reason):  # the claim is another's now, and the branch was only made
            transact(project.repo, [Move(f"refs/heads/{job.claim.branch}", job.claim.base, ABSENT)])
    finally:
        job.making.finish()
