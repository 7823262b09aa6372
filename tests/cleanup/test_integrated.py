"""Is a branch in the target? Each way to be sure, and what only looks like one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.git import trace
from coffee_hooks.base.model import Sha
from coffee_hooks.cleanup.integrated import integrated
from coffee_hooks.cleanup.values import Integration

if TYPE_CHECKING:
    from conftest import Git, Yard

A = {"pkg/a.py": "a = 1\n", "pkg/b.py": "b = 1\n"}


def ask(yard: Yard, *tips: str) -> list[Integration | None]:
    """What :func:`integrated` says about the commits, against the local target."""
    target = Sha(yard.git(yard.work, "rev-parse", "roadmap"))
    found = integrated(yard.project.repo, target, [Sha(tip) for tip in tips])
    return [found.get(Sha(tip)) for tip in tips]


def pick(yard: Yard, git: Git, branch: str) -> None:
    """Squash-merge *branch* into the target, as a host's button does."""
    git(yard.work, "merge", "-q", "--squash", branch)
    git(yard.work, "commit", "-q", "-m", f"feat: {branch} (#1)")


def test_a_merged_branch_is_an_ancestor(yard: Yard) -> None:
    """The plain case: the target contains the commits."""
    yard.agent(1)
    tip = yard.land(1)
    assert ask(yard, tip) == [Integration.ANCESTOR]


def test_an_unmerged_branch_is_not_integrated(yard: Yard) -> None:
    """Own work that the target lacks keeps a branch."""
    tip = yard.box.branch("roadmap-wt1", A)
    assert ask(yard, tip) == [None]


def test_the_same_files_by_another_history(yard: Yard, git: Git) -> None:
    """Unrelated history, identical tree: nothing is missing from the target."""
    other = git(yard.work, "commit-tree", "roadmap^{tree}", "-m", "orphan")
    assert ask(yard, other) == [Integration.SAME_TREE]


def test_a_squash_merge_adds_nothing(yard: Yard, git: Git) -> None:
    """worktrunk#1818, claude-code#88239: a squash-merged branch looks unmerged to git branch --merged."""
    yard.box.branch("roadmap-wt1", A)
    tip = yard.box.branch("roadmap-wt1", {"pkg/a.py": "a = 2\n"})
    pick(yard, git, "roadmap-wt1")
    yard.box.commit({"other.py": "o = 1\n"})
    assert ask(yard, tip) == [Integration.ADDS_NOTHING]


def test_a_squash_merge_that_was_built_upon_is_found_by_its_patch(yard: Yard, git: Git) -> None:
    """The target changed the same lines again after the squash: a trial merge conflicts, the patch is still there."""
    yard.box.branch("roadmap-wt1", A)
    tip = yard.box.branch("roadmap-wt1", {"pkg/a.py": "a = 2\n"})
    pick(yard, git, "roadmap-wt1")
    yard.box.commit({"pkg/a.py": "a = 3\n"})
    assert ask(yard, tip) == [Integration.SQUASHED]


def test_a_squash_of_a_branch_that_had_merged_the_target(yard: Yard, git: Git) -> None:
    """The patch counts from where the branch last met the target, not from where it started."""
    yard.box.branch("roadmap-wt1", A)
    yard.box.commit({"pkg/a.py": "theirs = 1\n"})
    git(yard.work, "switch", "-q", "roadmap-wt1")
    git(yard.work, "merge", "-q", "-X", "ours", "-m", "sync", "roadmap")
    yard.box.commit({"pkg/a.py": "a = 9\n"})
    tip = git(yard.work, "rev-parse", "HEAD")
    git(yard.work, "switch", "-q", "roadmap")
    pick(yard, git, "roadmap-wt1")
    yard.box.commit({"pkg/a.py": "a = 10\n"})
    assert ask(yard, tip) == [Integration.SQUASHED]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param("if a:\n    b()\n    c()\n", "if a:\n    b()\nc()\n", id="whitespace"),
        pytest.param("\x00mine", "\x00theirs", id="binary"),
        pytest.param("a = 1\n", "a = 2\n", id="content"),
    ],
)
def test_what_only_looks_like_the_same_patch(yard: Yard, mine: str, theirs: str) -> None:
    """git-patch-id ignores whitespace and the bytes of binary files; in code either is the work."""
    tip = yard.box.branch("roadmap-wt1", {"pkg/x.bin": mine})
    yard.box.commit({"pkg/x.bin": theirs})
    yard.box.commit({"pkg/x.bin": "third\n"})
    assert ask(yard, tip) == [None]


