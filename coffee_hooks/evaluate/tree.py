"""The files of a commit, indexed once so that many specs can be resolved against them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from coffee_hooks.evaluate.patterns import FOLDERS, Segments, is_wild, literal_prefix, meet, segment_matcher


@dataclass(frozen=True, slots=True)
class TreeIndex:
    """Every path of a tree. *paths* are sorted; the mappings go from a last name to the paths that end in it."""

    paths: tuple[str, ...]
    names: tuple[str, ...]
    """The last names of *paths*, in their order."""
    files: frozenset[str]
    folders: frozenset[str]
    files_by_name: Mapping[str, tuple[str, ...]]
    folders_by_name: Mapping[str, tuple[str, ...]]
    _found: dict[Segments, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    """Matches already looked up: many specs name the same folder."""

    def files_ending(self, path: str) -> tuple[str, ...]:
        """The files that are *path* or end in ``/`` and *path*."""
        return _ending(self.files_by_name, path)

    def folders_ending(self, path: str) -> tuple[str, ...]:
        """The folders that are *path* or end in ``/`` and *path*."""
        return _ending(self.folders_by_name, path)

    def matching(self, segments: Segments) -> tuple[str, ...]:
        """The files that a pattern matches, sorted."""
        if segments not in self._found:
            self._found[segments] = tuple(self._search(segments))
        return self._found[segments]

    def _search(self, segments: Segments) -> Iterable[str]:
        below, last = self._below(literal_prefix(segments)), segments[-1]
        if last == FOLDERS:
            return self.paths[below] if not any(map(is_wild, segments[:-1])) else _full(self.paths[below], segments)
        named = segment_matcher(last)
        pairs = zip(self.paths[below], self.names[below], strict=True)
        return _full((path for path, name in pairs if named(name)), segments)

    def _below(self, prefix: str) -> slice:
        """Where the files are that are *prefix* or below it."""
        if not prefix:
            return slice(None)
        at = bisect_left(self.paths, prefix)
        if self.paths[at : at + 1] == (prefix,):
            return slice(at, at + 1)
        return slice(bisect_left(self.paths, prefix + "/"), bisect_left(self.paths, prefix + "0"))  # "0" follows "/"


def _full(paths: Iterable[str], segments: Segments) -> Iterable[str]:
    return (path for path in paths if meet(tuple(path.split("/")), segments))


def _ending(by_name: Mapping[str, tuple[str, ...]], path: str) -> tuple[str, ...]:
    same_name = by_name.get(path.rpartition("/")[2], ())
    return tuple(each for each in same_name if each == path or each.endswith("/" + path))


def index_tree(paths: Iterable[str]) -> TreeIndex:
    """Index *paths*, which are relative to the root of the repository and use slashes."""
    files = tuple(sorted(set(paths)))
    folders = tuple(sorted(_folders(files)))
    names = tuple(path.rpartition("/")[2] for path in files)
    return TreeIndex(files, names, frozenset(files), frozenset(folders), _by_name(files), _by_name(folders))


def _folders(files: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in files:
        while (path := path.rpartition("/")[0]) and path not in found:
            found.add(path)
    return found


def _by_name(paths: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return {name: tuple(same) for name, same in found.items()}
