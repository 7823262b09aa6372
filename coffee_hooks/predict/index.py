"""The sources of files, read once for each blob and kept in ``<git-common-dir>/coffee/predict/sources.jsonl``.

A line is one blob read in one language. The file may be deleted at any time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from coffee_hooks.base import output
from coffee_hooks.base.files import keep_lines
from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.objects import beginning_of, sizes_of
from coffee_hooks.base.parts import MOST_PARTS, outputs, processors
from coffee_hooks.base.refs import read_blobs
from coffee_hooks.predict.grammars import grammars
from coffee_hooks.predict.source import LONGEST, Source, read_source

FORMAT = "coffee sources 1"
AT_ONCE = 2000
"""Blobs that are asked of one git process, so that memory does not hold a whole repository."""
AT_ONCE_BYTES = 1 << 26
"""Bytes of them, for the same reason."""
LARGE = 1 << 22
"""Bytes from which only the beginning of a blob is taken, by a process of its own: nothing reads the rest."""
MANY = 1000
"""Files that take longer than a second to read."""
SHARED = 300
"""Files that take longer to read than it takes to start a process that reads some of them."""

_written = json.JSONEncoder(separators=(",", ":")).encode
_DAMAGED = (OSError, ValueError, TypeError, AttributeError, RecursionError)


class File(NamedTuple):
    """What a source is read from: the same bytes say different things in another language."""

    blob: Sha
    language: str


def read_sources(repo: Repo, files: Sequence[File]) -> Mapping[File, Source]:
    """The source of each of *files*. What was read before comes from our file, which then knows these and no others.

    A file of ours that cannot be read or written only costs time.
    """
    known = _load(_place(repo), set(files))
    before = len(known)
    new = len(set(files)) - before
    if new > MANY:
        output.say(f"reading {new} files, once, to predict where tasks will work")
    lines = _read_apart(repo, sorted(set(files) - known.keys())) if new > SHARED else {}
    known.update(map(_entry, lines.values()))
    learn(repo, files, known)
    if len(known) > before:
        written = (lines.get(file) or line_of(file, known[file]) for file in sorted(known))
        keep_lines(_place(repo), chain([_head()], written))
    return known


def learn(repo: Repo, files: Iterable[File], known: dict[File, Source]) -> None:
    """Add those of *files* to *known* that are not in it."""
    missing = sorted(set(files) - known.keys())
    sizes = sizes_of(repo, list(dict.fromkeys(file.blob for file in missing)))
    for some in _shares([file for file in missing if sizes.get(file.blob, 0) < LARGE], sizes):
        found = read_blobs(repo, [file.blob for file in some])
        known.update((file, read_source(found[file.blob], file.language)) for file in some if file.blob in found)
    for file in missing:
        if sizes.get(file.blob, 0) >= LARGE:
            known[file] = read_source(beginning_of(repo, file.blob, LONGEST), file.language)


def _shares(files: Sequence[File], sizes: Mapping[Sha, int]) -> Iterator[list[File]]:
    """*files* in order, as many at once as memory shall hold."""
    some: list[File] = []
    held = 0
    for file in files:
        size = sizes.get(file.blob, 0)
        if some and (len(some) == AT_ONCE or held + size > AT_ONCE_BYTES):
            yield some
            some, held = [], 0
        some.append(file)
        held += size
    if some:
        yield some


def _read_apart(repo: Repo, files: Sequence[File]) -> dict[File, str]:
    """The lines of those of *files* that could be read, each processor reading some of them."""
    argv = [sys.executable, "-m", "coffee_hooks.predict.reader", str(repo.common_dir)]
    count = min(MOST_PARTS, processors())
    shares = (files[start::count] for start in range(count))
    asked = ["".join(f"{' '.join(file)}\n" for file in share).encode() for share in shares]
    try:
        said = [out.decode("ascii").splitlines() for out in outputs(argv, asked, cwd=repo.state_dir)]
    except (OSError, ValueError):  # what no process told is read here
        return {}
    return {_file_of(line): line for lines in said for line in lines}


def _head() -> str:
    return f"{FORMAT} {grammars()}"


def _place(repo: Repo) -> Path:
    return repo.state_dir / "predict" / "sources.jsonl"


def _load(path: Path, wanted: set[File]) -> dict[File, Source]:
    found: dict[File, Source] = {}
    try:
        with path.open(encoding="ascii") as lines:
            if lines.readline() != f"{_head()}\n":
                return found
            for line in lines:
                if _file_of(line) in wanted:
                    file, source = _entry(line)
                    found[file] = source
    except _DAMAGED:
        return {}  # damaged or gone: what it held is read anew
    return found


def _file_of(line: str) -> File:
    blob, _, language = line[2 : line.find('"', 2)].partition(" ")
    return File(Sha(blob), language)


def _entry(line: str) -> tuple[File, Source]:
    _, words, size, defines, imports = json.loads(line)
    return _file_of(line), Source(tuple(words), size, tuple(defines.split()), tuple(imports.split()))


def line_of(file: File, source: Source) -> str:
    """How *source* is kept."""
    row = [" ".join(file), source.words, source.size, " ".join(source.defines), " ".join(source.imports)]
    return _written(row)
