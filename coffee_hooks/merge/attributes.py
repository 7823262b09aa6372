"""The target's own ``.gitattributes``, and nobody else's, decide how its merges are made."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs


def with_attributes_of(repo: Repo, target: Sha) -> Repo:
    """*repo* whose object-database commands see the ``.gitattributes`` files of *target*.

    git before 2.41 reads them from a worktree only, so they are written into a folder of ours, one per set of them.
    """
    files: dict[str, str] = {}
    for record in repo.objects("ls-tree", "-r", "-z", "--full-tree", target).records:
        meta, _, path = record.partition("\t")
        if PurePosixPath(path).name == ".gitattributes" and meta.startswith("100"):
            files[path] = meta.split(" ")[2]
    if not files:
        return repo
    name = hashlib.sha256(repr(sorted(files.items())).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = repo.state_dir / "attributes" / name
    if not folder.is_dir():
        blobs = read_blobs(repo, files.values())
        _write(folder, {path: blobs[Sha(sha)] for path, sha in files.items()})
    return replace(repo, attributes=folder)


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
