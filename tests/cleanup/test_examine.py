"""What would be lost with the folder: every place where work can hide from git status."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.worktrees import list_worktrees
from coffee_hooks.cleanup.examine import examine
from coffee_hooks.cleanup.values import Outcome, Tree, Waive
from coffee_hooks.state.graveyard import read_graves

if TYPE_CHECKING:
    from conftest import Git, Yard

PRECIOUS = (".env*", "*.local", "*.db", "secrets/*.key")


def look(yard: Yard, number: int = 1) -> Tree:
    """Examine the worktree of branch *number*."""
    repo = yard.project.repo
    worktrees = list_worktrees(repo)
    (mine,) = [w for w in worktrees if w.path == yard.tree(number)]
    return examine(repo, mine, [w.path for w in worktrees], PRECIOUS)


def write(path: Path, text: str = "x\n") -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_fresh_worktree_is_clean(yard: Yard) -> None:
    """Nothing to lose, nothing found."""
    yard.agent(1)
    assert look(yard) == Tree()
    assert look(yard).clean


def test_tracked_staged_deleted_and_untracked_work_counts(yard: Yard, git: Git) -> None:
    """Every kind of change is named, also with hostile names and in folders that are new."""
    tree = yard.agent(1)
    write(tree / "pkg/new1.py", "edited\n")
    write(tree / "staged.py")
    git(tree, "add", "staged.py")
    (tree / "pkg/__init__.py").unlink()
    write(tree / "deep/er/un\ntracked -> x.txt")
    git(tree, "mv", "tests/__init__.py", "moved.py")
    assert set(look(yard).dirty) == {
        "pkg/new1.py", "staged.py", "pkg/__init__.py", "deep/er/un\ntracked -> x.txt", "tests/__init__.py", "moved.py",
    }  # fmt: skip


def test_status_settings_of_the_user_hide_nothing(yard: Yard, git: Git) -> None:
    """status.showUntrackedFiles=no and submodule.ignore=all are for the eyes of people."""
    tree = yard.agent(1)
    git(yard.work, "config", "status.showUntrackedFiles", "no")
    write(tree / "note.txt")
    assert look(yard).dirty == ("note.txt",)


def test_ignored_files_count_only_when_precious(yard: Yard) -> None:
    """Build output goes; what cleanup.precious names stays, also deep inside ignored folders."""
    tree = yard.agent(1)
    yard.ignore("build/", "*.pyc", ".env*", "*.db", "secrets/")
    for name in ("build/out.o", "x.pyc", ".env", ".env.d/token", "build/cache/prod.db", "secrets/a.key", "secrets/b"):
        write(tree / name)
    found = look(yard)
    assert found.dirty == ()
    assert set(found.precious) == {".env", ".env.d/token", "build/cache/prod.db", "secrets/a.key"}


def test_the_cache_of_an_agent_is_nobodys_work(yard: Yard) -> None:
    """aider keeps a database in the worktree: it looks precious, and would keep every worktree of it."""
    tree = yard.agent(1)
    yard.ignore(".aider*", "*.db")
    for name in (".aider.tags.cache.v4/cache.db", "pkg/.aider.tags.cache.v4/real.db", ".aider.db"):
        write(tree / name)
    assert set(look(yard).precious) == {"pkg/.aider.tags.cache.v4/real.db", ".aider.db"}


def test_a_copy_counts_only_when_it_was_changed(yard: Yard) -> None:
    """Archon PR#3025: .env files are copied in. Unchanged copies go with the worktree, edited ones hold work."""
    tree = yard.agent(1)
    yard.ignore(".env", "settings.ini", "link.local")
    same = hashlib.sha256(b"A=1\n").hexdigest()
    yard.copied(tree, {".env": same, "settings.ini": same, "../../etc/passwd": same, "link.local": same, "gone": same})
    write(tree / ".env", "A=1\n")
    write(tree / "settings.ini", "A=2\n")
    (tree / "link.local").symlink_to(tree / ".env")
    assert set(look(yard).precious) == {"settings.ini", "link.local"}


