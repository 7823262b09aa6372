"""The target's committed attributes decide a merge, for one and for many alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.base.attributes import attribute_files, with_attributes_of
from coffee_hooks.base.git import Repo
from coffee_hooks.base.merge_tree import merge_tree, merge_trees
from coffee_hooks.base.model import Sha

Git = Callable[..., str]


def commit(repo: Repo, git: Git, parent: str | None, files: dict[str, str], mode: str = "100644") -> Sha:
    """A commit with *files* put into the tree of *parent*."""
    git(repo.top, "read-tree", *([parent] if parent else ["--empty"]))
    for path, text in files.items():
        blob = git(repo.top, "hash-object", "-w", "--stdin", input=text)
        git(repo.top, "update-index", "--add", "--cacheinfo", f"{mode},{blob},{path}")
    tree = git(repo.top, "write-tree")
    git(repo.top, "read-tree", "roadmap")
    return Sha(git(repo.top, "commit-tree", *(["-p", parent] if parent else []), "-m", "x", tree))


def test_nested_attributes_of_the_target_count(repo: Repo, git: Git) -> None:
    """Two files of attributes at two depths, seen by one merge and by many; without them there are two conflicts."""
    rules = {".gitattributes": "log merge=union\n", "docs/deep/.gitattributes": "log merge=union\n"}
    base = commit(repo, git, None, {**rules, "log": "0\n", "docs/deep/log": "0\n", "my.gitattributes": "* -merge\n"})
    sides = [commit(repo, git, base, {"log": f"0\n{n}\n", "docs/deep/log": f"0\n{n}\n"}) for n in (1, 2)]
    assert merge_tree(repo, *sides).conflicts == ("docs/deep/log", "log")
    assert attribute_files(repo, base).keys() == rules.keys()
    there = with_attributes_of(repo, base)
    merged = merge_tree(there, *sides)
    assert (merged.clean, git(repo.top, "show", f"{merged.tree}:docs/deep/log")) == (True, "0\n1\n2")
    assert merge_trees(there, [tuple(sides)]) == [merged]
    assert with_attributes_of(repo, sides[0]).scratch == there.scratch


def test_without_attributes_nothing_changes(repo: Repo) -> None:
    """No folder is made for a target that has none."""
    head = Sha(repo.objects("rev-parse", "roadmap").text)
    assert with_attributes_of(repo, head).scratch == repo.scratch


def test_attributes_that_no_merge_asks_for_are_left_out(repo: Repo, git: Git) -> None:
    """Line ends, filters and diff drivers change no merge; a macro may mean anything, so then every file counts."""
    rules = {".gitattributes": "* text=auto eol=lf\n*.py diff=python\n*.bin filter=lfs -text\n"}
    assert with_attributes_of(repo, commit(repo, git, "roadmap", rules)).scratch == repo.scratch
    there = with_attributes_of(repo, commit(repo, git, "roadmap", {**rules, "a/.gitattributes": "*.po -merge\n"}))
    assert sorted(path.name for path in there.scratch.iterdir()) == ["a"]
    macro = {".gitattributes": "[attr]mine merge=union\n", "a/.gitattributes": "log mine\n"}
    base = commit(repo, git, None, {**macro, "a/log": "0\n"})
    sides = [commit(repo, git, base, {"a/log": f"0\n{n}\n"}) for n in (1, 2)]
    assert merge_tree(with_attributes_of(repo, base), *sides).clean


@pytest.mark.parametrize("rule", ["* binary", "* -merge", "* merge=union", "* conflict-marker-size=9"])
def test_attributes_that_a_merge_asks_for_are_kept(repo: Repo, git: Git, rule: str) -> None:
    """Each changes the tree of a merge in which both sides change a file."""
    base = commit(repo, git, None, {".gitattributes": rule + "\n", "a": "0\n"})
    sides = [commit(repo, git, base, {"a": f"{n}\n"}) for n in (1, 2)]
    assert merge_tree(with_attributes_of(repo, base), *sides).tree != merge_tree(repo, *sides).tree


def test_symbolic_links_do_not_count(repo: Repo, git: Git) -> None:
    """git reads no attributes through a link, so neither do we."""
    assert attribute_files(repo, commit(repo, git, "roadmap", {".gitattributes": "/etc/passwd"}, "120000")) == {}


@pytest.mark.parametrize("folder", ["..", ".git"])
def test_a_tree_made_by_hand_writes_nowhere_else(repo: Repo, git: Git, folder: str) -> None:
    """Trees can spell paths that lead out of a checkout; such a file is not written anywhere."""
    blob = git(repo.top, "hash-object", "-w", "--stdin", input="* merge=union\n")
    inner = git(repo.top, "mktree", input=f"100644 blob {blob}\t.gitattributes\n")
    outer = git(repo.top, "mktree", input=f"040000 tree {inner}\t{folder}\n")
    hostile = Sha(git(repo.top, "commit-tree", "-m", "x", outer))
    before = sorted(Path(repo.state_dir.parent).rglob(".gitattributes"))
    assert with_attributes_of(repo, hostile).scratch == repo.scratch
    assert sorted(Path(repo.state_dir.parent).rglob(".gitattributes")) == before
