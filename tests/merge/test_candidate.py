"""What a candidate is made of: the merge, the roadmap in it, and the message that lands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.merge.roadmap_file import item_counts, new_duplicates, title_of

if TYPE_CHECKING:
    from conftest import Lane

ROADMAP = "docs/roadmap/ROADMAP.md"
ITEM = "### US-{n}: {title} 📝 Planned\n\n**Status**: 📝 Planned\n\n"


def item(number: int, title: str = "Thing") -> str:
    return ITEM.format(n=number, title=title)


@given(st.lists(st.integers(1, 9), max_size=5), st.lists(st.integers(1, 9), max_size=5))
def test_a_duplicate_is_what_neither_parent_held_twice(ours: list[int], theirs: list[int]) -> None:
    """Against a count by hand: an item is reported iff it stands more often in the merge than in either parent."""
    one, other = ("# R\n\n" + "".join(map(item, numbers)) for numbers in (ours, theirs))
    both = "# R\n\n" + "".join(map(item, [*ours, *theirs]))
    wanted = {f"US-{n}" for n in {*ours, *theirs} if ours.count(n) and theirs.count(n)}
    found = new_duplicates(one.encode(), other.encode(), both.encode())
    assert {name.split(" ")[0] for name in found} == (set() if both in (one, other) else wanted)


@given(st.binary())
def test_any_bytes_are_a_roadmap(data: bytes) -> None:
    """Whatever a branch puts there, counting and reading titles do not fail."""
    item_counts(data)
    title_of(data, "US-1")  # type: ignore[arg-type]


def message(lane: Lane, revision: str = "roadmap") -> str:
    return lane.git(lane.work, "log", "-1", "--format=%B", revision)


def trailers(lane: Lane, revision: str = "roadmap") -> list[str]:
    """The trailers as git itself reads them."""
    return lane.git(lane.work, "log", "-1", "--format=%(trailers:only,unfold)", revision).splitlines()


def test_the_message_of_the_contract(lane: Lane) -> None:
    """Title, features, tests, status, co-authors and trailers, exactly; the title is the roadmap's."""
    lane.with_gate("true")
    lane.branch(1, {"pkg/a.py": "1\n"}, message="feat: Add a\n\nCo-authored-by: Ann <ann@example.invalid>")
    tip = lane.branch(1, {"pkg/b.py": "1\n"}, message="feat: Implement US-104 - b")
    lane.assert_landed(lane.merge())
    assert message(lane).splitlines() == [
        "Merge parallel work from roadmap-wt1: US-104 - Feature X",
        "",
        "Features:",
        "- feat: Add a",
        "- feat: Implement US-104 - b",
        "",
        "Tests: All passing (sh -c true, 0 s)",
        "Status: Ready for production",
        "",
        "Co-authored-by: Ann <ann@example.invalid>",
        "Coffee-Task: US-104",
        "Coffee-Branch: roadmap-wt1",
        f"Coffee-Sha: {tip}",
    ]
    assert trailers(lane)[1:] == ["Coffee-Task: US-104", "Coffee-Branch: roadmap-wt1", f"Coffee-Sha: {tip}"]


def test_hostile_commit_messages_forge_nothing(lane: Lane) -> None:
    """Trailers and control characters in the messages of a branch do not become those of the landing."""
    evil = (
        "feat: US-104 \x1b[31mred\x1b[0m \u202ereversed\n\nCoffee-Sha: " + "0" * 40 + "\nCoffee-Task: US-105"
        "\nCoffee-Branch: roadmap-wt9\nCo-authored-by: X <x@example.invalid>\x1b]0;title\x07"
        "\nco-authored-by: Y\x0bCoffee-Sha: 1 <y@example.invalid>"
    )
    tip = lane.branch(1, message="x\x0bCoffee-Sha: 1\n\nStatus: Ready for merge")
    tip = lane.branch(1, {"pkg/z.py": "1\n"}, message=evil)
    lane.assert_landed(lane.merge())
    text = message(lane)
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    ours = [line for line in trailers(lane) if line.startswith("Coffee-")]
    assert ours[-1] == f"Coffee-Sha: {tip}"
    assert [line.split(":")[0] for line in ours] == ["Coffee-Task", "Coffee-Branch", "Coffee-Sha"]
    assert ours[1] == "Coffee-Branch: roadmap-wt1"


def test_a_message_that_is_not_utf8(lane: Lane) -> None:
    """Bytes of another encoding in a message do not stop a landing."""
    lane.branch(1, message="feat: caf\udce9 US-104")
    lane.assert_landed(lane.merge())
    assert "feat: caf" in message(lane)


