"""Two edits of one roadmap: the shapes people write, the edits agents make, and what must never come out."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coffee_hooks.base.model import Status
from coffee_hooks.sources.diff3 import match
from coffee_hooks.sources.roadmap import parse_roadmap
from coffee_hooks.sources.roadmap_blocks import Name, join, split
from coffee_hooks.sources.roadmap_merge import merge_roadmaps
from coffee_hooks.sources.status_lines import merge_status

BASE = """\
# Roadmap

**Rules**: ✅ Complete, 🔄 In Progress, 📝 Planned

## 📝 PLANNED: US-023 - Clear, Intuitive Module Hierarchy

Some prose.

## 🔴 TOP PRIORITY

- **US-091**: Build code index infrastructure 📝
- **US-092**: Query the index 📝
- [ ] US-093: Ship it

### PRIORITY 20: US-104 - Orchestrator 📝 Planned

**Status**: 📝 Planned - CRITICAL (blocks US-105)
**Effort**: 3 h

Body of 104.

```markdown
### US-999: Not an item ✅ Complete
**Status**: 📝 Planned
```

Acceptance criteria:
- one
- two
- three

### 🔴 **PRIORITY 1.5: Database Synchronization Architecture** 📝 **PLANNED**

Body of 1.5.

### US-105: Dashboards

Body of 105.

## Done

### US-001: First ✅ Complete

