"""What a task of a list says of itself as a spec: its own lines are the whole of it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from coffee_hooks.base.model import Intent, NamedPath, RoadmapItem, Spec, TaskId
from coffee_hooks.sources.markdown import scan
from coffee_hooks.sources.scope import named_paths
from coffee_hooks.sources.symbols import named_symbols

DOCUMENTS = ("spec.md", "plan.md", "data-model.md", "research.md", "quickstart.md")
"""What spec-kit writes beside the list, for whoever does one of its tasks."""

_HEADING = "# Tasks"
"""Paths below such a heading are places of work."""
_ABSOLUTE = re.compile(r"(?<![\w.~/)\]}>*-])/(?:[\w.@+-]+/)+[\w.@+-]*\.(?P<extension>[A-Za-z0-9]{1,8})\b")
_FENCES = ("```", "~~~")
_BULLET = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,3}[.)])[ \t]")
_PATH = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*/?")
_PLACED = re.compile(
    r"(?:\b(?:in|into|to|at)|\b(?:[Rr]emove|[Dd]elete|[Ee]xtract|[Mm]ove)\b[^.;]{0,80}?\bfrom)\s+"
    rf"(?P<run>[`*(\"']*{_PATH.pattern}(?:[`*\"']*(?:,|\s(?:and|&)\s)\s*[`*\"']*{_PATH.pattern})*)"
)
"""Files that stand behind the words for where the work is done."""


def task_specs(items: Iterable[RoadmapItem], path: str, tree: Collection[str]) -> dict[TaskId, Spec]:
    """The spec of each item of the list at *path*, lines counted as in that file.

    *tree* are the paths of the repository: they tell which documents there are, and where a path begins that was
    written from the root of somebody's disk.
    """
    folder = posixpath.dirname(path)
    beside = [posixpath.join(folder, name) for name in DOCUMENTS]
    files = frozenset(tree)
    documents = (path, *(name for name in beside if name in files))
    contracts = posixpath.join(folder, "contracts")
    if any(name.startswith(f"{contracts}/") for name in tree):
        documents = (*documents, f"{contracts}/")
    folders = _folders(files)
    return {item.id: _spec(item, path, documents, folders) for item in items}


def _folders(files: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for name in files:
        while (name := name.rpartition("/")[0]) and name not in found:
            found.add(name)
    return frozenset(found)


def _spec(item: RoadmapItem, path: str, documents: tuple[str, ...], folders: frozenset[str]) -> Spec:
    here = _ABSOLUTE.sub(lambda match: _from_top(match, folders), item.text)
    numbers, lines = zip(*_unwrapped(here, item.line), strict=True)
    document = scan("\n".join((_HEADING, *lines)))
    found = [replace(each, line=numbers[each.line - 2]) for each in named_paths(document)]
    symbols = tuple(replace(each, line=numbers[each.line - 2]) for each in named_symbols(document))
    return Spec(path, item.title, item.text, paths=_places(found, path, lines), symbols=symbols, documents=documents)


def _unwrapped(text: str, first: int) -> Iterator[tuple[int, str]]:
    """The lines of a text as they were before they were wrapped, each with the number of its first one."""
    number, fenced = first, False
    parts: list[str] = []
    for at, line in enumerate(text.split("\n"), first):
        bare = line.strip()
        mark = bare.startswith(_FENCES)
        own = fenced or mark or not bare or _BULLET.match(line) or not parts or not parts[-1].strip()
        if parts and (own or parts[-1].lstrip().startswith(_FENCES)):
            yield number, " ".join(parts)
            parts = []
        if not parts:
            number = at
        parts.append(bare if parts else line)
        fenced = fenced != mark
    yield number, " ".join(parts)


def _from_top(match: re.Match[str], folders: frozenset[str]) -> str:
    """A path from the root of a disk as one from the top of the repository, where its folders say which that is."""
    parts = match[0].lstrip("/").split("/")
    tails = ["/".join(parts[at:]) for at in range(len(parts) - 1)]
    known = next((tail for tail in tails if tail.rpartition("/")[0] in folders), None)
    return known or next((tail for tail in tails if tail.partition("/")[0] in folders), match[0])


def _places(paths: Sequence[NamedPath], path: str, lines: Sequence[str]) -> tuple[NamedPath, ...]:
    """*paths* with what the form of the list says of them: ``Do this in FILE``.

    The documents beside the list are read, where any other file is named. Where nothing is said to be written, all is.
    """
    folder = posixpath.dirname(path)
    papers = {each.pattern for each in paths if _is_document(each.pattern, folder)}
    if len(papers) == len(paths):
        return tuple(paths)
    runs = (match["run"] for line in lines for match in _PLACED.finditer(line))
    placed = {each.rstrip("/.") for run in runs for each in _PATH.findall(run)}
    written = {each.pattern for each in paths if each.intent is Intent.WRITE or each.pattern in placed} - papers
    written = written or {each.pattern for each in paths} - papers
    return tuple(replace(each, intent=Intent.WRITE if each.pattern in written else Intent.MENTION) for each in paths)


def _is_document(pattern: str, folder: str) -> bool:
    inside = pattern.removeprefix(f"{folder}/") if folder else pattern
    return inside != pattern or inside in DOCUMENTS or inside == "tasks.md" or inside.startswith("contracts/")
