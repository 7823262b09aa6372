"""Commits that only a worktree's reflogs and unfinished operations still name; they would go with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from coffee_hooks.base.git import Repo
from coffee_hooks.base.model import Sha

_NAMES = re.compile(rb"^([0-9a-f]{40,64})(?: ([0-9a-f]{40,64}))?\b", re.M)
_PSEUDO_REFS = (
    "ORIG_HEAD", "MERGE_HEAD", "MERGE_AUTOSTASH", "CHERRY_PICK_HEAD", "REVERT_HEAD", "logs/HEAD",
    "rebase-merge/orig-head", "rebase-merge/autostash", "rebase-apply/orig-head", "rebase-apply/autostash",
)  # fmt: skip
_DATE = "1700000000 +0000"


def gather_strays(
    repo: Repo, branch: str, git_dirs: Iterable[Path], safe: Iterable[Sha], identity: Mapping[str, str]
) -> Sha | None:
    """One commit whose parents are the stray commits, None when all can be reached from *safe*.

    At most two git processes. The same strays always give the same commit.
    """
    files = [repo.common_dir / "logs" / "refs" / "heads" / branch]
    files += [path for git_dir in git_dirs for path in _files(git_dir)]
    named = {Sha(sha.decode()) for path in files for match in _names(path) for sha in match if sha and sha.strip(b"0")}
    kept = set(safe)
    if not named - kept:
        return None
    lines = [*sorted(named), *(f"^{sha}" for sha in sorted(kept))]
    said = repo.objects(
        "rev-list", "--parents", "--ignore-missing", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode()
    )
    rows = [line.split() for line in said.text.splitlines()]
    inner = {parent for _, *parents in rows for parent in parents}
    heads = sorted(sha for sha, *_ in rows if sha not in inner)
    if not heads:
        return None
    parents = [word for sha in heads for word in ("-p", sha)]
    env = {**identity, "GIT_AUTHOR_DATE": _DATE, "GIT_COMMITTER_DATE": _DATE}
    said = repo.objects("commit-tree", f"{heads[0]}^{{tree}}", *parents, "-m", "Only reflogs named these", env=env)
    return Sha(said.text)


def _files(git_dir: Path) -> Iterator[Path]:
    yield from (git_dir / name for name in _PSEUDO_REFS)
    yield from (path for path in sorted((git_dir / "refs").rglob("*")) if path.is_file())


def _names(path: Path) -> list[tuple[bytes, bytes]]:
    try:
        return _NAMES.findall(path.read_bytes())
    except OSError:
        return []