Body of 1.
"""


def merged(ours: str, theirs: str, base: str = BASE) -> str | None:
    both = merge_roadmaps(base.encode(), ours.encode(), theirs.encode())
    return None if both is None else both.decode()


def edited(*pairs: tuple[str, str], text: str = BASE) -> str:
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def status_of(text: str, task: str) -> Status:
    return next(item.status for item in parse_roadmap(text.encode()).items if item.id == task)


PLANNED_104 = "**Status**: 📝 Planned - CRITICAL"


def test_the_further_status_wins_on_one_line() -> None:
    """One agent starts an item while another lands it: complete, on one line, heading and body alike."""
    ours = edited(
        (PLANNED_104, "**Status**: 🔄 In Progress - CRITICAL"), ("Orchestrator 📝 Planned", "Orchestrator 🔄")
    )
    theirs = edited(
        (PLANNED_104, "**Status**: ✅ Complete - CRITICAL"), ("Orchestrator 📝 Planned", "Orchestrator ✅ Complete")
    )
    assert merged(ours, theirs) == merged(theirs, ours) == theirs


@pytest.mark.parametrize(
    ("ours", "theirs", "wanted"),
    [
        ("🔄 In Progress", "⏸️ Blocked", "⏸️ Blocked"),
        ("🚧 Manual Review Required", "🔄 In Progress", "🚧 Manual Review Required"),
        ("✅ Complete", "⏸️ Blocked", "✅ Complete"),
        ("✅ Complete", "✅ Complete (2025-10-19, verified)", "✅ Complete (2025-10-19, verified)"),
        ("✅ **COMPLETE** (long remark)", "✅ Complete", "✅ **COMPLETE** (long remark)"),
        ("🚨 Urgent", "🔄 In Progress", None),
        ("📝 Planned (spec approved)", "✅ Complete", "✅ Complete (spec approved)"),
        ("🚨 Urgent", "🚨 Very urgent", None),
    ],
)
def test_two_words_for_one_status(ours: str, theirs: str, wanted: str | None) -> None:
    """A stop beats a start, complete beats both, of two alike the one that says more; a riddle is a conflict."""
    text = "# R\n\n### US-1: A\n\n**Status**: {}\n\nBody.\n"
    both = merged(text.format(ours), text.format(theirs), text.format("📝 Planned"))
    assert both == (text.format(wanted) if wanted else None)
    assert (merged(text.format(theirs), text.format(ours), text.format("📝 Planned")) is None) == (wanted is None)


def test_a_step_back_of_one_side_is_meant() -> None:
    """Who opens an item again does so while the other side edits its text."""
    ours = edited(("### US-001: First ✅ Complete", "### US-001: First 📝 Planned"))
    both = merged(ours, edited(("Body of 1.\n", "Better body of 1.\n")))
    assert both == ours.replace("Body of 1.\n", "Better body of 1.\n")


def test_every_way_to_write_a_status() -> None:
    """Labels, emoji in bullets, boxes, bold tails and a status that was not there yet: each merges by itself."""
    ours = edited(
        ("## 📝 PLANNED: US-023", "## 🔄 IN PROGRESS: US-023"),
        ("index infrastructure 📝", "index infrastructure ✅"),
        ("### US-105: Dashboards", "### US-105: Dashboards 🔄 In Progress"),
        ("Architecture** 📝 **PLANNED**", "Architecture** 🔄 **IN PROGRESS**"),
    )
    theirs = edited(
        ("## 📝 PLANNED: US-023", "## ✅ COMPLETE: US-023"),
        ("Query the index 📝", "Query the index ✅"),
        ("- [ ] US-093", "- [x] US-093"),
        ("### US-105: Dashboards", "### US-105: Dashboards ✅ Complete"),
        ("Architecture** 📝 **PLANNED**", "Architecture** ✅ **COMPLETE** (2025)"),
    )
    wanted = edited(("index infrastructure 📝", "index infrastructure ✅"), text=theirs)
    assert merged(ours, theirs) == merged(theirs, ours) == wanted


def test_a_status_line_that_both_added() -> None:
    """Where none was, two status lines become one."""
    ours = edited(("Dashboards\n", "Dashboards\n\n**Status**: 🔄 In Progress\n"))
    theirs = edited(("Dashboards\n", "Dashboards\n\n**Status**: ✅ Complete\n"))
    assert merged(ours, theirs) == merged(theirs, ours) == theirs


def test_a_status_that_would_go_back_by_outranking_is_a_conflict() -> None:
    """One side completes the heading, the other adds a line below that says less and would count."""
    ours = edited(("Dashboards\n", "Dashboards\n\n**Status**: 🔄 In Progress\n"))
    theirs = edited(("### US-105: Dashboards", "### US-105: Dashboards ✅ Complete"))
    assert merged(ours, theirs) is None


NEW_A = "### US-200: New A 📝 Planned\n\nBody of A.\n\n"
NEW_B = "### US-201: New B 📝 Planned\n\nBody of B.\n\n"


def test_new_items_at_one_place() -> None:
    """Both are kept, ours first, in front of the heading that they were put in front of."""
    ours, theirs = edited(("## Done", f"{NEW_A}## Done")), edited(("## Done", f"{NEW_B}## Done"))
    assert merged(ours, theirs) == edited(("## Done", f"{NEW_A}{NEW_B}## Done"))
    assert merged(theirs, ours) == edited(("## Done", f"{NEW_B}{NEW_A}## Done"))


@pytest.mark.parametrize("end", ["\n", "", "\n\n"])
def test_new_items_at_the_end(end: str) -> None:
    """A blank line stands between them, and the file ends as it did."""
    base = BASE.rstrip("\n") + end
    ours, theirs = (f"{base.rstrip()}\n\n{new.rstrip()}{end}" for new in (NEW_A, NEW_B))
    assert merged(ours, theirs, base) == f"{base.rstrip()}\n\n{NEW_A}{NEW_B.rstrip()}{end}"


def test_a_new_group_does_not_swallow_the_other_side_s_item() -> None:
    """A heading that only one side added takes no item of the other side below itself."""
    ours = edited(("## Done", f"## Later\n\n{NEW_A}## Done"))
    theirs = edited(("## Done", f"{NEW_B}## Done"))
    wanted = edited(("## Done", f"{NEW_B}## Later\n\n{NEW_A}## Done"))
    assert merged(ours, theirs) == merged(theirs, ours) == wanted


def test_one_item_that_both_added() -> None:
    """Once where it is the same, the further status where that is all that differs, else a conflict."""
    theirs = edited(("## Done", f"{NEW_A}## Done"))
    same = edited(("## Done", f"{NEW_A}## Done"), ("Body of 105.", "Better body."))
    assert merged(same, theirs) == same
    further = same.replace("New A 📝 Planned", "New A ✅ Complete")
    assert merged(further, theirs) == merged(theirs, further) == further
    other = same.replace("Body of A", "Another body of A")
    assert merged(other, theirs) is None and merged(theirs, other) is None


def test_one_item_that_both_added_elsewhere_or_under_another_title() -> None:
    """Far apart it still stands once; nearly the same title is one work written twice, another title is not."""
    theirs = edited(("## Done", f"{NEW_A}## Done"))
    elsewhere = edited(("## 🔴 TOP PRIORITY", f"{NEW_A}## 🔴 TOP PRIORITY"))
    assert merged(elsewhere, theirs) == elsewhere
    assert merged(elsewhere.replace("Body of A.", "Something else."), theirs) is None
    assert merged(elsewhere.replace("New A", "New A, once more"), theirs) is None
    both = merged(elsewhere.replace("New A", "Kitchen sink"), theirs)
    assert both is not None and "Kitchen sink" in both and "New A" in both


def test_removed_items() -> None:
    """Gone when the other side left it alone, a conflict when the other side worked on it."""
    item = "### US-105: Dashboards\n\nBody of 105.\n\n"
    ours = edited((item, ""))
    theirs = edited(("Body of 1.\n", "Better.\n"))
    assert merged(ours, theirs) == merged(theirs, ours) == edited(("Body of 1.\n", "Better.\n"), text=ours)
    assert merged(ours, edited(("Body of 105.", "Better."))) is None
    assert merged(ours, edited(("US-105: Dashboards", "US-105: Dashboards ✅ Complete"))) is None


def test_text_of_one_item_and_of_two() -> None:
    """Edits apart from each other merge, edits of one line or of neighbours do not, in whatever item."""
    ours = edited(("Body of 104.", "Ours."))
    assert merged(ours, edited(("Body of 105.", "Theirs."))) == edited(("Body of 105.", "Theirs."), text=ours)
    assert merged(ours, edited(("- three", "- three\n- four"))) == edited(("- three", "- three\n- four"), text=ours)
    assert merged(ours, edited(("Body of 104.", "Theirs."))) is None
    assert merged(edited(("- one", "- 1")), edited(("- two", "- 2"))) is None
    assert merged(edited(("# Roadmap", "# Plan")), edited(("# Roadmap", "# Map"))) is None
    both = merged(edited(("# Roadmap", "# Plan")), edited(("**Rules**", "**Our rules**")))
    assert both == edited(("# Roadmap", "# Plan"), ("**Rules**", "**Our rules**"))


def test_a_new_title_on_one_side() -> None:
    """It is the same item: a status and a text of the other side find it."""
    ours = edited(("US-001: First ✅ Complete", "US-001: The very first ✅ Complete"))
    theirs = edited(("US-001: First ✅ Complete", "US-001: First 📝 Planned"), ("Body of 1.\n", "Better.\n"))
    wanted = edited(("US-001: First ✅ Complete", "US-001: The very first 📝 Planned"), ("Body of 1.\n", "Better.\n"))
    assert merged(ours, theirs) == merged(theirs, ours) == wanted


def test_a_moved_item_takes_the_other_side_s_edit_along() -> None:
    """One side files an item under another heading; two that both move it elsewhere is a conflict."""
    item = "### US-105: Dashboards\n\nBody of 105.\n\n"
    ours = edited((item, ""), ("## Done\n\n", f"## Done\n\n{item}"))
    theirs = edited(("Body of 105.", "Better."), ("## Done", f"{NEW_A}## Done"))
    wanted = edited(("Body of 105.", "Better."), ("## Done", f"{NEW_A}## Done"), text=ours)
    assert merged(ours, theirs) == merged(theirs, ours) == wanted
    assert merged(ours, edited((item, ""), ("## 🔴 TOP", f"{item}## 🔴 TOP"))) is None


def test_a_renamed_group_and_an_edit_below_it() -> None:
    """What stands between items is no item: lines decide where the heading does not tell."""
    base = BASE.replace("## Done\n", "## Done\n\nWhat is done.\n")
    ours, theirs = base.replace("## Done", "## Finished"), base.replace("What is done.", "All that is done.")
    assert merged(ours, theirs, base) == ours.replace("What is done.", "All that is done.")


def test_bytes_survive() -> None:
    """Line ends of each line, a byte order mark, bytes that are no text and a missing last newline stay."""
    base = b"\xef\xbb\xbf# R\r\n\n### US-1: A \xf0\x9f\x93\x9d Planned\r\nx \xff\n\ttab \r\n\r\n"
    base += b"### US-2: B\r\n\x00y\rz\n\nend"
    ours = base.replace(b"\xf0\x9f\x93\x9d Planned", "✅ Complete".encode())
    theirs = base.replace(b"end", b"END").replace(b"\xf0\x9f\x93\x9d Planned", "🔄".encode())
    assert merge_roadmaps(base, ours, theirs) == ours.replace(b"end", b"END")


def test_an_open_fence_hides_nothing_new() -> None:
    """An item that leaves a fence open would hide what the other side put behind it."""
    ours, theirs = (f"{BASE}\n### US-20{n}: New {n}\n\n```\ncode\n" for n in (0, 1))
    assert merged(ours, theirs) is None
    assert merged(f"{ours}```\n", f"{theirs}```\n") is not None


def test_items_that_stand_twice_stay_as_they_are() -> None:
    """A roadmap that already holds an item twice can be merged, but neither side's second copy is multiplied."""
    twin = f"{BASE}\n### US-105: Dashboards\n\nAnother body.\n"
    both = merged(edited(("Body of 1.\n", "Better.\n"), text=twin), edited(("Body of 104.", "Best."), text=twin), twin)
    assert both == edited(("Body of 1.\n", "Better.\n"), ("Body of 104.", "Best."), text=twin)


