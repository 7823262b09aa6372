"""What cleanup parks can be brought back: branch, worktree, index, uncommitted and precious files."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import Move, transact
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.remove import preview
from coffee_hooks.cleanup.report import cleanup_json, parked_json, restored_json
from coffee_hooks.cleanup.restore import REASON, apply_restore, list_parked, plan_restore, restore
from coffee_hooks.cleanup.values import Outcome, Waive
from coffee_hooks.state.graveyard import Grave, graves_of, next_grave, read_graves

if TYPE_CHECKING:
    from conftest import Git, Yard

FORCE = Waive.DIRTY | Waive.UNMERGED


def status(git: Git, tree: Path) -> str:
    """Everything git and the ignore rules say about the files."""
    return git(tree, "status", "--porcelain=v1", "--untracked-files=all", "--ignored")


def mess(yard: Yard, git: Git) -> tuple[Path, str, dict[str, str]]:
    """An unmerged branch with every kind of uncommitted work; returns worktree, status and contents."""
    tree = yard.agent(1, {"pkg/new1.py": "x = 1\n", "gone.py": "g\n", "run.sh": "#!/bin/sh\n", "hidden.py": "h\n"})
    yard.ignore(".env", "*.db", "build/")
    (tree / "staged.py").write_text("staged\n")
    git(tree, "add", "staged.py")
    (tree / "staged.py").write_text("staged, then edited\n")
    (tree / "pkg/new1.py").write_text("edited\r\nwith both endings\n")
    (tree / "gone.py").unlink()
    (tree / "run.sh").chmod(0o755)
    git(tree, "update-index", "--assume-unchanged", "hidden.py")
    (tree / "hidden.py").write_text("hidden edit\n")
    for name in ('un\ntracked "é".txt', "sub/dir/new.bin", ".env", "data.db", ":(glob)*.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"\x00\xff" + name.encode())
    (tree / "link").symlink_to("pkg/new1.py")
    found = status(git, tree)
    files = {p.relative_to(tree).as_posix(): p for p in tree.rglob("*") if p.is_file() and ".git" not in p.parts}
    return tree, found, {name: path.read_bytes().hex() for name, path in files.items() if name != ".git"}


def test_everything_comes_back_as_it_was(yard: Yard, git: Git) -> None:
    """Branch, index, edits, deletions, modes, untracked and precious ignored files: the same status, the same bytes."""
    tree, before, contents = mess(yard, git)
    tip = git(tree, "rev-parse", "HEAD")
    assert yard.one(1, FORCE).outcome is Outcome.REMOVED
    assert not tree.exists()
    back = restore(yard.project, "roadmap-wt1")
    assert (back.branch, back.sha, back.worktree) == ("roadmap-wt1", tip, tree)
    assert {n: (tree / n).read_bytes().hex() for n in contents} == contents
    assert set(status(git, tree).splitlines()) == {*before.splitlines(), " M hidden.py"}
    assert git(tree, "show", ":staged.py") == "staged"
    assert (tree / "link").readlink() == Path("pkg/new1.py")
    assert git(tree, "symbolic-ref", "--short", "HEAD") == "roadmap-wt1"
    assert REASON not in git(yard.work, "worktree", "list", "--porcelain")


def test_the_snapshot_touches_nothing_of_the_worktree(yard: Yard, git: Git) -> None:
    """Saving works on a copy of the index: a branch that is kept in the end is byte for byte what it was."""
    tree, before, _ = mess(yard, git)
    git(tree, "init", "-q", "nested")  # unsavable, so it is kept
    index = (yard.git_dir(tree) / "index").read_bytes()
    assert yard.one(1, FORCE).outcome is Outcome.KEPT_DIRTY
    (tree / "nested/.git/HEAD").unlink()
    assert (yard.git_dir(tree) / "index").read_bytes() == index
    assert before in status(git, tree) or set(before.splitlines()) <= set(status(git, tree).splitlines())


def test_a_conflicted_tree_is_saved_with_its_markers(yard: Yard, git: Git) -> None:
    """--force in the middle of a merge: the half-resolved files and the other side are parked."""
    tree = yard.agent(1, {"pkg/a.py": "mine = 1\n"})
    yard.box.commit({"pkg/a.py": "theirs = 1\n"})
    git(tree, "merge", "-q", "roadmap", check=False)
    assert yard.one(1, FORCE).outcome is Outcome.REMOVED
    restore(yard.project, "roadmap-wt1")
    assert "<<<<<<<" in (tree / "pkg/a.py").read_text()


def test_a_split_index_is_saved_too(yard: Yard, git: Git) -> None:
    """With core.splitIndex half of the index lives in another file of the worktree's git folder."""
    tree = yard.agent(1)
    git(tree, "update-index", "--split-index")
    (tree / "staged.py").write_text("staged\n")
    git(tree, "add", "staged.py")
    assert yard.one(1, FORCE).outcome is Outcome.REMOVED
    restore(yard.project, "roadmap-wt1")
    assert git(tree, "status", "--porcelain") == "A  staged.py"


