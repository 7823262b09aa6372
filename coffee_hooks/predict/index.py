"""The sources of files, read once for each blob and kept in ``<git-common-dir>/coffee/predict/sources.jsonl``.

A line is one blob. The file may be deleted at any time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

from coffee_hooks.base.files import keep_lines
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.predict.source import Source, read_source

FORMAT = "coffee sources 1"
AT_ONCE = 2000
"""Blobs that are asked of one git process, so that memory does not hold a whole repository."""


def read_sources(repo: Repo, blobs: Sequence[Sha]) -> Mapping[Sha, Source]:
    """The source of each of *blobs*. What was read before comes from the file, which then knows these and no others.

    A file that cannot be read or written only costs time.
    """
    known = _load(_place(repo), set(blobs))
    before = len(known)
    learn(repo, blobs, known)
    if len(known) > before:
        keep_lines(_place(repo), chain([FORMAT], (_line(blob, known[blob]) for blob in sorted(known))))
    return known


def learn(repo: Repo, blobs: Iterable[Sha], known: dict[Sha, Source]) -> None:
    """Add those of *blobs* to *known* that are not in it."""
    missing = sorted(set(blobs) - known.keys())
    for start in range(0, len(missing), AT_ONCE):
        found = read_blobs(repo, missing[start : start + AT_ONCE])
        known.update((blob, read_source(data)) for blob, data in found.items())


def _place(repo: Repo) -> Path:
    return repo.state_dir / "predict" / "sources.jsonl"


def _load(path: Path, wanted: set[Sha]) -> dict[Sha, Source]:
    found: dict[Sha, Source] = {}
    try:
        with path.open(encoding="utf-8") as file:
            if file.readline() != f"{FORMAT}\n":
                return found
            for line in file:
                blob = Sha(line[2 : line.find('"', 2)])
                if blob in wanted:
                    _, words, size, defines, imports = json.loads(line)
                    found[blob] = Source(tuple(words), size, tuple(defines.split()), tuple(imports.split()))
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # damaged or gone: what it held is read anew
    return found


def _line(blob: Sha, source: Source) -> str:
    row = [blob, source.words, source.size, " ".join(source.defines), " ".join(source.imports)]
    return json.dumps(row, separators=(",", ":"))
