"""The target's own ``.gitattributes``, and nobody else's, decide how branches merge into it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs

FILE = ".gitattributes"


def with_attributes_of(repo: Repo, target: Sha) -> Repo:
    """*repo* whose object-database commands see the ``.gitattributes`` files of *target*. One git process or two.

    git before 2.41 reads them from a worktree only, so they are written into a folder of ours, one per set of them.
    """
    files = attribute_files(repo, target)
    if not files:
        return repo
    name = hashlib.sha256(repr(sorted(files.items())).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = repo.state_dir / "attributes" / name
    if not folder.is_dir():
        blobs = read_blobs(repo, files.values())
        _write(folder, {path: blobs[Sha(sha)] for path, sha in files.items()})
    return replace(repo, attributes=folder)


def attribute_files(repo: Repo, target: Sha) -> dict[str, Sha]:
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
