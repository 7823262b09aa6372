"""What a person should know after ``init``: the gate, what is missing, and the next command to type."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Sequence

from coffee_hooks.base.config import FILE, Gate
from coffee_hooks.base.git import Repo, in_worktree
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import one_line
from coffee_hooks.init.github import CALLERS, FOLDER
from coffee_hooks.init.plan import FRAMEWORK, HEADS, Plan
from coffee_hooks.sources.roadmap_places import ROADMAPS, is_list_place


def advise(project: Project, plan: Plan) -> Iterator[str]:
    """Every line that applies, the next command last."""
    yield from _about_gate(plan)
    if plan.config.gate.command and find_program(project.repo, plan.config.gate) is None:
        name = one_line(plan.config.gate.command[0])
        yield f"the gate command {name} was not found here: install it, or change gate.command in {FILE}"
    if not plan.names.intersection(ROADMAPS) and plan.config.roadmap is None:
        yield from _about_lists(sorted(filter(is_list_place, plan.names)))
    if env_exposed(project.repo):
        yield ".env is not ignored: add it to .gitignore, so that nobody commits it"
    if any(draft.path.name == FRAMEWORK for draft in plan.drafts):
        yield (
            "the framework runs nothing before: pre-commit install -t pre-commit -t pre-merge-commit -t pre-push"
            "   (after coffee init --hooks, if you want both)"
        )
    if _callers(plan):
        if not plan.config.shared:
            yield f"set shared: true in {FILE}: the workflows and this machine tell each other through the remote"
        yield (
            "GitHub lands from the workflows of the default branch: merge them there too, and let Actions write"
            " (Settings > Actions > General > Workflow permissions)"
        )
    yield from _about_commit(project, plan)


def _about_lists(lists: Sequence[str]) -> Iterator[str]:
    if not lists:
        yield f"there is no roadmap yet: coffee plans from {ROADMAPS[0]}, or from a tasks.md of spec-kit"
    elif len(lists) == 1:
        yield f"coffee plans from {one_line(lists[0])}"
    else:
        yield f"coffee plans from the one tasks.md in specs/ that is not done; of several, name one: roadmap: in {FILE}"


def _callers(plan: Plan) -> list[str]:
    return [f"{FOLDER}/{draft.path.name}" for draft in plan.drafts if draft.path.name in CALLERS]


def find_program(repo: Repo, gate: Gate) -> str | None:
    """Where the gate's program is: on PATH, or a path in the main checkout; None when it is nowhere."""
    name = gate.command[0]
    if "/" in name:
        path = repo.main / name
        return str(path) if os.access(path, os.X_OK) and path.is_file() else None
    return shutil.which(name)


def env_exposed(repo: Repo) -> bool:
    """Whether the main checkout has a ``.env`` that git neither tracks nor ignores."""
    if not os.path.lexists(repo.main / ".env"):
        return False
    said = in_worktree(
        repo.main, "ls-files", "--others", "--exclude-standard", "-z", "--", ":(top,literal).env",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    return bool(said.records)


def _about_gate(plan: Plan) -> Iterator[str]:
    if not plan.config.gate.command:
        found = "no test command was found: " if plan.detection else ""
        yield f"{found}nothing will land until gate.command is set in {FILE}"
    elif plan.detection and plan.detection.chosen:
        yield f"the gate is: {shlex.join(plan.config.gate.command)} ({one_line(plan.detection.chosen.why)})"


def _about_commit(project: Project, plan: Plan) -> Iterator[str]:
    names = [FILE] * (not plan.committed) + [FRAMEWORK] * any(d.path.name == FRAMEWORK for d in plan.drafts)
    names += _callers(plan)
    target = shlex.quote(plan.target)
    if names:
        here = in_worktree(project.repo.main, "symbolic-ref", "--quiet", "HEAD", ok=(0, 1, 128)).text
        switch = "" if here == HEADS + plan.target else f"git switch {target} && "
        yield (
            f"commit it on {plan.target}, that copy is the one that counts: "
            f"{switch}git add {' '.join(names)} && git commit -m 'Set up coffee'"
        )
    if project.remote and plan.branch:
        yield f"others see {plan.target} once you push it: git push -u {shlex.quote(project.remote)} {target}"