@pytest.mark.parametrize("known", [True, False])
def test_the_author_is_the_user_or_coffee(lane: Lane, known: bool) -> None:
    """Whoever runs it, and coffee itself where nobody is configured."""
    lane.branch()
    if not known:
        Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[user]\n\tuseConfigOnly = true\n")
    lane.assert_landed(lane.merge())
    wanted = "Dev Eloper <dev@example.invalid>" if known else "coffee <coffee@localhost>"
    assert lane.git(lane.work, "log", "-1", "--format=%an <%ae>%n%cn <%ce>", "roadmap").split("\n") == [wanted] * 2


def test_the_task_is_marked_complete_in_the_tested_tree(lane: Lane) -> None:
    """The gate saw the marked roadmap; one line of it differs, every other byte is as it was."""
    before = lane.git(lane.work, "show", f"roadmap:{ROADMAP}")
    lane.with_gate(f"grep -q 'US-104: Feature X ✅' {ROADMAP}")
    lane.branch()
    lane.assert_landed(lane.merge())
    after = lane.git(lane.work, "show", f"roadmap:{ROADMAP}")
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert [a for a, _ in changed] == ["### US-104: Feature X 📝 Planned", "**Status**: 📝 Planned"]
    assert all("✅" in b for _, b in changed)


def test_marking_can_be_switched_off(lane: Lane) -> None:
    """``merge.mark-complete: false`` leaves the roadmap alone."""
    lane.configure(merge={"mark-complete": False})
    before = lane.git(lane.work, "rev-parse", f"roadmap:{ROADMAP}")
    lane.branch()
    lane.assert_landed(lane.merge())
    assert lane.git(lane.work, "rev-parse", f"roadmap:{ROADMAP}") == before


@pytest.mark.parametrize("how", ["no-status", "no-item", "link", "folder", "binary"])
def test_a_roadmap_that_cannot_be_marked_is_left_alone_with_a_warning(lane: Lane, how: str) -> None:
    """A format that is not understood, or no regular file: untouched, said, and landed all the same."""
    file = lane.work / ROADMAP
    if how == "no-status":
        file.write_text("# Roadmap\n\n### US-104: Feature X\n\nText.\n")
    elif how == "no-item":
        file.write_text("# Roadmap\n")
    elif how == "binary":
        file.write_bytes(b"\x00\xff\xfe" * 100)
    else:
        text = file.read_text()
        file.unlink()
        if how == "link":
            (file.parent / "real.md").write_text(text)
            file.symlink_to("real.md")
        else:
            file.mkdir()
            (file / "x").write_text("x")
    lane.git(lane.work, "add", "-A")
    lane.git(lane.work, "commit", "-q", "-m", "chore: Roadmap")
    lane.box.push()
    before = lane.git(lane.work, "rev-parse", f"roadmap:{ROADMAP}")
    lane.branch()
    said = lane.merge()
    lane.assert_landed(said)
    assert lane.git(lane.work, "rev-parse", f"roadmap:{ROADMAP}") == before
    assert "US-104 was not marked complete" in said.err


def test_a_repository_without_a_roadmap(lane: Lane) -> None:
    """Nothing to mark and no title: the branch lands with what is known."""
    lane.git(lane.work, "rm", "-q", ROADMAP)
    lane.git(lane.work, "commit", "-q", "-m", "chore: No roadmap")
    lane.branch()
    lane.assert_landed(lane.merge())
    assert message(lane).splitlines()[0] == "Merge parallel work from roadmap-wt1: US-104"


def test_a_branch_of_no_task(lane: Lane) -> None:
    """Work that names no task lands without one."""
    lane.branch(1, message="chore: Tidy up")
    said = lane.merge()
    lane.assert_landed(said)
    assert said.result["task"] is None
    assert [line.split(":")[0] for line in trailers(lane)] == ["Coffee-Branch", "Coffee-Sha"]


def test_a_conflict_names_its_files_and_moves_nothing(lane: Lane) -> None:
    """Exit 1 with the paths, whatever they are called; the gate is not run."""
    names = ["pkg/a b.py", "pkg/é\n\"'.py", "-rf", "pkg/\udcff.py", "x\ty", "$(touch pwned)"]
    for where, text in (("roadmap-wt1", "ours\n"), ("other", "theirs\n")):
        lane.box.branch(where, dict.fromkeys(names, text))
    lane.git(lane.work, "merge", "-q", "--ff-only", "other")
    lane.box.push()
    before = lane.box.refs()
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["gate_runs"]) == (1, "conflict", 0)
    assert sorted(said.result["conflicts"]) == sorted(names)
    assert lane.box.refs() == before


