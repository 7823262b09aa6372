"""``doctor --fix``: only what is provably ours and holds nobody's work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from coffee_hooks.base.errors import CoffeeError, LockedError
from coffee_hooks.base.git import in_worktree
from coffee_hooks.base.lock import hold
from coffee_hooks.base.project import Project
from coffee_hooks.doctor.driver import look_at_wiring, program_gone
from coffee_hooks.doctor.hooks import look_at_hooks
from coffee_hooks.doctor.leftovers import look_for_leftovers, releasable
from coffee_hooks.doctor.worktrees import look_at_worktrees, removable
from coffee_hooks.guard.install import install
from coffee_hooks.init.merge_driver import plan_driver, set_driver
from coffee_hooks.state import claims
from coffee_hooks.state.claims import ClaimState

LOCK_SECONDS = 5.0


def repair(project: Project) -> Iterator[str]:
    """Repair one kind after the other and say what was done, or why it could not be."""
    for each in (_worktrees, _gate_clones, _claims, _hooks, _driver):
        try:
            yield from each(project)
        except CoffeeError as error:
            yield f"not repaired: {error.what}" + (f" ({error.hint})" if error.hint else "")


def _worktrees(project: Project) -> Iterator[str]:
    with hold(project.repo, "spawn", wait=LOCK_SECONDS):
        for tree in removable(project, look_at_worktrees(project)):
            # Not prune, which would take entries along that are not ours; without --force, if the folder is back.
            said = in_worktree(project.repo.main, "worktree", "remove", "--", str(tree.path), ok=(0, 128))
            if said.rc == 0:
                yield f"git forgot the worktree {tree.path}; its branch {tree.branch} stays"


def _gate_clones(project: Project) -> Iterator[str]:
    try:
        with hold(project.repo, "merge"):
            for path in look_for_leftovers(project).making:
                shutil.rmtree(path, ignore_errors=True)
                yield f"removed {path}"
    except LockedError:
        return  # a merge runs: the clone may be the one it is making now


def _claims(project: Project) -> Iterator[str]:
    with hold(project.repo, "spawn", wait=LOCK_SECONDS):
        for claim in releasable(look_for_leftovers(project)):
            reason = f"its branch {claim.branch} was gone"
            if claims.update(project.repo, claim, state=ClaimState.RELEASED, reason=reason):
                yield f"{claim.task} may be claimed again: its branch {claim.branch} is gone"


def _hooks(project: Project) -> Iterator[str]:
    main = look_at_hooks(project)[0]
    if main.ours and (main.outdated or main.unguarded):
        report = install(project.repo.main, project.config.target)
        yield from (f"{file.outcome.value} {file.path}" for file in report.files)


def _driver(project: Project) -> Iterator[str]:
    seen = look_at_wiring(project)
    if not seen.is_foreign and program_gone(seen):
        set_driver(project.repo, plan_driver(project.repo, seen))
        yield "the merge driver of the roadmap starts this coffee again"
