"""Which branch a commit made now would belong to, read from the git directory without starting git.

Runs on every commit: only modules that interpreter start-up has already loaded (hence no pathlib).
"""
# ruff: noqa: PTH112, PTH114, PTH118, PTH120, PTH123

from __future__ import annotations

import os

from coffee_hooks.guard.cfr_013 import HEADS, check_branch, check_detached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_HEX = frozenset("0123456789abcdef")
_REFTABLE_STUB = "refs/heads/.invalid"


def check_head(target: str, environ: Mapping[str, str]) -> None:
    """Judge a commit made in the current folder's checkout; raise ``CFR013ViolationError`` if it is refused.

    Raises ``UsageError`` where there is no repository, ``EnvironmentFailure`` where git is needed and missing.
    """
    git_dir = find_git_dir(environ, ".")
    head = read_head(git_dir) if git_dir else None
    if git_dir is None or head is None:
        from coffee_hooks.guard.plumbing import ask_head

        git_dir, head = ask_head()
    if head.startswith("refs/"):
        check_branch(head.removeprefix(HEADS), target)
    else:
        check_detached(operation_branch(git_dir) or event_branch(environ), target)


def find_git_dir(environ: Mapping[str, str], start: str) -> str | None:
    """The git directory of the checkout around ``start``; None where only git itself can tell."""
    if environ.get("GIT_DIR"):
        return os.path.join(start, environ["GIT_DIR"])
    if environ.get("GIT_CEILING_DIRECTORIES"):
        return None
    folder = os.path.realpath(start)
    while True:
        found = _dot_git(folder)
        if found or folder == os.path.dirname(folder):
            return found
        folder = os.path.dirname(folder)


def _dot_git(folder: str) -> str | None:
    path = os.path.join(folder, ".git")
    if os.path.isdir(path):
        return path
    link = _read(path)
    if link is None or not link.startswith("gitdir: "):
        return None
    return os.path.join(folder, link.removeprefix("gitdir: "))


def read_head(git_dir: str) -> str | None:
    """The full name of the branch ref in HEAD, or the commit of a detached HEAD; None for an odd layout."""
    path = os.path.join(git_dir, "HEAD")
    head = None if os.path.islink(path) else _read(path)
    if head is None or _is_object_name(head):
        return head
    ref = head.removeprefix("ref:").strip()
    return ref if ref.startswith(HEADS) and ref != _REFTABLE_STUB else None


def operation_branch(git_dir: str) -> str | None:
    """The branch that an unfinished rebase or bisect came from (short name); None if there is none.

    Merging and cherry-picking leave HEAD on its branch unless they happen inside one of these two.
    """
    for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
        ref = _read(os.path.join(git_dir, name))
        if ref and ref.startswith(HEADS):
            return ref.removeprefix(HEADS)
    began = _read(os.path.join(git_dir, "BISECT_START"))
    return None if not began or _is_object_name(began) else began.removeprefix(HEADS)


def event_branch(environ: Mapping[str, str]) -> str | None:
    """The branch that a GitHub or GitLab job runs for: there HEAD is detached and says nothing."""
    names = ["GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_BRANCH"]
    if environ.get("GITHUB_REF_TYPE") != "tag":
        names.insert(1, "GITHUB_REF_NAME")
    return next((environ[name] for name in names if environ.get(name)), None)


def _read(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read().removesuffix(b"\n"))
    except OSError:
        return None


def _is_object_name(text: str) -> bool:
    return len(text) in (40, 64) and _HEX.issuperset(text)
