"""The merge driver in real merges, rebases and picks of a user, and never in merges of our own."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.discover import discover
from coffee_hooks.base.merge_tree import merge_tree
from coffee_hooks.base.model import Sha
from coffee_hooks.init.merge_driver import driver_command, look_at_driver, pattern
from coffee_hooks.init.plan import Wanted
from coffee_hooks.init.set_up import set_up

if TYPE_CHECKING:
    from conftest import Sandbox

Git = Callable[..., str]
ROADMAP = "docs/roadmap/ROADMAP.md"
BASE = "# Roadmap\n\n### US-1: One\n\n**Status**: 📝 Planned\n\nBody.\n"
STARTED = BASE.replace("📝 Planned", "🔄 In Progress")
DONE = BASE.replace("📝 Planned", "✅ Complete")
NEW = ("\n### US-2: Two 📝 Planned\n\nBody of two.\n", "\n### US-3: Three 📝 Planned\n\nBody of three.\n")
DRIVER = "merge.coffee-roadmap.driver"


@pytest.fixture
def work(sandbox: Sandbox) -> Path:
    """A clone in which ``coffee init`` ran, with a roadmap of one item."""
    sandbox.commit({ROADMAP: BASE})
    set_up(sandbox.work, Wanted())
    return sandbox.work


def fork(sandbox: Sandbox, ours: str, theirs: str) -> None:
    """*ours* on the branch checked out, *theirs* on ``roadmap-x``."""
    sandbox.branch("roadmap-x", {ROADMAP: theirs})
    sandbox.commit({ROADMAP: ours})


def conflicts(work: Path, git: Git) -> str:
    return git(work, "diff", "--name-only", "--diff-filter=U")


@pytest.mark.parametrize("how", ["merge", "rebase", "cherry-pick"])
def test_the_further_status_wins_however_branches_meet(work: Path, sandbox: Sandbox, git: Git, how: str) -> None:
    """Two agents set the status on one line: no conflict in a merge, a rebase or a pick, from a subfolder too."""
    fork(sandbox, STARTED, DONE)
    assert git(work / "docs", how, "roadmap-x", check=False) is not None
    assert (conflicts(work, git), (work / ROADMAP).read_text()) == ("", DONE)
    assert git(work, "status", "--porcelain") == ""


def test_both_add_an_item_in_a_linked_worktree(work: Path, sandbox: Sandbox, git: Git, tmp_path: Path) -> None:
    """The set-up serves every worktree; both items are there once, ours first."""
    fork(sandbox, BASE + NEW[0], BASE + NEW[1])
    linked = tmp_path / "linked ü"
    git(work, "worktree", "add", "-q", "-b", "roadmap-y", str(linked))
    git(linked, "merge", "-q", "roadmap-x")
    assert (linked / ROADMAP).read_text() == BASE + NEW[0] + NEW[1]


def test_what_it_does_not_understand_is_an_ordinary_conflict(work: Path, sandbox: Sandbox, git: Git) -> None:
    """A person sees what git alone would show, in the style that the person chose."""
    fork(sandbox, BASE.replace("Body.", "Ours."), BASE.replace("Body.", "Theirs."))
    git(work, "config", "merge.conflictStyle", "diff3")
    git(work, "merge", "roadmap-x", check=False)
    assert conflicts(work, git) == ROADMAP
    lines = "<<<<<<< ours\nOurs.\n||||||| base\nBody.\n=======\nTheirs.\n>>>>>>> theirs\n"
    assert (work / ROADMAP).read_text() == BASE.replace("Body.\n", lines)


def test_a_text_merge_that_doubles_an_item_is_a_conflict(work: Path, sandbox: Sandbox, git: Git) -> None:
    """git would take both copies without a word; here a person looks."""
    fork(sandbox, BASE + NEW[0], BASE.replace("\n###", f"{NEW[0].replace('Body', 'Text')}\n###", 1))
    git(work, "merge", "roadmap-x", check=False)
    assert conflicts(work, git) == ROADMAP
    assert (work / ROADMAP).read_text().count("US-2") == 2


def test_without_coffee_git_merges_as_ever(work: Path, sandbox: Sandbox, git: Git) -> None:
    """A Python that is gone costs nobody a merge that git can make."""
    python = shlex.quote(str(Path(sys.executable).absolute()))
    git(work, "config", DRIVER, driver_command().replace(python, "/gone/python"))
    fork(sandbox, BASE.replace("# Roadmap", "# Plan"), BASE.replace("Body.", "Theirs."))
    git(work, "merge", "-q", "roadmap-x")
    assert (work / ROADMAP).read_text() == BASE.replace("# Roadmap", "# Plan").replace("Body.", "Theirs.")
    git(work, "reset", "-q", "--hard", "HEAD^")
    sandbox.branch("roadmap-z", {ROADMAP: BASE.replace("# Roadmap", "# Map")}, base="roadmap^")
    git(work, "merge", "roadmap-z", check=False)
    assert conflicts(work, git) == ROADMAP and "<<<<<<< ours" in (work / ROADMAP).read_text()


@pytest.mark.parametrize("scope", ["--local", "--worktree"])
def test_our_own_merges_never_start_it(work: Path, sandbox: Sandbox, git: Git, tmp_path: Path, scope: str) -> None:
    """What only one side edited merges; what both did is a conflict that names the roadmap, for us to merge."""
    ran = tmp_path / "ran"
    git(work, "config", "extensions.worktreeConfig", "true")
    git(work, "config", scope, DRIVER, f"touch {shlex.quote(str(ran))}")
    fork(sandbox, BASE.replace("# Roadmap", "# Plan"), BASE.replace("Body.", "Theirs."))
    repo = discover(work)
    both = merge_tree(repo, Sha(git(work, "rev-parse", "HEAD")), Sha(git(work, "rev-parse", "roadmap-x")))
    one = merge_tree(repo, Sha(git(work, "rev-parse", "HEAD~2")), Sha(git(work, "rev-parse", "roadmap-x")))
    assert (both.clean, both.conflicts, one.clean) == (False, (ROADMAP,), True)
    assert not ran.exists()
    git(work, "merge", "-q", "roadmap-x")
    assert ran.exists()  # so the test would have seen it


def test_the_command_by_itself(sandbox: Sandbox) -> None:
    """Exit 0 and the result, or exit 1 and markers (on request none), whatever GIT_* says; other kinds: exit 2."""
    for name, text in (("O", BASE), ("A", STARTED), ("B", DONE)):
        (sandbox.work / name).write_text(text)
    hostile = {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index", "GIT_WORK_TREE": "/"}
    assert sandbox.coffee("merge-driver", "roadmap", "O", "A", "B", env=hostile).rc == 0
    assert (sandbox.work / "A").read_text() == DONE
    (sandbox.work / "A").write_text(BASE.replace("Body.", "Ours."))
    (sandbox.work / "B").write_text(BASE.replace("Body.", "Theirs."))
    before = (sandbox.work / "A").read_text()
    assert sandbox.coffee("merge-driver", "roadmap", "O", "A", "B", "--no-markers").rc == 1
    assert (sandbox.work / "A").read_text() == before
    assert sandbox.coffee("merge-driver", "roadmap", "O", "A", "B", "--marker-size", "9", env=hostile).rc == 1
    assert "<<<<<<<<< ours\nOurs.\n=========\nTheirs.\n>>>>>>>>> theirs\n" in (sandbox.work / "A").read_text()
    assert sandbox.coffee("merge-driver", "changelog", "O", "A", "B").rc == 2
    assert sandbox.coffee("merge-driver", "roadmap", "missing", "A", "B").rc == 4
    assert sorted(p.name for p in sandbox.work.iterdir() if len(p.name) > 1 and p.name.startswith("A")) == []


# --- set-up ---------------------------------------------------------------------------------------


def test_foreign_lines_stay(work: Path, git: Git) -> None:
    """Lines of others keep their bytes, a last line without an ending gets one, and a choice of theirs counts."""
    file = work / ".git" / "info" / "attributes"
    file.write_bytes(b"*.png binary\r\n*.md text")
    set_up(work, Wanted())
    assert file.read_bytes() == f"*.png binary\r\n*.md text\n/{ROADMAP} merge=coffee-roadmap\n".encode()
    before = f"{ROADMAP} merge=union\n"
    file.write_text(before)
    done = set_up(work, Wanted())
    assert file.read_text() == before and ".git/info/attributes" not in (*done.written, *done.kept)
    assert f"{ROADMAP} is merged as you chose: merge=union" in done.lines
    file.unlink()
    git(work, "config", DRIVER, "my-own %O %A %B")
    assert any("your merge.coffee-roadmap.driver" in line for line in set_up(work, Wanted()).lines)
    assert (git(work, "config", DRIVER), file.exists()) == ("my-own %O %A %B", False)


def test_a_driver_of_ours_is_renewed(work: Path, git: Git) -> None:
    """After coffee moved, ``init`` writes the new place; nothing of it is tracked."""
    git(work, "config", DRIVER, driver_command().replace(sys.executable, "/old/python"))
    assert set_up(work, Wanted()).written == (".git/config",)
    assert git(work, "config", "--get-all", DRIVER) == driver_command()
    assert set_up(work, Wanted()).written == ()


def test_a_dry_run_shows_line_and_settings(sandbox: Sandbox, git: Git) -> None:
    """The rehearsal names both files and what would stand in them, and writes neither."""
    done = set_up(sandbox.work, Wanted(dry_run=True))
    assert {".git/config", ".git/info/attributes"} <= set(done.written)
    assert f"+/{ROADMAP} merge=coffee-roadmap" in done.lines
    assert f"would set {DRIVER} = {driver_command()}" in done.lines
    assert git(sandbox.work, "config", "--get", DRIVER, check=False) == ""
    assert look_at_driver(discover(sandbox.work), ROADMAP).attribute == "unspecified"


@pytest.mark.parametrize(
    "path", ["ROADMAP.md", 'a b/my "plan"\t[x]*?.md', "docs/über/plan.md", "back\\slash x.md", "#x"]
)
def test_a_pattern_means_one_path(sandbox: Sandbox, path: str) -> None:
    """Whatever the file is called, git finds the attribute for it, and for no other."""
    file = sandbox.work / ".git" / "info" / "attributes"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(os.fsencode(f"{pattern(path)} merge=coffee-roadmap\n"))
    repo = discover(sandbox.work)
    assert look_at_driver(repo, path).attribute == "coffee-roadmap"
    assert look_at_driver(repo, f"sub/{path}").attribute == "unspecified"


def test_a_list_of_tasks_is_the_roadmap_where_there_is_none(sandbox: Sandbox, git: Git) -> None:
    """The one that is not done gets the driver, and two ticks on neighbouring lines merge."""
    path, text = "specs/002-b/tasks.md", "# Tasks\n\n- [ ] T001 Make a\n- [ ] T002 [P] Make b\n"
    git(sandbox.work, "rm", "-q", ROADMAP)
    sandbox.commit({path: text, "specs/001-a/tasks.md": "- [x] T001 Make c\n"})
    lines = "\n".join(set_up(sandbox.work, Wanted()).lines)
    assert "of several, name one" in lines
    assert look_at_driver(discover(sandbox.work), path).attribute == "coffee-roadmap"
    sandbox.branch("roadmap-x", {path: text.replace("[ ] T002", "[x] T002")})
    sandbox.commit({path: text.replace("[ ] T001", "[X] T001")})
    git(sandbox.work, "merge", "-q", "roadmap-x")
    assert (sandbox.work / path).read_text() == "# Tasks\n\n- [X] T001 Make a\n- [x] T002 [P] Make b\n"