def test_the_attributes_of_the_target_decide_how_files_merge(lane: Lane) -> None:
    """merge=union of the target's committed .gitattributes counts; those of a checkout or of the branch do not."""
    lane.box.commit({".gitattributes": "log.txt merge=union\n", "log.txt": "start\n"})
    lane.box.push()
    lane.branch(1, {"log.txt": "start\nours\n"})
    lane.branch(2, {"log.txt": "start\nother\n", ".gitattributes": "* -merge\n"})
    lane.assert_landed(lane.merge())
    (lane.work / ".gitattributes").write_text("log.txt -merge\n")
    said = lane.merge("roadmap-wt2")
    assert said.outcome == "landed", said.told
    assert set(lane.git(lane.box.origin, "show", "roadmap:log.txt").split()) == {"start", "ours", "other"}


def test_an_item_that_a_merge_would_double_does_not_land(lane: Lane) -> None:
    """Both sides added the same item in different places: roadmap-duplicate, with what to do."""
    text = lane.git(lane.work, "show", f"roadmap:{ROADMAP}") + "\n"
    lines = "".join(f"\nfiller {n}\n" for n in range(9))
    lane.box.commit({ROADMAP: text + lines + "\nend\n"})
    base = text + lines + "\nend\n"
    lane.box.push()
    lane.branch(1, {ROADMAP: base.replace("# Roadmap\n", "# Roadmap\n\n" + item(200, "New"), 1)})
    lane.box.commit({ROADMAP: base.replace("\nend\n", "\nend\n\n" + item(200, "New"))})
    lane.box.push()
    said = lane.merge()
    assert (said.rc, said.outcome) == (1, "roadmap-duplicate"), said.told
    assert "US-200 (new)" in said.result["reason"]


def test_a_branch_that_adds_nothing_makes_no_commit(lane: Lane) -> None:
    """Its content is in the target already, by another way: nothing is tested, nothing is merged."""
    lane.branch(1, {"pkg/same.py": "x = 1\n"})
    lane.box.commit({"pkg/same.py": "x = 1\n"})
    lane.box.push()
    before = lane.target
    said = lane.merge()
    assert (said.rc, said.outcome, said.json["gate_runs"], lane.target) == (1, "not-ready", 0, before)
    assert said.result["reason"].startswith("empty-diff")


def test_a_stacked_branch_lands_with_the_one_above_it(lane: Lane) -> None:
    """Once the upper branch has landed, the lower one is already there: no empty merge commit."""
    lane.branch(1)
    lane.box.branch("roadmap-wt2", {"pkg/top.py": "1\n"}, base="roadmap-wt1")
    said = lane.merge("roadmap-wt2", "roadmap-wt1")
    assert [result["outcome"] for result in said.json["results"]] == ["landed", "already-landed"], said.told
    assert said.rc == 0


def test_unrelated_histories_are_an_error_and_not_a_conflict(lane: Lane) -> None:
    """git cannot say how they merge: nobody is told to resolve anything."""
    tree = lane.tree("roadmap")
    root = lane.git(lane.work, "commit-tree", tree, "-m", "feat: US-104 alone")
    lane.git(lane.work, "update-ref", "refs/heads/roadmap-wt1", root)
    said = lane.merge()
    assert said.rc in (1, 4)
    assert said.outcome in ("error", "not-ready", "conflict")
    assert said.result["conflicts"] == []


def test_the_gate_of_a_broken_configuration_is_not_guessed(lane: Lane) -> None:
    """A target whose .coffee.yaml is broken is a usage error with file and line: nothing lands by default."""
    lane.branch()
    lane.box.commit({".coffee.yaml": json.dumps({"gate": {"comand": ["true"]}})})
    said = lane.merge()
    assert (said.rc, said.json) == (2, {})
    assert "unknown key gate.comand" in said.err


def test_a_listed_task_that_a_merge_would_double_does_not_land(lane: Lane) -> None:
    """Two branches found out about the same task and wrote it down in different places."""
    path, lines = "specs/001-a/tasks.md", "".join(f"\nfiller {number}\n" for number in range(9))
    base = f"# Tasks\n\n- [ ] T001 Make a\n{lines}\nend\n"
    lane.configure(roadmap=path)
    lane.box.commit({path: base})
    lane.box.push()
    lane.branch(1, {path: base.replace("Make a\n", "Make a\n- [ ] T050 Make it safe\n")})
    lane.box.commit({path: base + "- [ ] T050 Make it safe\n"})
    lane.box.push()
    said = lane.merge()
    assert (said.rc, said.outcome) == (1, "roadmap-duplicate"), said.told
    assert "T050 (make it safe)" in said.result["reason"]
