"""Files that import a likely one, or are imported by it."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from coffee_hooks.predict.corpus import Corpus, folder_of
from coffee_hooks.predict.signals.spread import Lead, Spread, seeds

_AMBIGUOUS = 3
"""An import that fits more files than this leads to none."""
_PACKAGE = 12
"""A folder of more files than this, imported as one, leads to none of them."""
_DEEP = 4
"""How many of the last folders of an import have to agree."""
_ENDING = re.compile(r"\.(?:js|ts|tsx|jsx|mjs|h|hpp|rb|php|py)$")
_INDEX = re.compile(r"/(?:__init__|index|mod|lib)$")
_HERE = re.compile(r"^(?:crate|self|super)/")


def imports(corpus: Corpus) -> Spread:
    """The highest probability of a neighbour in the import graph."""
    beside = _neighbours(corpus)

    def find(lead: Lead) -> Mapping[int, float]:
        found: dict[int, float] = {}
        for seed in seeds(lead):  # the likeliest first
            for at in beside.get(seed, ()):
                found.setdefault(at, lead[seed])
        return found

    def say(lead: Lead, at: int) -> str:
        seed = next(seed for seed in seeds(lead) if at in beside.get(seed, ()))
        return f"one of it and {corpus.paths[seed]} imports the other"

    return Spread("imports", find, say)


def _neighbours(corpus: Corpus) -> Mapping[int, Sequence[int]]:
    ends: dict[str, list[int]] = defaultdict(list)
    packages: dict[str, list[int]] = defaultdict(list)
    for at, path in enumerate(corpus.paths):
        for end in _ends(_INDEX.sub("", path.rpartition(".")[0] or path)):
            ends[end].append(at)
        for end in _ends(folder_of(path)) if path.endswith(".go") else ():
            packages[end].append(at)
    found: dict[int, set[int]] = defaultdict(set)
    for at, source in enumerate(corpus.sources):
        of_packages = corpus.paths[at].endswith(".go")
        for written in source.imports:
            targets = _package(written, packages) if of_packages else _files(written, corpus.paths[at], ends)
            for target in targets:
                if target != at:
                    found[at].add(target)
                    found[target].add(at)
    return {at: sorted(others) for at, others in found.items()}


def _ends(path: str) -> Iterator[str]:
    parts = path.split("/")
    for start in range(max(0, len(parts) - _DEEP), len(parts)):
        yield "/".join(parts[start:])


def _package(written: str, packages: Mapping[str, Sequence[int]]) -> Sequence[int]:
    found = next((packages[end] for end in _ends(written) if end in packages), ())
    return found if len(found) <= _PACKAGE else ()


def _files(written: str, importer: str, ends: Mapping[str, Sequence[int]]) -> Sequence[int]:
    """The files that an import may mean; its last parts may be names inside of the file."""
    parts = [part for part in _as_path(written, importer).split("/") if part]
    for kept in (parts, parts[:-1], parts[:-2]):
        found = ends.get("/".join(kept[-_DEEP:]), ()) if kept else ()
        if 0 < len(found) <= _AMBIGUOUS:
            return found
    return ()


def _as_path(written: str, importer: str) -> str:
    """An import of any language as a path without an ending."""
    folder = folder_of(importer)
    if written.startswith("."):
        if "/" in written:
            return _ENDING.sub("", posixpath.normpath(posixpath.join(folder, written)))
        dots = len(written) - len(written.lstrip("."))
        above = folder.split("/")
        return "/".join([*above[: len(above) - dots + 1], *written[dots:].split(".")])
    path = _ENDING.sub("", written).replace("::", "/").replace("\\", "/")
    return _HERE.sub("", path) if "/" in path else path.replace(".", "/")
