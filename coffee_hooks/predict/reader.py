"""The process that reads some of the files: ``python -m coffee_hooks.predict.reader COMMON_DIR``.

Blob and language of each file are a line of stdin; a line of stdout is one of ``sources.jsonl``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.predict.index import File, learn, line_of
from coffee_hooks.predict.source import Source


def answer(folder: Path, asked: Iterable[str], to: TextIO) -> None:
    """Read the files that *asked* names out of the repository whose common dir is *folder*."""
    known: dict[File, Source] = {}
    files = [File(Sha(blob), language) for blob, _, language in (line.rstrip("\n").partition(" ") for line in asked)]
    learn(Repo(folder, folder, folder), files, known)
    to.writelines(f"{line_of(file, source)}\n" for file, source in known.items())


if __name__ == "__main__":
    answer(Path(sys.argv[1]), sys.stdin, sys.stdout)
