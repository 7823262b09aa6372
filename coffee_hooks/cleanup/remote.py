"""The branches on the remote: asked once for all, deleted in one push with an explicit lease for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from coffee_hooks.base.errors import EnvironmentFailure
from coffee_hooks.base.git import GitFailed, Result
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import Project
from coffee_hooks.base.text import printable
from coffee_hooks.cleanup.integrated import integrated, read_commits
from coffee_hooks.cleanup.scene import HEADS, Scene
from coffee_hooks.cleanup.values import Facts, Integration, Remote
from coffee_hooks.sources.roadmap_places import roadmap_paths

_FLAG = re.compile(r"^(?P<flag>[ +\-*=!])\t[^\t]*?:(?P<ref>refs/heads/[^\t]+)\t(?P<summary>.*)$", re.M)


def ask_remote(scene: Scene, facts: Iterable[Facts]) -> tuple[Facts, ...]:
    """The facts with what the remote holds now. Raises EnvironmentFailure when it cannot be read."""
    every = tuple(facts)
    unasked = [each.branch for each in every if each.remote is Remote.UNASKED]
    if not unasked:
        return every
    heads = _heads(scene.project, unasked)
    repo, roadmaps = scene.project.repo, roadmap_paths(scene.project.config.roadmap)
    known = read_commits(repo, heads.values())
    there = integrated(repo, scene.remote_target, known, roadmaps)
    here = there if scene.target == scene.remote_target else integrated(repo, scene.target, known, roadmaps)
    return tuple(
        _told(each, heads.get(each.branch), known.keys(), there, here) if each.remote is Remote.UNASKED else each
        for each in every
    )


def _told(
    facts: Facts,
    tip: Sha | None,
    known: Iterable[Sha],
    there: Mapping[Sha, Integration],
    here: Mapping[Sha, Integration],
) -> Facts:
    """Pure: *there* and *here* are what the remote's target and the local one contain."""
    if tip is None:
        return replace(facts, remote=Remote.ABSENT)
    if tip not in known:
        remote = Remote.MOVED
    elif tip in there or (tip == facts.tip and not facts.landed):
        remote = Remote.SAFE
    else:
        remote = Remote.UNPUSHED if tip in here else Remote.AHEAD
    local = facts.tip or facts.homes
    return replace(facts, remote=remote, remote_tip=tip, landed=facts.landed if local else there.get(tip))


def _heads(project: Project, branches: Sequence[str]) -> dict[str, Sha]:
    said = project.repo.network(
        "ls-remote", "--refs", "--", project.remote or "", *(HEADS + branch for branch in branches), ok=(0, 1, 128, -9)
    )
    if said.rc:
        raise _unreachable(project, said)
    rows = (line.partition("\t") for line in said.text.splitlines())
    found = {ref.removeprefix(HEADS): Sha(sha) for sha, _, ref in rows if ref.startswith(HEADS)}
    return {branch: found[branch] for branch in branches if branch in found}


def delete_remote(project: Project, tips: Mapping[str, Sha]) -> dict[str, str]:
    """Delete the branches whose remote tip still is the given one; for those that stay, the server's reason.

    Raises EnvironmentFailure when the remote cannot be reached at all.
    """
    if not tips:
        return {}
    leases = [f"--force-with-lease={HEADS}{branch}:{tip}" for branch, tip in tips.items()]
    gone = [f":{HEADS}{branch}" for branch in tips]
    args = ("push", "--porcelain", *leases, "--", project.remote or "", *gone)
    said = project.repo.network(*args, ok=(0, 1, 128, -9))
    flags = {m["ref"].removeprefix(HEADS): (m["flag"], m["summary"]) for m in _FLAG.finditer(said.text)}
    if not flags:
        raise _unreachable(project, said) if said.rc else GitFailed(["git", *args], said)
    return {branch: printable(flags[branch][1]) for branch in tips if branch in flags and flags[branch][0] != "-"} | {
        branch: "the remote did not answer for it" for branch in tips if branch not in flags
    }


def _unreachable(project: Project, said: Result) -> EnvironmentFailure:
    lines = said.err.strip().splitlines()
    return EnvironmentFailure(
        f"the remote {project.remote} cannot be reached",
        hint="check the network and your rights, or use --no-remote",
        detail=lines[-1] if lines else "",
    )
