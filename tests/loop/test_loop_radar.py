"""The radar while real agents run: what it shows, whom it tells, how often, and whom it does not accuse."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coffee_hooks.base import git as gate
from coffee_hooks.base.model import TaskId
from coffee_hooks.base.project import open_project
from coffee_hooks.base.target import read_target
from coffee_hooks.loop.foreseen import FILE, foresee
from coffee_hooks.loop.radar import scan
from coffee_hooks.loop.run import Until
from coffee_hooks.ready.observe import detect_ready
from coffee_hooks.ready.radar import Radar
from coffee_hooks.state.claims import read_claims
from coffee_hooks.state.store import open_store

if TYPE_CHECKING:
    from conftest import Shop

WAITS = (
    'echo "I look at $COFFEE_ROOT/odd name.txt."; touch ../$COFFEE_TASK_ID; while [ ! -e ../go ]; do sleep 0.05; done'
)
WT1, WT2 = "roadmap-wt1", "roadmap-wt2"


@pytest.fixture
def trees(shop: Shop) -> tuple[Path, Path]:
    """The worktrees of US-104 and US-105, whose agents are at work and wait for a file ``go``."""
    shop.configure(WAITS)
    assert shop.run(Until.ONE_ROUND) == 0
    root = shop.work.parent / "work.worktrees"
    shop.until(lambda: (root / "US-104").exists() and (root / "US-105").exists())
    shop.events.clear()
    return root / "wt1", root / "wt2"


def look(shop: Shop) -> Radar:
    """What the radar shows now."""
    project = open_project(shop.work)
    claims = read_claims(project.repo)
    with open_store(shop.state_dir) as store:
        return scan(project, store, detect_ready(project, store, read_target(project), (), claims), claims)


def told(shop: Shop) -> list[tuple[Any, ...]]:
    """The findings of rounds since the last time this was asked."""
    found = [(event["kind"], *event["branches"]) for event in shop.named("finding")]
    shop.events.clear()
    return found


def write(path: Path, text: str) -> None:
    """A file and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# --- what it shows --------------------------------------------------------------------------------


def test_every_finding_is_shown_and_told_once(shop: Shop, trees: tuple[Path, Path]) -> None:
    """In JSON, in text, in annotations; one notification for each, however many rounds look at it."""
    one, two = trees
    write(one / "lib/new.py", "1\n")
    write(two / "lib/new.py", "2\n")
    write(one / "pkg/alpha.py", "changed\n")
    write(shop.work / "pkg/alpha.py", "by mistake\n")
    for _ in range(4):
        assert shop.run(Until.ONE_ROUND) == 0
    assert told(shop) == [("conflict", WT1, WT2), ("outside", WT1), ("outside", WT2), ("escaped", WT1)]
    conflict, *outside = shop.notices("architect")
    assert (conflict.level.value, conflict.title) == ("high", f"Conflict ahead: {WT1} and {WT2}")
    assert [(n.level.value, n.title[-len(WT1) :]) for n in outside] == [("normal", WT1), ("normal", WT2)]
    (escaped,) = shop.notices("user_listener")
    assert (escaped.level.value, escaped.sound) == ("normal", False)
    assert "pkg/alpha.py" in escaped.message and "may have escaped" in escaped.message

    shown = shop.box.coffee("--json", "status").json
    assert shown["overlaps"] == [{"a": WT1, "b": WT2, "paths": ["lib/new.py"], "conflict": True}]
    assert shown["outside"] == [
        {"branch": WT1, "task": "US-104", "paths": ["lib/new.py"]},
        {"branch": WT2, "task": "US-105", "paths": ["lib/new.py"]},
    ]
    (edit,) = shown["escaped"]
    assert edit.pop("changed") == pytest.approx((shop.work / "pkg/alpha.py").stat().st_mtime)
    assert edit == {"path": "pkg/alpha.py", "task": "US-104", "branch": WT1, "evidence": "touched"}
    ready = shop.box.coffee("--json", "detect-ready").json
    assert {key: ready[key] for key in ("overlaps", "outside", "escaped")} == {
        "overlaps": shown["overlaps"], "outside": shown["outside"], "escaped": [{**edit, **ready["escaped"][0]}],
    }  # fmt: skip
    lines = [
        f"conflict: {WT1} and {WT2} both change lib/new.py",
        f"outside: {WT1} changes lib/new.py, not foreseen for US-104",
        f"outside: {WT2} changes lib/new.py, not foreseen for US-105",
        "escaped: pkg/alpha.py changed in the main checkout while US-104 ran, and may have escaped from its worktree"
        " (the branch changes it too)",
    ]
    assert shop.box.coffee("status").out.splitlines()[-4:] == lines
    assert shop.box.coffee("detect-ready").out.splitlines()[-4:] == lines
    summary = shop.work.parent / "summary"
    env = {"GITHUB_STEP_SUMMARY": str(summary)}
    annotations = shop.box.coffee("detect-ready", "--format", "github", env=env).out.splitlines()[-4:]
    assert [row[2:10] for row in summary.read_text().splitlines()[-4:]] == [line[:8] for line in lines]
    assert [line.split("::")[1].split(" ")[0] for line in annotations] == ["warning", "notice", "notice", "notice"]
    assert [line.split("::", 2)[2] for line in annotations] == lines


