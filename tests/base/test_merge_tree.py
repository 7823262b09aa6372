"""Merges in the object database: clean, conflict and "git could not say" are three different answers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base import parts
from coffee_hooks.base.git import ABSENT, GitFailed, Repo
from coffee_hooks.base.merge_tree import Merged, merge_in_one_process, merge_tree, merge_trees, parse_merge_records
from coffee_hooks.base.model import Sha

Git = Callable[..., str]
Commit = Callable[[Mapping[str, str]], Sha]
NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name).map(os.fsdecode)
TREES = st.text("0123456789abcdef", min_size=40, max_size=40).map(Sha)
RECORDS = st.lists(
    st.one_of(
        st.builds(Merged, TREES, st.just(True), st.just(())),
        st.builds(Merged, TREES, st.just(False), st.lists(NAMES, max_size=4, unique=True).map(tuple)),
    ),
    max_size=6,
)


@pytest.fixture
def commit(repo: Repo, git: Git) -> Commit:
    """``commit({path: text}) -> Sha``: a child of the first commit with these files put into its tree."""

    def make(files: Mapping[str, str]) -> Sha:
        git(repo.top, "read-tree", "roadmap")
        for path, text in files.items():
            blob = git(repo.top, "hash-object", "-w", "--stdin", input=text)
            git(repo.top, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        tree = git(repo.top, "write-tree")
        git(repo.top, "read-tree", "roadmap")
        return Sha(git(repo.top, "commit-tree", "-p", "roadmap", "-m", "x", tree))

    return make


def test_a_clean_merge_is_the_tree_of_both(repo: Repo, git: Git, commit: Commit) -> None:
    """Files of both sides are in the tree, and nothing was checked out or moved."""
    merged = merge_tree(repo, commit({"b": "b\n"}), commit({"c": "c\n"}))
    assert (merged.clean, merged.conflicts) == (True, ())
    assert git(repo.top, "ls-tree", "--name-only", merged.tree).split() == ["a.txt", "b", "c"]
    assert git(repo.top, "status", "--porcelain") == ""


ODD = ['quo"te', "new\nline", "$(x)", "-n", "ünï ☕", "caf\udce9", "y" * 200, "dir/" + "z" * 200, "tab\t"]


def test_conflicts_name_the_paths_as_they_are(repo: Repo, commit: Commit) -> None:
    """Odd names of conflicting files come back unquoted, from one merge and from many alike."""
    ours, theirs = (commit(dict.fromkeys(ODD, text)) for text in ("x\n", "y\n"))
    merged = merge_tree(repo, ours, theirs)
    assert not merged.clean
    assert set(merged.conflicts) == set(ODD)
    assert merge_trees(repo, [(ours, theirs)]) == [merged]


def test_many_merges_equal_one_at_a_time(repo: Repo, git: Git, commit: Commit) -> None:
    """Clean, conflicting and unreadable pairs in any order each get their own answer."""
    one, two, other = commit({"b": "1\n"}), commit({"b": "2\n"}), commit({"c": "3\n"})
    tree, foreign = Sha(git(repo.top, "rev-parse", f"{one}^{{tree}}")), Sha("1" * 40)
    pairs = [(one, two), (foreign, one), (one, other), (tree, one), (one, one), (two, one), (one, ABSENT)]
    answers = merge_trees(repo, pairs)
    assert [answer and answer.clean for answer in answers] == [False, None, True, None, True, False, None]
    for pair, answer in zip(pairs, answers, strict=True):
        if answer is None:
            with pytest.raises(GitFailed):
                merge_tree(repo, *pair)
        else:
            assert merge_tree(repo, *pair) == answer
    assert merge_trees(repo, []) == []


def test_merges_shared_out_keep_their_order(repo: Repo, commit: Commit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes side by side, with pairs that git cannot read at both ends of a part, say what one says."""
    monkeypatch.setattr(parts, "processors", lambda: 4)
    sides = [commit({"b": f"{number}\n"}) for number in range(4)]
    pairs = [(a, b) for a in sides for b in sides] * (parts.LEAST_IN_PART // 4)
    for at in (0, len(pairs) // 4 - 1, len(pairs) // 4, len(pairs) - 1):
        pairs[at] = (sides[0], ABSENT)
    answers = merge_trees(repo, pairs)
    assert answers == merge_in_one_process(repo, pairs)
    assert [answer and answer.clean for answer in answers] == [None if ABSENT in (a, b) else a == b for a, b in pairs]


def test_an_error_is_not_a_conflict(repo: Repo, git: Git, commit: Commit) -> None:
    """Unrelated histories, a missing commit, a tree for a commit and a lost blob are errors of git."""
    ours = commit({"b": "1\n"})
    tree = git(repo.top, "rev-parse", f"{ours}^{{tree}}")
    unrelated = Sha(git(repo.top, "commit-tree", "-m", "x", tree))
    lost, theirs = commit({"lost": "1\n"}), commit({"lost": "2\n"})
    name = git(repo.top, "rev-parse", f"{lost}:lost")
    (repo.common_dir / "objects" / name[:2] / name[2:]).unlink()
    for pair in ((ours, unrelated), (ours, Sha("1" * 40)), (ours, Sha(tree)), (lost, theirs)):
        with pytest.raises(GitFailed):
            merge_tree(repo, *pair)
        assert merge_trees(repo, [pair]) == [None]


def test_what_lies_in_the_checkout_changes_no_verdict(repo: Repo, commit: Commit) -> None:
    """An uncommitted ``.gitattributes`` of the user, which could turn a conflict into a union, is not looked at."""
    ours, theirs = commit({"b": "1\n"}), commit({"b": "2\n"})
    (repo.top / ".gitattributes").write_text("* merge=union\n")
    assert not merge_tree(repo, ours, theirs).clean


@given(RECORDS)
def test_records_are_read_back(records: list[Merged]) -> None:
    """Whatever git could say is read as it was meant, and a cut anywhere loses only what is not complete."""
    texts = [
        b"%d\0%b\0%b\0" % (r.clean, r.tree.encode(), b"".join(os.fsencode(p) + b"\0" for p in r.conflicts))
        for r in records
    ]
    whole = b"".join(texts)
    ends = [len(b"".join(texts[: n + 1])) for n in range(len(texts))]
    for cut in {len(whole), *(end - back for end in ends for back in range(1, 44)), *range(0, len(whole), 7)}:
        assert parse_merge_records(whole[:cut]) == records[: sum(end <= cut for end in ends)]
