"""One file of a tree replaced in the object database, everything else as it was."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from coffee_hooks.base.git import GitFailed, Repo, trace
from coffee_hooks.base.model import Sha
from coffee_hooks.base.trees import find_blob, list_tree, replace_blob, replace_blobs

Git = Callable[..., str]
PATHS = ["docs/roadmap/ROADMAP.md", "run", "d/new\nline", 'd/quo"te', "d/caf\udce9", "d/tab\there", "d/-n"]


@pytest.fixture
def tree(repo: Repo, git: Git) -> Sha:
    """Odd names, an executable, a symbolic link, a submodule, CRLF and no final newline."""
    for path in PATHS:
        file = repo.top / os.fsdecode(os.fsencode(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"one\r\ntwo")
    (repo.top / "run").chmod(0o755)
    (repo.top / "link").symlink_to("docs/roadmap/ROADMAP.md")
    (repo.top / ".gitattributes").write_text("* text eol=crlf\n")
    git(repo.top, "-c", "core.autocrlf=false", "add", "--all")
    git(repo.top, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    git(repo.top, "commit", "-q", "-m", "x")
    return Sha(git(repo.top, "rev-parse", "HEAD^{tree}"))


@pytest.mark.parametrize("path", PATHS)
def test_one_file_is_replaced_to_the_byte(repo: Repo, tree: Sha, path: str) -> None:
    """No filter touches the bytes, its mode stays, and no other path differs."""
    data = b"three\r\n\0no end"
    made = replace_blob(repo, tree, path, data)
    before, after = find_blob(repo, tree, path), find_blob(repo, made, path)
    assert before and after
    assert (after.mode, after.kind, after.name) == (before.mode, "blob", os.fsencode(path.rpartition("/")[2]))
    assert repo.objects("cat-file", "blob", after.sha).out == data
    assert repo.objects("diff-tree", "-r", "-z", "--name-only", tree, made).records == [path]


def test_nothing_changes_when_the_bytes_are_the_same(repo: Repo, tree: Sha) -> None:
    """Writing what is there gives the very same tree."""
    entry = find_blob(repo, tree, PATHS[0])
    assert entry
    assert replace_blob(repo, tree, PATHS[0], repo.objects("cat-file", "blob", entry.sha).out) == tree


@pytest.mark.parametrize("path", ["nosuch", "docs", "link", "sub", "run/x", "docs/roadmap", "link/x", "", "docs//x"])
def test_only_a_regular_file_is_replaced(repo: Repo, tree: Sha, path: str) -> None:
    """Nothing is made where nothing is, and no folder, link or submodule turns into a file."""
    with pytest.raises(KeyError):
        replace_blob(repo, tree, path, b"x")


def test_many_files_are_replaced_in_three_processes(repo: Repo, tree: Sha) -> None:
    """Each in the tree it was asked for, as if alone; where there is no such file there is no tree."""
    wanted = [(tree, path, f"{number}\r\n".encode()) for number, path in enumerate([*PATHS, "nosuch", PATHS[0]])]
    calls: list[object] = []
    trace.append(calls.append)
    try:
        made = replace_blobs(repo, wanted)
    finally:
        trace.remove(calls.append)
    assert len(calls) == 3
    assert made[-2] is None
    assert [each for each in made if each] == [replace_blob(repo, *each) for each in wanted if each[1] != "nosuch"]
    assert replace_blobs(repo, []) == []


def test_finding(repo: Repo, tree: Sha) -> None:
    """Folders, links and submodules are found as what they are; links are not followed."""
    kinds = {"docs": "tree", "link": "blob", "sub": "commit", "run": "blob"}
    found = {path: find_blob(repo, tree, path) for path in kinds}
    assert {path: entry and entry.kind for path, entry in found.items()} == kinds
    missing = ("nosuch", "link/x", "sub/x", "run/x", "", "docs//roadmap", "../docs", "/docs")
    assert [find_blob(repo, tree, path) for path in missing] == [None] * len(missing)


def test_an_unknown_tree_is_an_error(repo: Repo) -> None:
    """A missing tree is not an empty one."""
    with pytest.raises(GitFailed):
        list_tree(repo, "1" * 40)
    with pytest.raises(GitFailed):
        list_tree(repo, "--name-only")