def test_a_large_roadmap_merges_at_once() -> None:
    """The size of the origin's: 32,000 lines, edited at both ends and in the middle, by line and by block."""
    base = BASE + "".join(f"\n### US-{n}: Item {n} 📝 Planned\n" + "\n- some line\n" * 130 for n in range(300, 420))
    ours = base.replace("Item 300 📝 Planned", "Item 300 ✅ Complete").replace("# Roadmap\n", "# Plan\n")
    theirs = base.replace("Item 300 📝 Planned", "Item 300 🔄").replace("## Done", "## Finished")
    assert merged(ours, theirs, base) == ours.replace("## Done", "## Finished")


SAID = {
    Status.COMPLETE: ("✅ Complete", "✅ **COMPLETE**", "✅ Complete (2025-10-19)"),
    Status.PLANNED: ("📝 Planned", "📝 **PLANNED** - Phase 4"),
    Status.IN_PROGRESS: ("🔄 In Progress", "🔄 **MOSTLY COMPLETE**"),
    Status.BLOCKED: ("⏸️ Blocked",),
    Status.MANUAL_REVIEW: ("🚧 Manual Review Required",),
}
SHAPES = (
    "### US-{n}: Work {n} {s}\n\n{b}\n",
    "## US-{n}: Work {n}\n\n**Status**: {s}\n\n{b}\n",
    "### PRIORITY {n}: US-{n} - Work {n} {s}\n{b}\n",
    "### 🔴 **PRIORITY {n}.5: Work {n}** {s}\n\n{b}\n\n```\n### US-999: Hidden\n```\n",
    "## Group {n}\n\n{b}\n",
    "### Notes\n\n{b}\n",
)
BODY = st.sampled_from(("Text.", "Other text.", "- a\n- b\n- c", "**Effort**: 3 h", "| a | b |\n|---|---|"))


