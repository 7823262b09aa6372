"""Which ignored files go along into a worktree, and how they are written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from coffee_hooks.spawn.copies import RECORD, Copies, choose_copies, copy_into

Git = Callable[..., str]


@pytest.fixture
def main(tmp_path: Path, git: Git) -> Path:
    """A checkout that ignores ``.env*``, ``*.local`` and ``cache/``."""
    folder = tmp_path / "main"
    git(tmp_path, "init", "-q", str(folder))
    (folder / ".gitignore").write_text(".env*\n*.local\ncache/\n.trees/\n")
    (folder / "tracked").write_text("x")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "start")
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """An empty folder that plays the worktree; its git folder is ``.git`` in it."""
    (tmp_path / "tree/.git").mkdir(parents=True)
    return tmp_path / "tree"


def put(main: Path, *names: str) -> None:
    """Make files that hold their own name."""
    for name in names:
        (main / name).parent.mkdir(parents=True, exist_ok=True)
        (main / name).write_text(name)


def test_env_is_copied_when_it_is_ignored(main: Path) -> None:
    """Ten live worktrees and none had an .env (coleam00/Archon PR#3025): it is chosen; a missing one is no matter."""
    put(main, ".env")
    assert choose_copies(main, [".env", ".env.test"]) == Copies((".env",), ())


def test_a_file_that_git_would_show_is_refused(main: Path) -> None:
    """An agent that adds everything would commit the secret: named, not ignored, said."""
    put(main, "secret")
    assert choose_copies(main, ["secret"]) == Copies((), ("secret: not ignored by git, add it to .gitignore",))


def test_without_a_gitignore_nothing_is_copied(main: Path) -> None:
    """A repository that ignores nothing: .env is refused, with what to do."""
    (main / ".gitignore").unlink()
    put(main, ".env")
    assert choose_copies(main, [".env"]).refused == (".env: not ignored by git, add it to .gitignore",)


def test_tracked_files_are_left_to_git(main: Path) -> None:
    """What is committed is in the worktree anyway, in the committed version."""
    (main / "tracked").write_text("edited")
    assert choose_copies(main, ["tracked"]) == Copies((), ())


@pytest.mark.parametrize("pattern", ["../secret", "/etc/passwd", "a/../../b", ""])
def test_patterns_that_lead_outside_are_refused(main: Path, pattern: str) -> None:
    """The configuration comes with the repository: it cannot copy what lies outside of it."""
    assert choose_copies(main, [pattern]) == Copies((), (f"{pattern}: not inside the repository",))


def test_patterns_and_folders_are_followed(main: Path) -> None:
    """Stars match in one folder, two in all; a folder means everything below it."""
    put(main, "a.local", "sub/b.local", "sub/deep/c.local", "cache/x", "cache/y/z")
    assert choose_copies(main, ["*.local"]).files == ("a.local",)
    assert set(choose_copies(main, ["**/*.local"]).files) == {"a.local", "sub/b.local", "sub/deep/c.local"}
    assert set(choose_copies(main, ["cache/"]).files) == {"cache/x", "cache/y/z"}


def test_worktreeinclude_names_ignored_files_only(main: Path) -> None:
    """Its patterns are those of .gitignore; what is not ignored is refused as elsewhere."""
    put(main, "a.local", "sub/b.local", "loose.txt", ".env")
    (main / ".worktreeinclude").write_text("*.local\nloose.txt\n!sub/b.local\n")
    found = choose_copies(main, [".env"])
    assert found == Copies((".env", "a.local"), ("loose.txt: not ignored by git, add it to .gitignore",))


@pytest.mark.parametrize(
    "name", ["-rf.local", "new\nline.local", "sp ace.local", "ünï.local", "[x].local", 'q"o.local']
)
def test_odd_names_are_names(main: Path, tree: Path, name: str) -> None:
    """Dashes, line breaks, blanks, signs and other alphabets pass through unharmed."""
    put(main, name)
    copies = choose_copies(main, ["*.local"])
    copy_into(main, tree, tree / ".git", copies)
    assert copies.files == (name,) and (tree / name).read_text() == name


def test_nested_worktrees_and_repositories_are_not_entered(main: Path, git: Git) -> None:
    """The .env of another worktree or repository inside this one stays where it is."""
    git(main, "worktree", "add", "-q", str(main / ".trees/wt1"), "-b", "roadmap-wt1")
    git(main, "init", "-q", str(main / "cache/clone"))
    put(main, ".env", ".trees/wt1/.env", ".trees/gate1/.env", "cache/clone/.env")
    assert choose_copies(main, ["**/.env"], [main / ".trees"]).files == (".env",)


def test_modes_are_kept_and_the_copy_is_recorded(main: Path, tree: Path) -> None:
    """A private file stays private; what was written can later be told from what was changed."""
    put(main, ".env", "run.local")
    (main / ".env").chmod(0o600)
    (main / "run.local").chmod(0o755)
    copy_into(main, tree, tree / ".git", choose_copies(main, [".env", "run.local"]))
    assert [(tree / name).stat().st_mode & 0o777 for name in (".env", "run.local")] == [0o600, 0o755]
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in (".env", "run.local")}
    assert json.loads((tree / ".git" / RECORD).read_text()) == {"files": digests}


def test_links_are_followed_so_that_the_original_is_safe(main: Path, tree: Path) -> None:
    """An agent that edits its .env must not edit the user's: a link becomes a file; one to nothing is refused."""
    put(main, "real.local")
    (main / ".env").symlink_to("real.local")
    (main / ".env.gone").symlink_to("nothing")
    (main / ".env.folder").symlink_to(".")
    copies = choose_copies(main, [".env", ".env.gone", ".env.folder"])
    assert copies.refused == (".env.folder: a link that leads to no file", ".env.gone: a link that leads to no file")
    copy_into(main, tree, tree / ".git", copies)
    (tree / ".env").write_text("changed")
    assert (main / "real.local").read_text() == "real.local"


def test_what_is_there_is_never_overwritten(main: Path, tree: Path) -> None:
    """A file of that name in the worktree stays, and is not recorded as ours."""
    put(main, ".env")
    (tree / ".env").write_text("other")
    copy_into(main, tree, tree / ".git", Copies((".env",), ()))
    assert (tree / ".env").read_text() == "other" and not (tree / ".git" / RECORD).exists()


def test_a_copy_that_was_killed_is_completed(main: Path, tree: Path) -> None:
    """The beginning of the source is what a killed copy leaves: it is written to its end."""
    put(main, ".env")
    (tree / ".env").write_text(".e")
    copy_into(main, tree, tree / ".git", Copies((".env",), ()))
    assert (tree / ".env").read_text() == ".env"


def test_a_tracked_link_cannot_lead_a_copy_outside(main: Path, tree: Path, tmp_path: Path) -> None:
    """A folder that the branch made a link to elsewhere: nothing is written through it."""
    put(main, "cache/x")
    (tmp_path / "elsewhere").mkdir()
    (tree / "cache").symlink_to(tmp_path / "elsewhere")
    copy_into(main, tree, tree / ".git", Copies(("cache/x",), ()))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_source_that_vanished_is_skipped(main: Path, tree: Path) -> None:
    """A vanished file is not fatal (worktrunk PR#3744)."""
    put(main, "a.local")
    copy_into(main, tree, tree / ".git", Copies(("gone.local", "a.local"), ()))
    assert sorted(p.name for p in tree.iterdir()) == [".git", "a.local"]
