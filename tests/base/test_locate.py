"""Finding the repository by reading files says what git says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.locate import find_common_dir

Git = Callable[..., str]


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """A repository with one commit and a folder ``a/b``."""
    top = tmp_path / "répo one"
    git(tmp_path, "init", "-q", str(top))
    git(top, "commit", "-q", "--allow-empty", "-m", "start")
    (top / "a/b").mkdir(parents=True)
    return top


def says_git(git: Git, where: Path) -> Path:
    """The common directory according to git itself."""
    return Path(git(where, "rev-parse", "--path-format=absolute", "--git-common-dir"))


def test_every_folder_of_a_checkout_leads_to_its_git_directory(repository: Path, git: Git) -> None:
    """The top, a folder below it and the inside of .git give the directory that git names."""
    for where in (repository, repository / "a/b", repository / ".git", repository / ".git/hooks"):
        assert find_common_dir(where) == says_git(git, where)


def test_linked_worktrees_share_the_directory_of_the_main_one(repository: Path, git: Git) -> None:
    """A linked worktree leads to the common directory, not to its own private one."""
    linked = repository.parent / "wt1"
    git(repository, "worktree", "add", "-q", str(linked))
    assert find_common_dir(linked) == repository / ".git" == says_git(git, linked)


def test_a_git_file_may_be_relative(repository: Path, git: Git) -> None:
    """A relative gitdir counts from the folder of the .git file, whatever the current folder is."""
    linked = repository.parent / "wt1"
    git(repository, "worktree", "add", "-q", str(linked))
    (linked / ".git").write_text(f"gitdir: ../{repository.name}/.git/worktrees/wt1\n")
    assert find_common_dir(linked) == repository / ".git"


def test_submodules_and_separate_directories_are_followed(repository: Path, git: Git, tmp_path: Path) -> None:
    """A .git file that names a whole repository leads there."""
    git(tmp_path, "init", "-q", "--separate-git-dir", str(tmp_path / "elsewhere"), str(tmp_path / "split"))
    assert find_common_dir(tmp_path / "split") == tmp_path / "elsewhere"
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repository), "sub")
    assert find_common_dir(repository / "sub") == says_git(git, repository / "sub")


def test_the_environment_is_not_asked(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIT_DIR and GIT_COMMON_DIR, which a hook inherits, do not lead to another repository."""
    git(tmp_path, "init", "-q", str(tmp_path / "other"))
    for name in ("GIT_DIR", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "other/.git"))
    assert find_common_dir(repository) == repository / ".git"


def test_a_bare_repository_is_refused_but_its_worktrees_are_fine(repository: Path, git: Git, tmp_path: Path) -> None:
    """Inside a bare repository there is no checkout to work in; a worktree of it has one."""
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    for where in (bare, bare / "refs/heads"):
        with pytest.raises(UsageError, match="bare repository"):
            find_common_dir(where)
    git(bare, "worktree", "add", "-q", "-b", "x", str(tmp_path / "wt"))
    assert find_common_dir(tmp_path / "wt") == bare


def test_an_empty_git_folder_is_passed_over(repository: Path) -> None:
    """Like git, a folder .git that is no repository does not hide the one above."""
    (repository / "a/.git").mkdir()
    assert find_common_dir(repository / "a/b") == repository / ".git"


def test_outside_of_a_repository_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No repository, a missing folder and a removed current folder are usage errors with a hint."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for start, said in ((tmp_path, "not a git repository"), (tmp_path / "no", "no folder"), (Path(), "no folder")):
        with pytest.raises(UsageError, match=said) as caught:
            find_common_dir(start)
        assert caught.value.hint
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"nonsense\n", "not a git file"), (b"gitdir: /nowhere/at/all\n", "is gone"), (b"\xff\xfe", "not a git file")],
)
def test_a_broken_git_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """A damaged pointer is reported as itself instead of finding some repository further up."""
    (tmp_path / ".git").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        find_common_dir(tmp_path)