@st.composite
def parts(draw: st.DrawFn, number: int) -> str:
    said = draw(st.sampled_from([said for texts in SAID.values() for said in texts]))
    return draw(st.sampled_from(SHAPES)).format(n=number, s=said, b=draw(BODY))


@st.composite
def edits(draw: st.DrawFn, before: list[str], first_new: int) -> list[str]:
    """Items of *before* removed, moved, replaced, restated, with new ones put anywhere."""
    after = list(before)
    for step in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(("status", "add", "body", "remove", "move", "again")))
        at = draw(st.integers(0, max(0, len(after) - 1)))
        if kind == "add" or not after:
            after.insert(at, draw(parts(first_new + step)))
        elif kind == "again":
            after.insert(at, draw(parts(draw(st.integers(1, 12)))))
        elif kind == "remove":
            del after[at]
        elif kind == "move":
            after.insert(draw(st.integers(0, len(after) - 1)), after.pop(at))
        elif kind == "body":
            after[at] = after[at].replace("Text.", draw(BODY)) + draw(st.sampled_from(("", "\nMore.\n")))
        else:
            for said in [said for texts in SAID.values() for said in texts if said in after[at]][:1]:
                after[at] = after[at].replace(said, draw(st.sampled_from(SAID[draw(st.sampled_from(list(SAID)))])))
    return after