def test_a_sparse_checkout_is_saved_whole(yard: Yard, git: Git) -> None:
    """Files that were absent on purpose are not deleted in what is saved."""
    tree = yard.agent(1)
    git(tree, "sparse-checkout", "set", "pkg")
    (tree / "docs").mkdir()
    (tree / "docs/outside.md").write_text("outside\n")
    assert yard.one(1, FORCE).outcome is Outcome.REMOVED
    restore(yard.project, "roadmap-wt1")
    assert git(tree, "status", "--porcelain", "--untracked-files=all") == "?? docs/outside.md"


def test_a_file_that_cannot_be_saved_keeps_the_branch(yard: Yard, git: Git) -> None:
    """A filter fails on a file: what cannot be parked is not removed, whatever flag was given."""
    tree = yard.agent(1)
    git(yard.work, "config", "filter.broken.clean", "false")
    git(yard.work, "config", "filter.broken.required", "true")
    (tree / ".gitattributes").write_text("*.big filter=broken\n")
    (tree / "x.big").write_text("big\n")
    kept = yard.one(1, FORCE)
    assert kept.outcome is Outcome.KEPT_DIRTY
    assert "cannot be saved" in kept.detail
    assert (tree / "x.big").read_text() == "big\n"


def test_a_restored_branch_is_a_persons(yard: Yard) -> None:
    """Automatic cleanup does not take away again what a person brought back; naming it does."""
    tree = yard.landed(1)
    assert [r.outcome for r in yard.clean().results] == [Outcome.REMOVED]
    restore(yard.project, "roadmap-wt1")
    assert [r.outcome for r in yard.clean().results] == [Outcome.KEPT_FOREIGN]
    assert yard.one(1).outcome is Outcome.REMOVED
    assert not tree.exists()
    assert len(list_parked(yard.project)) == 1  # the same commits need no second grave


def test_restoring_twice_is_restoring_once(yard: Yard, git: Git) -> None:
    """The second time nothing is made; later edits stay."""
    tree, _, _ = mess(yard, git)
    yard.one(1, FORCE)
    restore(yard.project, "roadmap-wt1")
    (tree / "later.txt").write_text("later\n")
    plan = plan_restore(yard.project, "refs/heads/roadmap-wt1")
    assert plan.changes == ()
    assert "there already" in apply_restore(plan).detail
    assert (tree / "later.txt").read_text() == "later\n"


def test_a_killed_restore_is_finished_by_the_next(yard: Yard, git: Git) -> None:
    """The worktree is locked from its birth until it is filled; that lock is how the next run knows."""
    tree, before, _ = mess(yard, git)
    yard.one(1, FORCE)
    grave = list_parked(yard.project)[0]
    git(yard.work, "branch", "roadmap-wt1", str(grave.tip))
    git(yard.work, "worktree", "add", "-q", "--no-checkout", "--lock", "--reason", REASON, str(tree), "roadmap-wt1")
    assert yard.one(1, FORCE).outcome is Outcome.KEPT_LOCKED
    assert "brought back" in restore(yard.project, "roadmap-wt1").detail
    assert set(before.splitlines()) <= set(status(git, tree).splitlines())


def test_restore_never_overwrites(yard: Yard, git: Git) -> None:
    """Another branch of that name, or files in its place, are refused with what to do; nothing is made."""
    tree = yard.agent(1)
    yard.one(1, Waive.UNMERGED)
    git(yard.work, "branch", "roadmap-wt1", "roadmap")
    with pytest.raises(UsageError, match="exists with other commits"):
        restore(yard.project, "roadmap-wt1")
    git(yard.work, "branch", "-D", "-q", "roadmap-wt1")
    tree.mkdir(parents=True)
    (tree / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="in the way"):
        restore(yard.project, "roadmap-wt1")
    assert "roadmap-wt1" not in yard.branches()


@pytest.mark.parametrize("name", ["roadmap-wt9", "../../etc", "roadmap", "--help"])
def test_what_is_not_parked_is_refused(yard: Yard, name: str) -> None:
    """Unknown names, and names that a hostile ref of the graveyard could carry, are usage errors."""
    tip = Sha(yard.git(yard.work, "rev-parse", "roadmap"))
    if name != "roadmap-wt9":
        assert transact(yard.project.repo, Grave(name, 1, tip=tip).burial())
    if name == "roadmap":
        assert plan_restore(yard.project, name).exists  # the very commit it already points at
        return
    with pytest.raises(UsageError):
        plan_restore(yard.project, name)


