"""Overlaps with work that nobody has committed yet: real merges of real worktrees, and no trace of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.lock import hold
from coffee_hooks.ready import uncommitted
from coffee_hooks.ready.overlaps import find_overlaps
from coffee_hooks.ready.radar import Overlap, worth_telling
from coffee_hooks.sources.bookkeeping import is_bookkeeping

if TYPE_CHECKING:
    from conftest import Watch

ROADMAP = "docs/roadmap/ROADMAP.md"
TEXT = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
LONG_AGO = 1_700_000_000
TOP, END, UNO = TEXT.replace("one", "ONE"), TEXT.replace("nine", "NINE"), TEXT.replace("one", "UNO")


@pytest.fixture
def calls() -> Iterator[list[Sequence[str]]]:
    """Every git command from now on."""
    seen: list[Sequence[str]] = []
    gate.trace.append(seen.append)
    yield seen
    gate.trace.remove(seen.append)


def start(watch: Watch, files: Mapping[str, str]) -> None:
    """Put *files* on the target."""
    watch.box.commit(dict(files))
    watch.box.push()


def tree(watch: Watch, name: str, files: Mapping[str, str | None]) -> Path:
    """A worktree of a new branch at the target in which *files* were written (None: deleted) and not committed."""
    watch.git(watch.box.work, "branch", name, "roadmap")
    path = watch.worktree(name)
    for file, text in files.items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).unlink() if text is None else (path / file).write_text(text)
    return path


def overlaps(watch: Watch) -> dict[tuple[str, str], tuple[tuple[str, ...], bool | None]]:
    """What the radar says of each pair."""
    return {(o.a[8:], o.b[8:]): (o.paths, o.conflict) for o in find_overlaps(watch.project, watch.look())}


def test_committed_and_uncommitted_work_meet(watch: Watch) -> None:
    """A commit, an edit and a staged edit of one file: which of them go together is what a merge says."""
    start(watch, {"shared.txt": TEXT})
    watch.branch("roadmap-top", {"shared.txt": TOP})
    tree(watch, "roadmap-end", {"shared.txt": END})
    watch.git(tree(watch, "roadmap-uno", {"shared.txt": UNO}), "add", "--all")
    tree(watch, "roadmap-far", {"far.txt": "1\n"})
    assert overlaps(watch) == {
        ("end", "top"): (("shared.txt",), False),
        ("end", "uno"): (("shared.txt",), False),
        ("top", "uno"): (("shared.txt",), True),
    }


def test_what_is_not_committed_counts_on_top_of_what_is(watch: Watch) -> None:
    """An edit that takes a conflicting commit back ends the conflict, and one that makes it brings it."""
    start(watch, {"shared.txt": TEXT})
    watch.branch("roadmap-one", {"shared.txt": TOP})
    watch.branch("roadmap-two", {"shared.txt": UNO})
    path = watch.worktree("roadmap-two")
    assert overlaps(watch)["one", "two"] == (("shared.txt",), True)
    (path / "shared.txt").write_text(END)
    assert overlaps(watch)["one", "two"] == (("shared.txt",), False)
    (path / "shared.txt").write_text(UNO)
    assert overlaps(watch)["one", "two"] == (("shared.txt",), True)


def test_untracked_files_of_one_name(watch: Watch) -> None:
    """Both new and not the same: a conflict. The same content, an ignored file, another name: none."""
    files = {"new.txt": "a\n", "same.txt": "same\n", ".env": "A=1\n", 'odd\n"é.txt': "a\n"}
    tree(watch, "roadmap-a", files)
    tree(watch, "roadmap-b", {**files, "new.txt": "b\n", ".env": "B=1\n"})
    tree(watch, "roadmap-c", {"same.txt": "same\n"})
    assert overlaps(watch) == {
        ("a", "b"): (("new.txt", 'odd\n"é.txt', "same.txt"), True),
        ("a", "c"): (("same.txt",), False),
        ("b", "c"): (("same.txt",), False),
    }


def test_deleted_and_renamed_files(watch: Watch) -> None:
    """Who changes a file that another deletes is in conflict with him, and not with one who only moves it."""
    start(watch, {"old.txt": TEXT})
    tree(watch, "roadmap-edit", {"old.txt": END})
    tree(watch, "roadmap-gone", {"old.txt": None})
    tree(watch, "roadmap-move", {"old.txt": None, "new.txt": TEXT})
    found = overlaps(watch)
    assert found["edit", "gone"] == (("old.txt",), True)
    assert found["edit", "move"] == (("old.txt",), False)


def test_a_file_that_becomes_a_folder(watch: Watch) -> None:
    """And a link, and a mode: whatever a worktree can hold."""
    start(watch, {"thing": "1\n", "run.sh": "x\n"})
    path = tree(watch, "roadmap-a", {"thing": None, "thing/inside.txt": "something else\n"})
    (path / "run.sh").chmod(0o755)
    (path / "link").symlink_to("nowhere")
    other = tree(watch, "roadmap-b", {"thing": "2\n", "run.sh": "y\n"})
    (other / "link").symlink_to("nowhere")
    assert overlaps(watch)["a", "b"] == (("link", "run.sh", "thing"), True)
    (other / "thing").write_text("1\n")
    assert overlaps(watch)["a", "b"] == (("link", "run.sh"), False)


def test_an_edit_in_the_moment_of_the_checkout(watch: Watch) -> None:
    """Same size, same time as the index: git looks at the content as long as the index is not younger."""
    start(watch, {"shared.txt": TEXT})
    watch.git(watch.box.work, "config", "core.trustCtime", "false")
    for name, text in (("roadmap-a", TOP), ("roadmap-b", UNO)):
        path = tree(watch, name, {})
        index = Path(watch.git(path, "rev-parse", "--absolute-git-dir")) / "index"
        os.utime(path / "shared.txt", (LONG_AGO, LONG_AGO))
        watch.git(path, "update-index", "--refresh")
        (path / "shared.txt").write_text(text)
        for file in (path / "shared.txt", index):
            os.utime(file, (LONG_AGO, LONG_AGO))
    assert overlaps(watch)["a", "b"] == (("shared.txt",), True)


def test_what_is_ignored_on_request_is_no_work(watch: Watch) -> None:
    """`ready.ignore` globs count here as well."""
    for name in ("roadmap-a", "roadmap-b"):
        tree(watch, name, {"trace.log": name})
    assert overlaps(watch)["a", "b"][1] is True
    watch.configure("ready", ignore=("*.log",))
    assert overlaps(watch) == {}


def test_a_merge_in_progress_brings_the_other_side(watch: Watch) -> None:
    """The target's own changes, merged and not committed yet, are no changes of the branch."""
    start(watch, {"shared.txt": TEXT, "own.txt": TEXT})
    path = tree(watch, "roadmap-a", {"own.txt": TOP})
    watch.git(path, "commit", "-qam", "feat: a")
    watch.branch("roadmap-b", {"shared.txt": UNO, "own.txt": END})
    start(watch, {"shared.txt": TOP})
    watch.git(path, "merge", "-q", "--no-commit", "roadmap")
    watch.git(watch.box.work, "update-ref", "refs/heads/roadmap-b", watch.branch("roadmap-c", {"own.txt": END}))
    assert overlaps(watch)["a", "b"] == (("own.txt",), False)