@st.composite
def versions(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A base and two edits of it; sometimes both sides add the same numbers."""
    base = [draw(parts(number)) for number in draw(st.lists(st.integers(1, 9), unique=True, max_size=6))]
    ours = draw(edits(base, 20))
    theirs = draw(edits(base, draw(st.sampled_from((20, 30)))))
    separator, end = draw(st.sampled_from(("\n", "", "\n\n"))), draw(st.sampled_from(("\n", "\r\n")))
    trimmed = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    texts = ["# Roadmap\n\n" + separator.join(each) for each in (base, ours, theirs)]
    ready = [text.rstrip() if trim else text for text, trim in zip(texts, trimmed, strict=True)]
    first, second, third = (text.replace("\n", end).encode() for text in ready)
    return first, second, third


def names(data: bytes) -> Counter[Name]:
    return Counter(name for name, _ in split(data).items)


@given(versions())
@settings(max_examples=200, deadline=None)
def test_what_a_merge_may_do(drawn: tuple[bytes, bytes, bytes]) -> None:
    """No item is lost or doubled, no line invented, no status is behind what it should be; both ways or neither."""
    base, ours, theirs = drawn
    both = merge_roadmaps(base, ours, theirs)
    assert (both is None) == (merge_roadmaps(base, theirs, ours) is None)
    if both is None:
        return
    old, one, other, found = (names(data) for data in (base, ours, theirs, both))
    for name in old | one | other | found:
        assert found[name] <= max(one[name], other[name])
        removed = name in old and min(one[name], other[name]) < old[name]
        assert removed or found[name] == max(one[name], other[name])
    statuses = [dict(split(data).items) for data in (base, ours, theirs, both)]
    for name in [name for name in found if name in one and name in other and max(one[name], other[name]) == 1]:
        assert statuses[3][name] is merge_status(statuses[0].get(name), statuses[1][name], statuses[2][name])
    told = {said for texts in SAID.values() for said in texts}
    for line in both.decode().splitlines():
        known = line in ours.decode().splitlines() or line in theirs.decode().splitlines()
        assert known or not line or any(said.split("*")[0].strip() in line for said in told)


@given(versions())
@settings(max_examples=100, deadline=None)
def test_laws_of_identity(drawn: tuple[bytes, bytes, bytes]) -> None:
    """A side that changed nothing, and two that changed the same, give the other's bytes; blocks give the file's."""
    base, side, _ = drawn
    assert merge_roadmaps(base, side, base) == side
    assert merge_roadmaps(base, base, side) == side
    assert merge_roadmaps(base, side, side) == side
    assert join(split(side)) == side


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
@example(b"", b"", b"\xef\xbb\xbf")
@example(b"## \n### US-1: A", b"## \n", b"## \n\n\n")
def test_any_bytes(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Any bytes can be asked about, and are cut without loss."""
    head = b"### US-1: A \xf0\x9f\x93\x9d\n"
    merge_roadmaps(head + base, head + ours, theirs + head)
    assert join(split(base)) == base
    assert join(split(head + base + b"\n## X\n" + ours)) == head + base + b"\n## X\n" + ours
    assert merge_roadmaps(base, ours, base) == ours


@given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
def test_matches_are_a_common_subsequence(a: list[int], b: list[int]) -> None:
    """Matched elements are equal and in the same order on both sides; the unchanged are all matched."""
    found = match(a, b)
    assert all(a[at] == b[to] for at, to in found.items())
    assert [found[at] for at in sorted(found)] == sorted(set(found.values()))
    assert match(a, a) == {at: at for at in range(len(a))}


# --- lists of tasks -------------------------------------------------------------------------------

LIST = """\
# Tasks

## Phase 1: Setup

- [ ] T001 Create the folders
- [ ] T002 [P] Create src/a.py
- [ ] T003 [P] Create src/b.py
  - with a test

## Phase 2: Foundational

- [ ] **T004** Create src/c.py
"""


def ticked(*tasks: str, box: str = "x") -> str:
    text = LIST
    for task in tasks:
        for mark in ("", "**"):
            text = text.replace(f"[ ] {mark}{task}", f"[{box}] {mark}{task}")
    return text


def test_two_branches_tick_neighbours() -> None:
    """Boxes on lines next to each other, the same box twice, and another letter for it."""
    assert merged(ticked("T002"), ticked("T003", "T004"), LIST) == ticked("T002", "T003", "T004")
    assert merged(ticked("T002", box="X"), ticked("T002", "T001"), LIST) is not None
    assert merged(ticked("T002"), LIST.replace("src/a.py", "src/aa.py"), LIST) == ticked("T002").replace(
        "src/a.py", "src/aa.py"
    )


@given(*[st.sets(st.sampled_from(["T001", "T002", "T003", "T004"]))] * 2)
def test_ticks_add_up(ours: set[str], theirs: set[str]) -> None:
    """Whatever two sides ticked is ticked, and nothing else has changed."""
    assert merged(ticked(*ours), ticked(*theirs), LIST) == ticked(*ours, *theirs)


def test_a_task_that_both_sides_wrote_differently_takes_a_person() -> None:
    """Two new texts of one line, and two new tasks in one place."""
    assert merged(LIST.replace("src/a.py", "src/x.py"), LIST.replace("src/a.py", "src/y.py"), LIST) is None
    end = "- [ ] **T004** Create src/c.py\n"
    assert merged(LIST.replace(end, end + "- [ ] T005 x\n"), LIST.replace(end, end + "- [ ] T005 y\n"), LIST) is None