def test_told_again_when_it_becomes_worse(shop: Shop, trees: tuple[Path, Path]) -> None:
    """An overlap, the same overlap with more files, a conflict, no conflict again: told, no, told, no."""
    text = "".join(f"line {number}\n" for number in range(9))
    one, two = trees
    steps = [
        ({"lib/a.py": text, "lib/b.py": text}, [("overlap", WT1, WT2), ("outside", WT1), ("outside", WT2)]),
        ({"lib/c.py": text}, []),
        ({"lib/c.py": "mine\n"}, [("conflict", WT1, WT2)]),
        ({"lib/c.py": text}, []),
        ({"lib/c.py": "mine\n"}, []),
    ]
    for files, expected in steps:
        for name, content in files.items():
            write(one / name, content)
            if content == text:
                write(two / name, content)
        assert shop.run(Until.ONE_ROUND) == 0
        assert told(shop) == expected, files


def test_branches_on_which_nobody_works_are_shown_and_not_told(shop: Shop) -> None:
    """Two branches of people meet: whoever asks sees it, nobody is called."""
    shop.drop("104", "105", "106")
    shop.box.branch("roadmap-a", {"same.txt": "a\n"}, "wip")
    shop.box.branch("roadmap-b", {"same.txt": "b\n"}, "wip")
    shop.configure(merge={"auto": False})
    assert shop.run(Until.ONE_ROUND) == 0
    assert told(shop) == []
    assert [overlap.conflict for overlap in look(shop).overlaps] == [True]


# --- outside of what was foreseen -----------------------------------------------------------------


def test_what_is_foreseen_and_what_is_not(shop: Shop, trees: tuple[Path, Path]) -> None:
    """Files of the spec, the spec itself, and what all tasks may touch are inside; commits count as edits do."""
    one, two = trees
    (spec,) = (one / "docs/architecture/specs").glob("SPEC-104-*")
    for path in (one / "pkg/alpha.py", spec, one / "CHANGELOG.md", one / "docs/roadmap/ROADMAP.md"):
        write(path, "changed\n")
    (two / "pkg/alpha.py").unlink()
    write(two / "pkg/odd.py", "1\n")
    shop.git(two, "add", "--all")
    shop.git(two, "commit", "-qm", "feat: odd")
    write(two / "pkg/beta.py", "changed\n")
    assert [(o.branch, o.task, o.paths) for o in look(shop).outside] == [
        (WT2, "US-105", ("pkg/alpha.py", "pkg/odd.py"))
    ]


def test_an_unknown_place_has_no_outside(shop: Shop, trees: tuple[Path, Path]) -> None:
    """Where nobody foresaw anything nothing is a surprise: a spec without a place, no spec, no roadmap."""
    write(trees[0] / "far.py", "1\n")
    assert [o.branch for o in look(shop).outside] == [WT1]
    (spec,) = (shop.work / "docs/architecture/specs").glob("SPEC-104-*")
    shop.box.commit({str(spec.relative_to(shop.work)): "# SPEC-104: Feature X\n\nMake it good.\n"})
    shop.box.push()
    assert look(shop).outside == ()
    for file in (spec, shop.work / "docs/roadmap/ROADMAP.md"):
        shop.git(shop.work, "rm", "-q", str(file))
        shop.git(shop.work, "commit", "-qm", "chore: Remove", "--no-verify")
        shop.box.push()
        assert look(shop).outside == ()