def test_the_roadmap_is_merged_item_by_item(watch: Watch) -> None:
    """Two statuses on one line are no conflict; two texts are."""
    text = (watch.box.work / ROADMAP).read_text()
    path = tree(watch, "roadmap-a", {ROADMAP: text.replace("📝 Planned", "🔄 In Progress", 2)})
    tree(watch, "roadmap-b", {ROADMAP: text.replace("📝 Planned", "✅ Complete", 2)})
    assert overlaps(watch)["a", "b"] == ((ROADMAP,), False)
    (path / ROADMAP).write_text(text.replace("Do Feature X.", "Do X well."))
    tree(watch, "roadmap-c", {ROADMAP: text.replace("Do Feature X.", "Do X fast.")})
    assert overlaps(watch)["a", "c"] == ((ROADMAP,), True)


def test_bookkeeping_is_told_only_when_it_conflicts() -> None:
    """A change log that all write to is nobody's business until git cannot merge it."""
    pairs = [
        Overlap("a", "b", ("CHANGELOG.md", "sub/poetry.lock"), False),
        Overlap("a", "c", ("CHANGELOG.md",), None),
        Overlap("a", "d", ("CHANGELOG.md",), True),
        Overlap("a", "e", ("CHANGELOG.md", "x.py"), False),
    ]
    assert worth_telling(pairs, is_bookkeeping) == tuple(pairs[2:])


