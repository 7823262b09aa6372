"""The target's own ``.gitattributes``, and nobody else's, decide how branches merge into it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs

FILE = ".gitattributes"


# A merge asks for the attributes `merge` and `conflict-marker-size` and for nothing else; `binary` sets the former.
_MACRO = b"[attr]"
_WORDS = (b"merge", b"binary", b"conflict-marker-size")


def with_attributes_of(repo: Repo, target: Sha) -> Repo:
    """*repo* whose object-database commands see the ``.gitattributes`` files of *target*. One git process or two.

    git before 2.41 reads them from a worktree only, so they are written into a folder of ours, one per set of them.
    Files that say nothing about merges are left out: most projects have no others, and then nothing is written.
    """
    files = attribute_files(repo, target)
    blobs = read_blobs(repo, files.values())
    macros = any(_MACRO in data for data in blobs.values())
    counting = {path: sha for path, sha in files.items() if macros or any(word in blobs[sha] for word in _WORDS)}
    if not counting:
        return repo
    name = hashlib.sha256(repr(sorted(counting.items())).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = repo.state_dir / "attributes" / name
    if not folder.is_dir():
        _write(folder, {path: blobs[sha] for path, sha in counting.items()})
    return replace(repo, attributes=folder)


@lru_cache(maxsize=4)  # a commit never changes, and one of a hundred thousand files takes a while
def attribute_files(repo: Repo, target: Sha) -> Mapping[str, Sha]:
    """The blobs of all ``.gitattributes`` files of a commit by their paths. Symbolic links count as little as in git.

    A tree made by hand can spell paths that no checkout has; those are left out.
    """
    found: dict[str, Sha] = {}
    for record in repo.objects("ls-tree", "-r", "-z", "--full-tree", target).out.split(b"\0"):
        if not record.endswith(FILE.encode()):  # most are not, and there may be a hundred thousand
            continue
        meta, _, path = record.decode("utf-8", "surrogateescape").partition("\t")
        place = PurePosixPath(path)
        if place.name == FILE and meta.startswith("100") and not {"..", ".git"} & {*place.parts}:
            found[path] = Sha(meta.split(" ")[2])
    return found


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Make *folder* whole or not at all: a dry run may do the same at this moment."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=folder.parent))
    for path, data in files.items():
        (making / path).parent.mkdir(parents=True, exist_ok=True)
        (making / path).write_bytes(data)
    try:
        making.rename(folder)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        if not folder.is_dir():
            raise