def test_a_copy_that_git_no_longer_ignores_is_still_a_copy(yard: Yard) -> None:
    """The branch changed .gitignore: an unchanged copy is no untracked work."""
    tree = yard.agent(1)
    yard.copied(tree, {"my.conf": hashlib.sha256(b"A=1\n").hexdigest()})
    write(tree / "my.conf", "A=1\n")
    assert look(yard).clean
    write(tree / "my.conf", "A=2\n")
    assert look(yard).dirty == ("my.conf",)


@pytest.mark.parametrize("text", ["", "[]", '{"files": 3}', '{"files": {".env": 3}}', "\x00"])
def test_a_broken_record_of_copies_means_nothing_was_copied(yard: Yard, text: str) -> None:
    """Unknown is not "ours": without a record every precious file counts."""
    tree = yard.agent(1)
    yard.ignore(".env")
    write(tree / ".env")
    (yard.git_dir(tree) / "coffee-copied.json").write_text(text)
    assert look(yard).precious == (".env",)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_edits_that_the_index_hides_count(yard: Yard, git: Git, flag: str) -> None:
    """assume-unchanged and skip-worktree hide edits from git status and from git worktree remove."""
    tree = yard.agent(1)
    git(tree, "update-index", flag, "pkg/new1.py")
    assert look(yard).clean
    write(tree / "pkg/new1.py", "edited\n")
    found = look(yard)
    assert (found.dirty, found.hidden) == ((), ("pkg/new1.py",))
    assert not found.clean


def test_a_sparse_checkout_is_clean(yard: Yard, git: Git) -> None:
    """Files that are absent on purpose are no deletions."""
    tree = yard.agent(1)
    git(tree, "sparse-checkout", "set", "pkg")
    assert not (tree / "docs").exists()
    assert look(yard).clean


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("BISECT_START", "bisect"),
        ("sequencer", "cherry-pick"),
        ("index.lock", "git command"),
    ],
)
def test_an_operation_in_progress_counts(yard: Yard, name: str, words: str) -> None:
    """git worktree remove works in the middle of a rebase once the tree is clean; we do not."""
    tree = yard.agent(1)
    place = yard.git_dir(tree) / name
    if name in ("rebase-merge", "rebase-apply", "sequencer"):
        place.mkdir()
    else:
        place.write_text("")
    assert words in str(look(yard).in_progress)


def test_another_repository_inside_is_never_removed(yard: Yard, git: Git) -> None:
    """An agent cloned something into its worktree: no commit of ours could keep it, so no flag waives it."""
    tree = yard.landed(1)
    git(tree, "init", "-q", "nested")
    write(tree / "nested/work.txt")
    found = look(yard)
    assert found.unsavable == ("nested/ is another repository",)
    assert yard.one(1, Waive.DIRTY | Waive.UNMERGED).outcome is Outcome.KEPT_DIRTY
    assert (tree / "nested/work.txt").is_file()


def test_a_repository_in_an_ignored_folder_is_kept_while_it_holds_work(yard: Yard, git: Git) -> None:
    """git status does not look into it. What exists elsewhere goes; commits, edits and precious files do not."""
    tree = yard.agent(1)
    yard.ignore("build/", "*.db")
    inner = tree / "build/src"
    git(yard.work, "clone", "-q", str(yard.work), str(inner))
    assert look(yard).clean
    write(inner / "note.txt")
    assert look(yard).unsavable == ("build/src/ is another repository, with uncommitted work",)
    git(inner, "add", "note.txt")
    git(inner, "commit", "-qm", "docs: Note")
    assert look(yard).unsavable == ("build/src/ is another repository, with commits that exist nowhere else",)
    git(inner, "push", "-q", "origin", "HEAD:refs/heads/elsewhere")
    assert look(yard).clean
    write(inner / "prod.db")
    (inner / ".git/info/exclude").write_text("*.db\n")
    assert look(yard).unsavable == ("build/src/ is another repository, with prod.db in it",)


