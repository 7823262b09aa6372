"""The corpus of a commit, read from git."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.history import LOG, read_changes
from coffee_hooks.predict.index import read_sources
from coffee_hooks.predict.source import Source

_REGULAR = (b"100644", b"100755")


def read_corpus(repo: Repo, commit: Sha, ignored: AbstractSet[str] = frozenset()) -> Corpus:
    """Every regular file of *commit* but the *ignored* ones, and the changes that led to it.

    Two git processes, and one more for each `AT_ONCE` blobs that were not read before.
    """
    files = []
    for record in repo.objects("ls-tree", "-r", "-z", "--full-tree", commit).out.split(b"\0"):
        meta, _, name = record.partition(b"\t")
        mode, _, blob = meta.split(b" ") if name else (b"", b"", b"")
        path = os.fsdecode(name)
        if mode in _REGULAR and b"\n" not in name and path not in ignored:
            files.append((path, Sha(blob.decode())))
    files.sort()
    sources = read_sources(repo, [blob for _, blob in files])
    changes = read_changes(repo.objects(*LOG, commit).out)
    return Corpus([path for path, _ in files], [sources.get(blob, Source()) for _, blob in files], changes)