# --- what cannot be read --------------------------------------------------------------------------


def test_too_much_is_neither_yes_nor_no(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of files beyond the limit only the names are known; what is read beside them still counts."""
    monkeypatch.setattr(uncommitted, "MOST_BYTES", 10)
    tree(watch, "roadmap-a", {"big.txt": "a" * 20, "small.txt": "a\n"})
    tree(watch, "roadmap-b", {"big.txt": "b" * 20, "small.txt": "a\n"})
    tree(watch, "roadmap-c", {"small.txt": "c\n"})
    found = overlaps(watch)
    assert found["a", "b"] == (("big.txt", "small.txt"), None)
    assert found["a", "c"] == (("small.txt",), True)


def test_a_file_that_git_cannot_write_down(watch: Watch) -> None:
    """Unknown, and it hides neither the pair nor the others."""
    start(watch, {"pipe": "1\n"})
    path = tree(watch, "roadmap-a", {"pipe": None, "new.txt": "a\n"})
    os.mkfifo(path / "pipe")
    tree(watch, "roadmap-b", {"new.txt": "b\n"})
    tree(watch, "roadmap-c", {"new.txt": "c\n"})
    assert {pair: conflict for pair, (_, conflict) in overlaps(watch).items()} == {
        ("a", "b"): None, ("a", "c"): None, ("b", "c"): True,
    }  # fmt: skip


def test_a_rebase_in_progress_is_not_judged(watch: Watch) -> None:
    """Half of the branch is replayed: the commits alone are compared, and a clean merge of those proves nothing."""
    start(watch, {"shared.txt": TEXT})
    watch.branch("roadmap-a", {"shared.txt": TOP})
    path = watch.worktree("roadmap-a")
    tree(watch, "roadmap-b", {"shared.txt": END})
    start(watch, {"shared.txt": UNO})
    watch.git(path, "rebase", "-q", "roadmap", check=False)
    assert overlaps(watch)["a", "b"] == (("shared.txt",), None)


def test_another_repository_inside_is_left_alone(watch: Watch) -> None:
    """It has no files of this one, and does not hide the files beside it."""
    for name in ("roadmap-a", "roadmap-b"):
        path = tree(watch, name, {"new.txt": f"{name}\n"})
        watch.git(path, "init", "-q", "nested")
        (path / "nested" / "x").write_text("1\n")
    assert overlaps(watch)["a", "b"] == (("nested/", "new.txt"), True)


def test_while_another_looks_the_commits_count(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long, and nothing is made up."""
    monkeypatch.setattr(uncommitted, "WAIT_SECONDS", 0.0)
    start(watch, {"shared.txt": TEXT})
    tree(watch, "roadmap-a", {"shared.txt": TOP})
    tree(watch, "roadmap-b", {"shared.txt": UNO})
    with hold(watch.project.repo, "radar"):
        assert overlaps(watch)["a", "b"] == (("shared.txt",), None)
    assert overlaps(watch)["a", "b"] == (("shared.txt",), True)


# --- traces and costs -----------------------------------------------------------------------------


def everything(watch: Watch, *trees: Path) -> tuple[object, ...]:
    """Refs, objects, and of each worktree its index, byte by byte, and what git says of it."""
    git = watch.box.work / ".git"
    objects = sorted(str(path) for path in (git / "objects").rglob("*") if path.is_file())
    homes = [Path(watch.git(path, "rev-parse", "--absolute-git-dir")) for path in trees]
    said = [watch.git(path, "--no-optional-locks", "status", "--porcelain") for path in trees]
    return (
        watch.box.refs("refs/"), objects, [(home / "index").read_bytes() for home in homes],
        [sorted(path.name for path in home.iterdir()) for home in homes], said,
    )  # fmt: skip


def test_nothing_is_changed_and_nothing_is_left(watch: Watch) -> None:
    """No object, no ref, no index, no file; what a killed look left is gone too."""
    start(watch, {"shared.txt": TEXT})
    one = tree(watch, "roadmap-a", {"shared.txt": TOP, "new.txt": "secret\n"})
    two = tree(watch, "roadmap-b", {"shared.txt": UNO, "new.txt": "b\n"})
    watch.git(two, "add", "new.txt")
    readiness = watch.look()
    before = everything(watch, one, two)
    left = watch.box.work / ".git/coffee/radar"
    (left / "objects").mkdir(parents=True)
    (left / "roadmap-a.index.lock").write_text("")
    (left / "wt.index").write_text("half")
    assert [o.conflict for o in find_overlaps(watch.project, readiness)] == [True]
    assert everything(watch, one, two) == before
    assert not left.exists()


KILLED = """
import os, pathlib, sys
from coffee_hooks.base import git
from coffee_hooks.base.project import open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.ready.overlaps import find_overlaps
from coffee_hooks.state.store import open_store

project = open_project(pathlib.Path(sys.argv[1]))
with open_store(project.repo.state_dir) as store:
    found = detect_ready(project, store, read_target(project))
git.trace.append(lambda argv: sys.argv[2] in argv and os.kill(os.getpid(), 9))
find_overlaps(project, found)
"""


@pytest.mark.parametrize("at", ["update-index", "write-tree", "commit-tree", "merge-tree"])
def test_killed_in_the_middle(watch: Watch, at: str) -> None:
    """kill -9 before each step changes nothing, and the next look says what there is to say and cleans up."""
    start(watch, {"shared.txt": TEXT})
    trees = [tree(watch, name, {"shared.txt": text}) for name, text in (("roadmap-a", TOP), ("roadmap-b", UNO))]
    watch.look()
    before = everything(watch, *trees)
    done = subprocess.run([sys.executable, "-c", KILLED, str(watch.box.work), at], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    left = watch.box.work / ".git/coffee/radar"
    assert left.exists() and everything(watch, *trees) == before
    assert overlaps(watch)["a", "b"] == (("shared.txt",), True)
    assert not left.exists() and everything(watch, *trees) == before


def test_a_repository_with_a_strange_path(watch: Watch) -> None:
    """The objects of the repository are found whatever its folder is called."""
    start(watch, {"shared.txt": TEXT})
    moved = watch.box.work.with_name('odd: "path"\\é')
    watch.box.work.rename(moved)
    watch.box = type(watch.box)(watch.box.origin, moved)
    tree(watch, "roadmap-a", {"shared.txt": TOP})
    tree(watch, "roadmap-b", {"shared.txt": UNO})
    assert overlaps(watch)["a", "b"] == (("shared.txt",), True)


def test_the_number_of_processes_is_that_of_the_worktrees(watch: Watch, calls: list[Sequence[str]]) -> None:
    """Three for each that meets another, a few for all merges, and none where none meets."""
    for number in range(6):
        tree(watch, f"roadmap-wt{number}", {"same.txt" if number < 4 else f"{number}.txt": f"{number}\n"})
    readiness = watch.look()
    project = watch.project
    calls.clear()
    assert len(find_overlaps(project, readiness)) == 6
    assert len(calls) <= 3 * 4 + 2
    assert sum("merge-tree" in argv for argv in calls) == 1
    for number in range(4):
        (watch.box.work.parent / "trees" / f"roadmap-wt{number}" / "same.txt").rename(
            watch.box.work.parent / "trees" / f"roadmap-wt{number}" / f"{number}.txt"
        )
    readiness = watch.look()
    calls.clear()
    assert find_overlaps(project, readiness) == () and calls == []
