"""The target's own ``.gitattributes``, and nobody else's, decide how its merges are made."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import PurePosixPath

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import read_blobs


def with_attributes_of(repo: Repo, target: Sha) -> Repo:
    """*repo* whose object-database commands see the ``.gitattributes`` files of *target*.

    git before 2.41 reads them from a worktree only, so they are written into a folder of ours, one per set of them.
    """
    said = repo.objects("ls-tree", "-r", "-z", "--full-tree", target)
    files: dict[str, str] = {}
    for record in said.records:
        meta, _, path = record.partition("\t")
        if PurePosixPath(path).name == ".gitattributes" and meta.startswith("100"):
            files[path] = meta.split(" ")[2]
    if not files:
        return repo
    import hashlib

    name = hashlib.sha256(repr(sorted(files.items())).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    folder = repo.state_dir / "attributes" / name
    if not (folder / ".complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        blobs = read_blobs(repo, files.values())
        for path, sha in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(blobs.get(Sha(sha), b""))
        (folder / ".complete").touch()
    return replace(repo, attributes=folder)