def test_a_worktree_inside_a_worktree_is_not_taken_along(yard: Yard, git: Git) -> None:
    """phoenix#338: trees nested in trees. Removing the outer one must not remove the inner one."""
    tree = yard.landed(1)
    yard.ignore(".inner/")
    git(yard.work, "worktree", "add", "-q", "-b", "roadmap-inner", str(tree / ".inner/wt"))
    kept = yard.one(1, Waive.DIRTY)
    assert kept.outcome is Outcome.KEPT_DIRTY
    assert ".inner/wt" in kept.detail


def test_a_broken_worktree_is_kept(yard: Yard) -> None:
    """A git error is no answer, least of all "clean"."""
    tree = yard.landed(1)
    (yard.git_dir(tree) / "index").write_bytes(b"not an index")
    kept = yard.one(1, Waive.DIRTY | Waive.UNMERGED)
    assert kept.outcome is Outcome.KEPT_DIRTY
    assert "git cannot read it" in kept.detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_folder_that_cannot_be_read_is_kept(yard: Yard) -> None:
    """git status only warns about it, and what is in it stays unseen."""
    tree = yard.agent(1)
    write(tree / "closed/work.txt")
    (tree / "closed").chmod(0)
    try:
        assert "closed" in str(look(yard).unsavable)
    finally:
        (tree / "closed").chmod(0o755)


@pytest.fixture
def with_submodule(yard: Yard, git: Git, tmp_path: Path) -> Path:
    """A landed worktree with an initialised submodule ``lib``; returns the worktree."""
    git(yard.work, "config", "--global", "protocol.file.allow", "always")
    git(tmp_path, "init", "-q", "lib")
    git(tmp_path / "lib", "commit", "-q", "--allow-empty", "-m", "lib")
    git(yard.work, "submodule", "--quiet", "add", str(tmp_path / "lib"), "lib")
    git(yard.work, "commit", "-q", "-m", "feat: Add lib")
    tree = yard.agent(1)
    git(tree, "submodule", "--quiet", "update", "--init")
    yard.land(1, push=True)
    return tree


def test_a_worktree_with_a_clean_submodule_goes(yard: Yard, with_submodule: Path) -> None:
    """worktrunk PR#1196: git worktree remove refuses any submodule; ours goes when nothing in it is unpublished."""
    assert look(yard).clean
    assert yard.one(1).outcome is Outcome.REMOVED
    assert not with_submodule.exists()


def test_commits_that_only_the_submodule_has_are_kept(yard: Yard, git: Git, with_submodule: Path) -> None:
    """taskplane#517: the merged pointer named a commit that never left the worktree and was removed with it."""
    git(with_submodule / "lib", "switch", "-q", "-c", "fix")
    git(with_submodule / "lib", "commit", "-q", "--allow-empty", "-m", "only here")
    git(with_submodule / "lib", "switch", "-q", "--detach", "HEAD~1")
    found = look(yard)
    assert found.unsavable == ("the submodule lib has commits that exist nowhere else",)
    assert yard.one(1, Waive.DIRTY | Waive.UNMERGED).outcome is Outcome.KEPT_DIRTY


def test_uncommitted_work_in_a_submodule_is_kept(yard: Yard, with_submodule: Path) -> None:
    """A commit of the outer repository cannot hold the inner one's files."""
    write(with_submodule / "lib/new.txt")
    assert look(yard).unsavable == ("the submodule lib has uncommitted work",)


def test_a_vanished_folder_may_still_have_staged_work(yard: Yard, git: Git) -> None:
    """gastown PR#3203: /tmp is emptied. What was staged is only in the index; it is parked before that goes."""
    tree = yard.landed(1)
    write(tree / "staged.py", "s = 1\n")
    git(tree, "add", "staged.py")
    tree.rename(tree.with_name("elsewhere"))
    assert look(yard) == Tree(dirty=("staged.py",))
    assert yard.one(1).outcome is Outcome.KEPT_DIRTY
    assert yard.one(1, Waive.DIRTY).outcome is Outcome.REMOVED
    (grave,) = read_graves(yard.project.repo)
    assert git(yard.work, "show", f"{grave.dirty}:staged.py") == "s = 1"
    assert (tree.with_name("elsewhere") / "staged.py").is_file()
