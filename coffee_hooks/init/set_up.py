"""``init``: a first configuration, the target branch and, on request, the hooks. Adds; never overwrites."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from coffee_hooks.base.config import FILE
from coffee_hooks.base.discover import discover
from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.refs import transact
from coffee_hooks.base.text import printable
from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.guard.install import Outcome, active_hooks, find_slot, hooks_folder, install
from coffee_hooks.guard.scripts import STANDARD
from coffee_hooks.init.advice import advise
from coffee_hooks.init.merge_driver import set_driver
from coffee_hooks.init.plan import Plan, Wanted, make_plan
from coffee_hooks.init.write import Draft, read_regular, staged


@dataclass(frozen=True, slots=True)
class Done:
    """What one call did; names are paths relative to the main checkout, or full refs.

    *written* was made (in a dry run: would be), *kept* was there already; *lines* are for people, in a dry run the
    exact changes.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]
    lines: tuple[str, ...]


def set_up(start: Path, wanted: Wanted) -> Done:
    """Set up the repository around *start*; a second call changes nothing.

    Raises UsageError (no repository, a bare one, a refused target, a configuration that says otherwise, a file that
    cannot be extended) and EnvironmentFailure (no commits, shallow, read-only, disk full) before anything is changed.
    """
    repo = discover(start)
    head = in_worktree(repo.top, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128))
    if head.rc:
        raise EnvironmentFailure("this repository has no commits", hint="make a first commit, then run: coffee init")
    read_regular(repo.main / FILE)  # a link is refused before it is followed
    project = open_project(start)
    plan = make_plan(project, Sha(head.text), wanted)
    return _rehearse(project, plan, wanted) if wanted.dry_run else _carry_out(project, plan, wanted)


def _rehearse(project: Project, plan: Plan, wanted: Wanted) -> Done:
    written, kept, lines = [], _kept(project.repo, plan), []
    for draft in plan.drafts:
        written.append(_shown(project.repo, draft.path))
        lines += [f"would write {written[-1]}:", *_differences(draft)]
    if plan.tie.settings:
        written.append(_shown(project.repo, project.repo.common_dir / "config"))
        lines += [f"would set {key} = {printable(value)}" for key, value in plan.tie.settings]
    if plan.branch:
        written.append(plan.branch.ref)
        lines.append(f"would create {plan.branch.ref} at {plan.branch.new}")
    if wanted.hooks:
        folder, active = hooks_folder(project.repo.top), active_hooks(project.repo.top)
        for hook in STANDARD:
            name = _shown(project.repo, find_slot(folder, hook).path)
            (kept if hook in active else written).append(name)
            lines += [] if hook in active else [f"would write {name}"]
    lines += [f"would keep {name}" for name in kept]
    return Done(tuple(written), tuple(kept), tuple(lines))


def _differences(draft: Draft) -> list[str]:
    before, after = (data.decode().splitlines(keepends=True) for data in (draft.before or b"", draft.after))
    name = draft.path.name
    changes = unified_diff(before, after, "/dev/null" if draft.before is None else name, name)
    return [printable(line.rstrip("\r\n")) for line in changes]


def _carry_out(project: Project, plan: Plan, wanted: Wanted) -> Done:
    repo, kept = project.repo, _kept(project.repo, plan)
    written = [_shown(repo, draft.path) for draft in plan.drafts]
    written += [_shown(repo, repo.common_dir / "config")] if plan.tie.settings else []
    with staged(plan.drafts) as place:
        # The hooks first: they are what is likeliest to be refused, and nothing else is there yet.
        installed = install(repo.top, plan.target) if wanted.hooks else None
        made = plan.branch is not None and transact(repo, [plan.branch], reason="coffee init")
        set_driver(repo, plan.tie)
        place()
    for file in installed.files if installed else ():
        (kept if file.outcome is Outcome.KEPT else written).append(_shown(repo, file.path))
    lines = [f"wrote {name}" for name in written]
    if plan.branch:
        (written if made else kept).append(plan.branch.ref)  # somebody else may have made it meanwhile
    if plan.branch and made:
        lines.append(f"created the branch {plan.target} at {plan.branch.new[:10]}; no checkout was switched")
    lines += [f"kept {name}" for name in kept]
    if installed:
        lines += [*installed.warnings, _whom_hooks_stop(repo, plan.target)]
    lines += [plan.tie.remark] if plan.tie.remark else []
    return Done(tuple(written), tuple(kept), (*lines, *advise(project, plan)))


def _kept(repo: Repo, plan: Plan) -> list[str]:
    return [*plan.kept, *(_shown(repo, path) for path in plan.tie.kept)]


def _whom_hooks_stop(repo: Repo, target: str) -> str:
    others = len(list_worktrees(repo)) - 1
    where = "this clone" if not others else f"this clone and its {others} other worktree{'s' * (others > 1)}"
    return (
        f"the hooks stop everybody, people too, who commits or pushes in {where} on a branch other than {target}"
        " and roadmap-NAME; other clones are not guarded; to take them away: coffee-hook uninstall"
    )


def _shown(repo: Repo, path: Path) -> str:
    return str(path.relative_to(repo.main)) if path.is_relative_to(repo.main) else str(path)