def test_an_earlier_burial_can_be_picked(yard: Yard, git: Git) -> None:
    """Each burial has a number; the latest is the default."""
    tree = yard.agent(1)
    first = git(tree, "rev-parse", "HEAD")
    yard.one(1, Waive.UNMERGED)
    restore(yard.project, "roadmap-wt1")
    yard.box.commit({"more.py": "m\n"}, cwd=tree)
    yard.one(1, Waive.UNMERGED)
    assert [g.number for g in list_parked(yard.project)] == [1, 2]
    assert plan_restore(yard.project, "roadmap-wt1").sha != first
    assert restore(yard.project, "roadmap-wt1", 1).sha == first


def test_a_dry_run_of_restore_names_its_changes(yard: Yard, git: Git) -> None:
    """Branch, worktree, uncommitted work; nothing happens."""
    tree, _, _ = mess(yard, git)
    tip = git(tree, "rev-parse", "--short=10", "HEAD")
    yard.one(1, FORCE)
    assert plan_restore(yard.project, "roadmap-wt1").changes == (
        f"create refs/heads/roadmap-wt1 ({tip})",
        f"add the worktree {tree}",
        "put back the uncommitted work of refs/coffee/graveyard/roadmap-wt1/1/dirty",
    )
    assert "roadmap-wt1" not in yard.branches()


def test_a_detached_head_is_named_when_it_comes_back(yard: Yard, git: Git) -> None:
    """The worktree is on its branch again; where its HEAD was is said, not forgotten."""
    tree = yard.agent(1)
    git(tree, "switch", "-q", "--detach")
    yard.box.commit({"d.py": "d\n"}, cwd=tree)
    yard.one(1, FORCE)
    back = restore(yard.project, "roadmap-wt1")
    assert "its detached HEAD is kept at refs/coffee/graveyard/roadmap-wt1/1/head" in back.detail


def test_graves_keep_any_name_apart() -> None:
    """Names with every legal character, and names too long for a ref, find their own burials again."""
    names = ["roadmap-a", "roadmap-A", "x/y", "é%41", "roadmap-" + "n" * 230, "roadmap-" + "n" * 231, "a.lock", ".b"]
    graves = [Grave(name, 1, tip=Sha("1" * 40)) for name in names]
    assert len({grave.prefix for grave in graves}) == len(names)
    for name in names:
        assert [g.branch for g in graves_of(graves, name)] == [name]
        assert next_grave(graves, name) == 2


def test_graves_are_read_back(yard: Yard) -> None:
    """Every kind of ref survives; what else lies in the graveyard is ignored."""
    repo = yard.project.repo
    tip = Sha(yard.git(yard.work, "rev-parse", "roadmap"))
    buried = [Grave("a/b c\udcff", 1, tip, tip, tip, tip, tip), Grave("roadmap-" + "n" * 230, 2, head=tip)]
    assert transact(repo, [move for grave in buried for move in grave.burial()])
    assert transact(repo, [Move("refs/coffee/graveyard/x/1/other", Sha("0" * 40), tip)])
    read = read_graves(repo)
    assert read[0] == buried[0]
    assert graves_of(read, buried[1].branch)[0].prefix == buried[1].prefix
    assert next_grave(read, buried[1].branch) == 3


def valid(command: str, value: dict[str, Any]) -> dict[str, Any]:
    """The value in its envelope, checked against the shipped schema and through JSON."""
    schema = json.loads((resources.files("coffee_hooks") / f"schemas/{command}.json").read_text())
    Draft202012Validator.check_schema(schema)
    whole = json.loads(json.dumps({"schema": 1, "command": command, **value}))
    Draft202012Validator(schema).validate(whole)
    return value


def test_answers_are_valid_json(yard: Yard, git: Git) -> None:
    """Every answer of cleanup and restore keeps its schema."""
    mess(yard, git)
    yard.spawn(2)
    plan = plan_cleanup(yard.project, ["roadmap-wt1", "roadmap-wt9"], waive=FORCE, store=yard.store)
    assert valid("cleanup", cleanup_json(preview(plan)))["changes"]
    results = valid("cleanup", cleanup_json(yard.clean("roadmap-wt1", "roadmap-wt2", waive=Waive.UNMERGED)))["results"]
    assert [(r["outcome"], r["backup"]) for r in results] == [
        ("kept-dirty", None), ("removed", "refs/coffee/graveyard/roadmap-wt2/1/tip"),
    ]  # fmt: skip
    valid("cleanup", cleanup_json(yard.clean("roadmap-wt1", waive=FORCE)))
    parked = valid("restore", parked_json(list_parked(yard.project)))["parked"]
    assert set(parked[0]["refs"]) >= {parked[0]["backup"], "refs/coffee/graveyard/roadmap-wt1/1/dirty"}
    valid("restore", restored_json(restore(yard.project, "roadmap-wt1")))