def test_specs_are_read_once_for_each_target(shop: Shop, trees: tuple[Path, Path]) -> None:
    """The second look costs one process for the main checkout; a broken memo, or a moved target, is read again."""
    write(trees[0] / "far.py", "1\n")
    calls: list[Sequence[str]] = []
    gate.trace.append(calls.append)
    try:
        first = look(shop)
        memo = shop.state_dir / FILE
        for text in (memo.read_text(), "{", '{"key": 1}', "[]"):
            memo.write_text(text)
            calls.clear()
            assert look(shop) == first
            read = [argv for argv in calls if "ls-tree" in argv]
            assert len(read) == (0 if text.startswith('{"key": [') else 1)
    finally:
        gate.trace.remove(calls.append)
    project = open_project(shop.work)
    shop.box.commit({"x": "1\n"})
    assert foresee(project, read_target(project).sha, [TaskId("US-999")]) == {}
    assert [o.paths for o in look(shop).outside] == [("far.py",)]


# --- edits that escaped ---------------------------------------------------------------------------


def escaped(shop: Shop) -> list[tuple[Any, ...]]:
    """Path, task and evidence of what may have escaped."""
    return [(each.path, each.task, each.evidence.name.lower()) for each in look(shop).escaped]


def test_the_evidence(shop: Shop, trees: tuple[Path, Path]) -> None:
    """A file of the footprint, one that the branch changes, one that the log names; and one that several may have."""
    write(shop.work / "pkg/alpha.py", "changed\n")
    (shop.work / "pkg/beta.py").unlink()
    write(shop.work / "odd name.txt", "1\n")
    write(trees[1] / "far.py", "1\n")
    write(shop.work / "far.py", "2\n")
    assert escaped(shop) == [
        ("far.py", "US-105", "touched"),
        ("odd name.txt", None, "log"),
        ("pkg/alpha.py", "US-104", "footprint"),
        ("pkg/beta.py", "US-105", "footprint"),
    ]


def test_the_user_is_not_accused(shop: Shop, trees: tuple[Path, Path]) -> None:
    """Edits from before and from after, of files that no task has to do with, of the roadmap and of change logs."""
    before = time.time() - 1000
    write(shop.work / "pkg/alpha.py", "from before\n")
    os.utime(shop.work / "pkg/alpha.py", (before, before))
    write(shop.work / "mine.py", "1\n")
    write(shop.work / "docs/roadmap/ROADMAP.md", "# Roadmap\n")
    write(trees[0] / "CHANGELOG.md", "1\n")
    write(shop.work / "CHANGELOG.md", "2\n")
    assert escaped(shop) == []
    (trees[0].parent / "go").touch()
    shop.wait()
    after = time.time() + 1000
    write(shop.work / "pkg/beta.py", "from after\n")
    os.utime(shop.work / "pkg/beta.py", (after, after))
    assert escaped(shop) == []
    during = (trees[0].parent / "US-105").stat().st_mtime
    os.utime(shop.work / "pkg/beta.py", (during, during))
    assert escaped(shop) == [("pkg/beta.py", "US-105", "footprint")]
    (shop.work / ".git/MERGE_HEAD").touch()
    assert escaped(shop) == []


def test_a_branch_in_the_main_checkout_is_at_home_there(shop: Shop, trees: tuple[Path, Path]) -> None:
    """Its edits are its own, and meet those of the others as any branch's do."""
    shop.git(shop.work, "switch", "-qc", "roadmap-mine")
    write(shop.work / "pkg/alpha.py", "mine\n")
    write(trees[0] / "pkg/alpha.py", "theirs\n")
    found = look(shop)
    assert found.escaped == ()
    assert [(o.a, o.b, o.conflict) for o in found.overlaps] == [("roadmap-mine", WT1, True)]


def test_nothing_is_read_of_the_checkout_while_nobody_works(shop: Shop) -> None:
    """Without a claim the radar is no more than what detect-ready knows."""
    shop.box.branch("roadmap-mine", {"a.py": "1\n"}, "feat: mine")
    project = open_project(shop.work)
    calls: list[Sequence[str]] = []
    with open_store(shop.state_dir) as store:
        readiness = detect_ready(project, store, read_target(project), (), {})
        gate.trace.append(calls.append)
        try:
            assert scan(project, store, readiness, {}) == Radar(())
        finally:
            gate.trace.remove(calls.append)
    assert calls == []
