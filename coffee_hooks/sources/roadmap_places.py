"""Where the roadmap is looked for. A module of its own: who only asks for the place loads no parser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs

ROADMAPS = ("docs/roadmap/ROADMAP.md", "docs/ROADMAP.md", "ROADMAP.md")
"""Where the roadmap is looked for, in this order, unless the configuration names it."""


TASK_LISTS = "specs/*/tasks.md"
"""And where there is none of them: the one list of tasks of spec-kit that is not done yet."""

_TASK_LIST = re.compile(r"specs/[^/]+/tasks\.md")


def roadmap_paths(configured: str | None) -> tuple[str, ...]:
    """The paths at which the roadmap may be, the first one that is there counts; ``TASK_LISTS`` is a pattern. Pure."""
    return (configured.removeprefix("./"),) if configured else (*ROADMAPS, TASK_LISTS)


def is_list_place(path: str) -> bool:
    """Whether a list of tasks is looked for there. Pure."""
    return _TASK_LIST.fullmatch(path) is not None


def any_of_them(found: Iterable[str], paths: Sequence[str]) -> bool:
    """Whether one of the paths *found* is one of *paths*. Pure."""
    return any(path in paths or (TASK_LISTS in paths and is_list_place(path)) for path in found)


def find_roadmap(repo: Repo, commit: str, paths: Sequence[str]) -> str | None:
    """Which of *paths* is the roadmap of *commit*; None where there is none, and where several lists are not done.

    One git process, two more where only a list can be it.
    """
    found = read_blobs(repo, [f"{commit}:{path}" for path in paths])
    known = next((path for path in paths if Sha(f"{commit}:{path}") in found), None)
    return find_list(repo, commit) if known is None and TASK_LISTS in paths else known


def find_list(repo: Repo, commit: str) -> str | None:
    """The one list of tasks of *commit* that is not done, or the last; None where it has none or several."""
    folders = repo.objects("ls-tree", "-z", "--name-only", "--full-tree", commit, "--", "specs/", ok=(0, 128)).records
    texts = read_blobs(repo, [f"{commit}:{folder}/tasks.md" for folder in folders])
    lists = current_lists({name.partition(":")[2]: data for name, data in texts.items()})
    return lists[0] if len(lists) == 1 else None


def current_lists(texts: Mapping[str, bytes]) -> tuple[str, ...]:
    """Those of the files *texts* that are lists with a task to do, sorted; where all are done, the last. Pure."""
    if not texts:
        return ()
    from coffee_hooks.sources.roadmap import RoadmapForm, parse_roadmap  # who has no list pays for no parser
    from coffee_hooks.sources.task_items import OVER

    lists = {path: parse_roadmap(data, path) for path, data in texts.items()}
    known = sorted(path for path, read in lists.items() if read.form is RoadmapForm.TASKS)
    unfinished = [path for path in known if any(item.status not in OVER for item in lists[path].items)]
    return tuple(unfinished or known[-1:])
