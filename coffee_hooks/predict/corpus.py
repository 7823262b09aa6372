"""The files of one commit and the changes that led to it, as the signals look at them. Files go by their number."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from coffee_hooks.predict.history import Change
from coffee_hooks.predict.source import Source

SWEEPING = 30
"""A change of more files than this says nothing about any of them."""
_FOUNDING = 3
"""Nor does one of more than a third of all files: it made the repository, or moved it."""

_TEST = re.compile(
    r"(?:^|[/_.-])(?:tests?|specs?|__tests__|testing|testdata|fixtures?|e2e)(?:[/_.-]|$)"
    r"|(?:Test|Tests|Spec|IT)\.\w+$",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(r"\.(?:md|rst|txt|adoc|markdown|textile)$|(?:^|/)docs?/", re.IGNORECASE)
_DATA = re.compile(
    r"\.(?:png|jpe?g|svg|gif|ico|woff2?|ttf|eot|map|pdf|zip|gz|jar|lock|min\.js|snap|ipynb|golden|out|stderr|stdout)$"
    r"|lock\.json$",
    re.IGNORECASE,
)
_TEST_MARK = re.compile(
    r"^(?:test|tests|spec|specs)[_.-]|[_.-](?:tests?|spec|specs)$|(?<=[a-z])(?:Tests?|Spec)$|^Test(?=[A-Z])"
)


@dataclass(frozen=True)
class Corpus:
    """*paths* are sorted, *sources* in their order, *changes* the newest first."""

    paths: Sequence[str]
    sources: Sequence[Source]
    changes: Sequence[Change]

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def place(self) -> Mapping[str, int]:
        """The number of each path."""
        return {path: at for at, path in enumerate(self.paths)}

    @cached_property
    def edits(self) -> Sequence[tuple[Change, tuple[int, ...]]]:
        """The changes that say something, each with the files of this commit that it touched, at least one."""
        place = self.place
        most = min(SWEEPING, max(_FOUNDING, len(self) // _FOUNDING))
        telling = (change for change in self.changes if len(change.files) <= most)
        found = ((change, tuple(place[path] for path in change.files if path in place)) for change in telling)
        return [(change, files) for change, files in found if files]

    @cached_property
    def by_name(self) -> Mapping[str, Sequence[int]]:
        """The files of each last name, in lower case."""
        return grouped((path.rpartition("/")[2].lower(), at) for at, path in enumerate(self.paths))

    @cached_property
    def by_stem(self) -> Mapping[str, Sequence[int]]:
        """The files of each last name up to its first dot, in lower case."""
        return grouped((stem_of(path).lower(), at) for at, path in enumerate(self.paths))

    @cached_property
    def tests(self) -> Sequence[bool]:
        """Whether each file looks like part of the tests."""
        return [_TEST.search(path) is not None for path in self.paths]

    @cached_property
    def documents(self) -> Sequence[bool]:
        """Whether each file looks like prose."""
        return [_DOCUMENT.search(path) is not None for path in self.paths]

    @cached_property
    def data(self) -> Sequence[bool]:
        """Whether each file looks like something that nobody writes by hand."""
        return [_DATA.search(path) is not None for path in self.paths]


def grouped(pairs: Iterable[tuple[str, int]]) -> Mapping[str, Sequence[int]]:
    """The files of each key, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for key, at in pairs:
        found[key].append(at)
    return dict(found)


def stem_of(path: str) -> str:
    """The last name of *path* up to its first dot (``.gitignore`` as it is)."""
    name = path.rpartition("/")[2]
    return name.partition(".")[0] or name


def subject_of(path: str) -> str:
    """What a file is about, tests and what they test alike: ``test_parser.py`` and ``parser.py`` give ``parser``."""
    return _TEST_MARK.sub("", stem_of(path)).lower().replace("-", "_").strip("_")


def folder_of(path: str) -> str:
    """The folder of *path*, empty at the top."""
    return posixpath.dirname(path)
