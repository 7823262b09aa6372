"""The plan that a commit holds: the roadmap's items, the specs that belong to them, and the names of its files."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Notice, RoadmapItem, Sha, Spec, Status, TaskId
from coffee_hooks.base.project import Project
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.base.text import printable
from coffee_hooks.sources.dependencies import SPEC_KIND
from coffee_hooks.sources.roadmap import RoadmapForm, parse_roadmap
from coffee_hooks.sources.roadmap_places import ROADMAPS, current_lists, is_list_place, roadmap_paths
from coffee_hooks.sources.spec_choice import numbers_of
from coffee_hooks.sources.specs import find_spec, parse_spec
from coffee_hooks.sources.task_names import task_key
from coffee_hooks.sources.task_specs import task_specs

_LEGACY_SPEC = re.compile(r"docs/[^/]*TECHNICAL_SPEC\.md", re.IGNORECASE)
_REGULAR = (b"100644", b"100755")
_COMMIT_ONE = f"commit one as {ROADMAPS[0]}, or name its file as roadmap in .coffee.yaml"


@dataclass(frozen=True, slots=True)
class Plan:
    """What *base* says there is to do. *items* are in the order of the roadmap at *roadmap*, their ids unique.

    *tree* holds every path of the commit, sorted, as text that ``os.fsencode`` turns back into its bytes.
    """

    base: Sha
    roadmap: str
    items: tuple[RoadmapItem, ...]
    specs: Mapping[TaskId, Spec]
    """The spec of each item that has one."""
    tree: tuple[str, ...]
    notices: tuple[Notice, ...]

    def item(self, task: TaskId) -> RoadmapItem | None:
        """The item called *task*, None when there is none."""
        return next((item for item in self.items if item.id == task), None)


class _File(NamedTuple):
    path: str
    blob: str
    """Empty when it is not a regular file."""


def read_plan(project: Project, base: Sha) -> Plan:
    """The plan committed in *base*. Two git processes, whatever the number of specs.

    Raises UsageError when the commit has no roadmap, or several lists of tasks and nobody said which.
    """
    files, notices = _files(project, base)
    places = _places(project.config.roadmap, files)
    specs = [file for file in files if file.blob and may_be_spec(file.path, project.config.specs)]
    blobs = read_blobs(project.repo, [file.blob for file in (*places, *specs)])
    roadmap = places[0] if _is_named(places[0].path, project.config.roadmap) else _current(places, blobs)
    read = parse_roadmap(blobs[Sha(roadmap.blob)], roadmap.path)
    first: dict[TaskId, RoadmapItem] = {}
    for item in read.items:
        first.setdefault(item.id, item)
    items = tuple(first.values())
    tree = tuple(sorted(file.path for file in files))
    if read.form is RoadmapForm.TASKS:
        return Plan(base, roadmap.path, items, task_specs(items, roadmap.path, tree), tree, (*notices, *read.notices))
    found, doubts = _match(items, [parse_spec(blobs[Sha(file.blob)], file.path) for file in specs], roadmap.path)
    found = {task: _with_owners(spec, task, found) for task, spec in found.items()}
    return Plan(base, roadmap.path, items, found, tree, (*notices, *read.notices, *doubts))


def _files(project: Project, base: Sha) -> tuple[list[_File], list[Notice]]:
    files, notices = [], []
    for record in project.repo.objects("ls-tree", "-r", "-z", "--full-tree", base).out.split(b"\0"):
        meta, _, name = record.partition(b"\t")
        if not name:
            continue
        path = os.fsdecode(name)
        if "\n" in path or "\r" in path:
            notices.append(Notice("name-skipped", f"{printable(path)}: a name with a line break is left out"))
        else:
            mode, _, blob = meta.split(b" ")
            files.append(_File(path, blob.decode() if mode in _REGULAR else ""))
    return files, notices


def _places(configured: str | None, files: Sequence[_File]) -> list[_File]:
    """The file that is the roadmap, or every list of tasks that can be it."""
    readable = {file.path: file for file in files if file.blob}
    for path in roadmap_paths(configured):
        if path in readable:
            return [readable[path]]
    if not configured and (lists := [file for path, file in readable.items() if is_list_place(path)]):
        return lists
    if configured:
        raise UsageError(
            f"no roadmap: the target has no file {configured}", hint="commit it, or set roadmap in .coffee.yaml"
        )
    raise UsageError("no roadmap", hint=_COMMIT_ONE)


def _is_named(path: str, configured: str | None) -> bool:
    return configured is not None or path in ROADMAPS


def _current(lists: Sequence[_File], blobs: Mapping[Sha, bytes]) -> _File:
    """The one of several lists that is being worked on."""
    current = current_lists({file.path: blobs[Sha(file.blob)] for file in lists})
    if len(current) == 1:
        return next(file for file in lists if file.path == current[0])
    if not current:
        raise UsageError("no roadmap", hint=_COMMIT_ONE)
    names = ", ".join(map(printable, current))
    raise UsageError(
        f"several lists of tasks are not done: {names}",
        hint=f"name the one to work on in .coffee.yaml: roadmap: {printable(current[-1])}",
    )


def _with_owners(spec: Spec, task: TaskId, specs: Mapping[TaskId, Spec]) -> Spec:
    """*spec* with every ``SPEC-105`` it waits for turned into the task whose spec that is; the unknown are dropped."""
    references = []
    for reference in spec.depends_on:
        kind, number = task_key(reference.task)
        owners = [reference.task]
        if kind == SPEC_KIND:
            owners = [each for each, other in specs.items() if number in {n for _, n in numbers_of(other.path)}]
        references += [replace(reference, task=owner) for owner in owners if owner != task]
    return replace(spec, depends_on=tuple(references))


def may_be_spec(path: str, folder: str) -> bool:
    """Whether the file *path* says what is to be done, where specs are in *folder*."""
    root = posixpath.normpath(folder)
    inside = path.lower().endswith(".md") and (root == "." or path.startswith(root + "/"))
    return inside or _LEGACY_SPEC.fullmatch(path) is not None


def _match(
    items: Iterable[RoadmapItem], specs: Sequence[Spec], roadmap: str
) -> tuple[dict[TaskId, Spec], list[Notice]]:
    """The spec of each item; doubts about finished items concern nobody."""
    found: dict[TaskId, Spec] = {}
    doubts: list[Notice] = []
    for item in items:
        spec, notices = find_spec(item, specs)
        if spec is not None:
            found[item.id] = spec
        if item.status is not Status.COMPLETE:
            doubts += (notice if notice.path else replace(notice, path=roadmap) for notice in notices)
            doubts += spec.warnings if spec is not None else ()
    return found, list(dict.fromkeys(doubts))