def test_a_patch_that_landed_before_the_branch_began_proves_nothing(yard: Yard, git: Git) -> None:
    """Landed once, reverted, done again on a new branch: the new work is not in the target."""
    yard.box.commit({"pkg/a.py": "a = 1\n"})
    git(yard.work, "revert", "--no-edit", "HEAD")
    tip = yard.box.branch("roadmap-wt1", {"pkg/a.py": "a = 1\n"})
    yard.box.commit({"pkg/a.py": "something = 'else'\n"})
    assert ask(yard, tip) == [None]


def test_a_partly_picked_branch_is_kept(yard: Yard, git: Git) -> None:
    """One of two commits in the target is not the branch in the target."""
    first = yard.box.branch("roadmap-wt1", {"pkg/a.py": "a = 1\n"})
    tip = yard.box.branch("roadmap-wt1", {"pkg/b.py": "b = 1\n"})
    git(yard.work, "cherry-pick", first)
    assert ask(yard, tip, first) == [None, Integration.SAME_TREE]


def test_unreadable_commits_are_not_integrated(yard: Yard) -> None:
    """A commit that is not there, and one with a tree that is not there: unsure means keep."""
    lost = "1" * 40
    parent = yard.git(yard.work, "rev-parse", "roadmap")
    text = f"tree {lost}\nparent {parent}\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n"
    broken = yard.git(yard.work, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", input=text)
    good = yard.box.branch("roadmap-wt1", {"pkg/a.py": "a = 1\n"})
    assert ask(yard, lost, broken, good) == [None, None, None]


def test_the_number_of_processes_does_not_grow(yard: Yard, git: Git) -> None:
    """One branch or thirty: the same six processes."""
    tips = [yard.box.branch(f"roadmap-wt{n}", {f"pkg/n{n}.py": f"n = {n}\n"}) for n in range(30)]
    pick(yard, git, "roadmap-wt7")
    yard.box.commit({"pkg/n7.py": "n = 'later'\n"})
    repo, target = yard.project.repo, Sha(git(yard.work, "rev-parse", "roadmap"))
    calls: list[object] = []
    trace.append(calls.append)
    try:
        integrated(repo, target, [Sha(tips[7])])
        few = len(calls)
        found = integrated(repo, target, [Sha(tip) for tip in tips])
    finally:
        trace.remove(calls.append)
    assert found == {Sha(tips[7]): Integration.SQUASHED}
    assert (few, len(calls) - few) == (6, 6)


ROADMAP = "docs/roadmap/ROADMAP.md"


def test_a_squash_whose_item_went_on_in_the_roadmap_adds_nothing(yard: Yard, git: Git) -> None:
    """git sees a conflict in the status line, its items merge: as for a landing, the later status holds."""
    text = (yard.work / ROADMAP).read_text()
    tip = yard.box.branch("roadmap-wt1", {**A, ROADMAP: text.replace("📝 Planned", "🔄 In Progress", 2)})
    yard.box.commit({**A, ROADMAP: text.replace("📝 Planned", "✅ Complete", 2), "other.py": "o = 1\n"})
    target, repo = Sha(git(yard.work, "rev-parse", "roadmap")), yard.project.repo
    assert integrated(repo, target, [Sha(tip)], (ROADMAP,)) == {Sha(tip): Integration.ADDS_NOTHING}
    assert integrated(repo, target, [Sha(tip)], ("ROADMAP.md", ROADMAP)) == {Sha(tip): Integration.ADDS_NOTHING}
    assert integrated(repo, target, [Sha(tip)], ("ROADMAP.md",)) == {}
