"""The corpus of a commit, read from git."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.grammars import language_of
from coffee_hooks.predict.history import LOG, read_changes
from coffee_hooks.predict.index import File, learn, read_sources
from coffee_hooks.predict.source import Source

_REGULAR = (b"100644", b"100755")


def read_corpus(repo: Repo, commit: Sha, ignored: AbstractSet[str] = frozenset()) -> Corpus:
    """Every regular file of *commit* but the *ignored* ones, and the changes that led to it.

    Two git processes; where blobs were not read before one for their sizes, one for each `AT_ONCE` and each large one.
    """
    files = [(path, file) for path, file in _files(repo, commit) if path not in ignored]
    return _corpus(repo, commit, files, read_sources(repo, [file for _, file in files]))


def replay_corpus(
    repo: Repo, commit: Sha, known: dict[File, Source], ignored: AbstractSet[str] = frozenset()
) -> Corpus:
    """The same without a trace: *known* holds what was read for other commits and takes up what is read for this."""
    files = [(path, file) for path, file in _files(repo, commit) if path not in ignored]
    learn(repo, [file for _, file in files], known)
    return _corpus(repo, commit, files, known)


def _files(repo: Repo, commit: Sha) -> list[tuple[str, File]]:
    found = []
    for record in repo.objects("ls-tree", "-r", "-z", "--full-tree", commit).out.split(b"\0"):
        meta, _, name = record.partition(b"\t")
        mode, _, blob = meta.split(b" ") if name else (b"", b"", b"")
        if mode in _REGULAR and b"\n" not in name:
            path = os.fsdecode(name)
            found.append((path, File(Sha(blob.decode()), language_of(path))))
    return sorted(found)


def _corpus(repo: Repo, commit: Sha, files: Sequence[tuple[str, File]], sources: Mapping[File, Source]) -> Corpus:
    changes = read_changes(repo.objects(*LOG, commit).out)
    return Corpus([path for path, _ in files], [sources.get(file, Source()) for _, file in files], changes)
