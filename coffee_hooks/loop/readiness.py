"""``coffee detect-ready`` as it is typed. Not with the other answers: it loads no phase that it does not need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coffee_hooks.base import output
from coffee_hooks.base.actions import tell_actions
from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.project import Project, open_project
from coffee_hooks.base.remote import fetch, follows_all
from coffee_hooks.base.target import read_target
from coffee_hooks.base.text import printable
from coffee_hooks.loop.radar import scan
from coffee_hooks.ready import report
from coffee_hooks.ready.branches import list_branches
from coffee_hooks.ready.observe import Readiness, detect_ready
from coffee_hooks.ready.radar import Radar
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.store import open_store


@dataclass(frozen=True, slots=True)
class ReadyAsk:
    """The options. *branch* None means all; *format* is ``text``, ``json`` or ``github``."""

    branch: str | None
    format: str
    fetch: bool
    exit_code: bool


def ready_for(start: Path, ask: ReadyAsk) -> int:
    """Answer it and return the exit code. Raises UsageError for a branch that is not there."""
    project = open_project(start)
    if ask.fetch:
        fetch(project)
    found, radar = _look(project, ask)
    if not (found.candidates or ask.fetch or follows_all(project)):
        output.say(f"this clone follows only some branches of {project.remote}: fetching the others")
        fetch(project)
        found, radar = _look(project, ask)
    if ask.branch and not found.candidates and not list_branches(project, found.target_sha, [ask.branch]):
        raise UsageError(f"there is no roadmap-* branch {printable(ask.branch)}", hint="coffee detect-ready lists them")
    if output.wants_json():
        output.answer_json("detect-ready", report.to_json(found, radar))
    elif ask.format == "github":
        output.answer(report.to_annotations(found, radar))
    else:
        output.answer(report.to_text(found, radar))
    if ask.format == "github":
        tell_actions(*report.to_github(found, radar))
    return 1 if ask.exit_code and not any(candidate.ready for candidate in found.candidates) else 0


def _look(project: Project, ask: ReadyAsk) -> tuple[Readiness, Radar]:
    with open_store(project.repo.state_dir) as store:
        claims = read_claims(project.repo)
        found = detect_ready(project, store, read_target(project), [ask.branch] if ask.branch else (), claims)
        return found, scan(project, store, found, claims)
