"""The roadmap parser: one item per work, in any shape, with a notice for every doubt."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import RoadmapItem, Status
from coffee_hooks.sources.roadmap import Roadmap, parse_roadmap

SHAPES = """\
# Roadmap

### Example: how to write one

```markdown
### PRIORITY 1: Example ✅ Complete
### PRIORITY 2: Other example 📝 Planned
```

## 🔴 TOP PRIORITY (START HERE)

- PRIORITY 24 - US-107 Resolver 🔴 (CRITICAL)
- PRIORITY 26 - US-109 Separator

### PRIORITY 11: US-072 - Design the Orchestrator ✅ Complete

**Status**: ✅ Complete - delivered

### PRIORITY 24: US-107 - Conflict Resolver 📝 Planned

**Status**: 📝 Planned

### PRIORITY 25: Skill Loading 📝 Planned
text

## 🚨 US-021 - Refactoring (HIGHEST PRIORITY)
**Status**: 🔄 In Progress (60% complete)
### Notes
**Status**: ✅ Complete

## 📝 PLANNED: US-023 - Clear Hierarchy

## ✅ COMPLETE: US-016 - Generate Specs

**Status**: ✅ **COMPLETE** (2025-10-16)

## ✅ US-016 COMPLETION SUMMARY (2025-10-16)

All of it.

### 🎯 [US-001] Deploy
**Status**: ✅ ASSIGNED TO PRIORITY 6

### 🔴 **PRIORITY 1.5: Database Sync** ✅ **COMPLETE**

### US-047: Enforce it 📝 Planned

**Status**: ✅ Complete

### US-072: Design the Orchestrator ✅ Complete

A much longer description of the same work, which is the one to read.

**Blocks**: US-073

### US-073 through US-075: Reflector

- US-073: Message bus - 10 hours
- US-074: Monitor ✅
"""


def items(text: str) -> dict[str, RoadmapItem]:
    return {item.id: item for item in parse_roadmap(text.encode()).items}


def codes(roadmap: Roadmap) -> list[str]:
    return [notice.code for notice in roadmap.notices]


def test_every_shape_is_found_once_and_nothing_else() -> None:
    """All shapes of one document give exactly its items, in the order of the roadmap."""
    found = parse_roadmap(SHAPES.encode()).items
    assert [(item.id, item.status.value) for item in found] == [
        ("US-109", "unknown"),
        ("US-072", "complete"),
        ("US-107", "planned"),
        ("PRIORITY-25", "planned"),
        ("US-021", "in-progress"),
        ("US-023", "planned"),
        ("US-016", "complete"),
        ("US-001", "unknown"),
        ("PRIORITY-1.5", "complete"),
        ("US-047", "complete"),
        ("US-073", "unknown"),
        ("US-074", "complete"),
        ("US-075", "unknown"),
    ]


def test_the_same_work_under_two_names_is_one_item() -> None:
    """The fuller section gives text and lines, the other its alias; the order is that of the first."""
    item = items(SHAPES)["US-072"]
    assert item.aliases == ("PRIORITY-11",)
    assert item.title == "Design the Orchestrator"
    assert "much longer description" in item.text
    assert SHAPES.split("\n")[item.line - 1] == "### US-072: Design the Orchestrator ✅ Complete"


def test_a_range_shares_its_text_and_each_member_has_its_bullet() -> None:
    """Members of a range have the title and the status of their own bullet."""
    found = items(SHAPES)
    assert [found[name].title for name in ("US-073", "US-074", "US-075")] == [
        "Message bus - 10 hours",
        "Monitor",
        "Reflector",
    ]
    assert found["US-073"].text == found["US-075"].text
    assert not found["US-073"].weak


def test_an_item_that_is_only_listed_is_weak() -> None:
    """A bullet makes an item that nobody described, with its own lines as text."""
    item = items(SHAPES)["US-109"]
    assert (item.weak, item.title, item.text) == (True, "Separator", "- PRIORITY 26 - US-109 Separator")
    assert item.aliases == ("PRIORITY-26",)


def test_an_item_ends_where_the_next_begins() -> None:
    """No item swallows its follower; headings below it belong to it."""
    found = items("## US-1: A\nx\n### Part\ny\n### US-2: B\nz\n## Other\nq\n\n")
    assert (found["US-1"].text, found["US-1"].end_line) == ("## US-1: A\nx\n### Part\ny", 4)
    assert found["US-2"].text == "### US-2: B\nz"


def test_the_body_wins_over_the_heading_and_the_doubt_is_told() -> None:
    """A heading that still says planned does not reopen a finished item."""
    roadmap = parse_roadmap(b"### US-47: A \xf0\x9f\x93\x9d Planned\n\n**Status**: Complete\n", "docs/R.md")
    assert roadmap.items[0].status is Status.COMPLETE
    (notice,) = roadmap.notices
    assert (notice.code, notice.path, notice.line) == ("status-disagreement", "docs/R.md", 1)
    assert "planned (line 1), complete (line 3)" in notice.message


@pytest.mark.parametrize(
    "line",
    [
        "**Status**: 📝 Planned",
        "**Status:** Planned",
        "- **Status**: Planned",
        "Status: Planned",
        "| **Status** | Planned |",
        "📊 **Status**: Planned",
    ],
)
def test_status_lines_have_many_forms(line: str) -> None:
    """A status line is read with and without bold, bullet, table and emoji."""
    assert items(f"### US-1: A\n\n{line}\n")["US-1"].status is Status.PLANNED


def test_a_status_below_the_next_heading_is_not_the_item_s() -> None:
    """Phases have statuses of their own."""
    assert items("## US-1: A 📝 Planned\n### Phase 1\n**Status**: ✅ Complete\n")["US-1"].status is Status.PLANNED


def test_the_list_says_done_but_the_item_does_not() -> None:
    """A tick in a list finishes no item whose own section says planned; the doubt is told."""
    roadmap = parse_roadmap("- **US-62**: Startup ✅\n\n### US-62: Startup skill\n**Status**: 📝 Planned\n".encode())
    assert [item.status for item in roadmap.items] == [Status.PLANNED]
    assert codes(roadmap) == ["status-disagreement"]


def test_statuses_of_two_sections_move_forward() -> None:
    """Where two sections of one work disagree, the one that is further along counts."""
    roadmap = parse_roadmap(
        "### PRIORITY 13: US-48 - Silence ✅ Complete\n\n### US-48: Silence\n**Status**: 🔄 In Progress\n".encode()
    )
    assert [item.status for item in roadmap.items] == [Status.COMPLETE]
    assert "status-disagreement" in codes(roadmap)


def test_one_id_for_two_works_keeps_the_unfinished_one() -> None:
    """Planned work is never hidden behind finished work of the same number, and both lines are named."""
    roadmap = parse_roadmap(
        "### US-56: Skills phase 2 ✅ Complete\n\n### US-56: Guard the branch 📝 Planned\n".encode()
    )
    assert [(item.id, item.title, item.line) for item in roadmap.items] == [("US-56", "Guard the branch", 3)]
    (notice,) = roadmap.notices
    assert notice.code == "duplicate"
    assert "'Skills phase 2' (line 1) and 'Guard the branch' (line 3); line 3 is used" in notice.message


def test_two_unfinished_works_of_one_id_keep_the_first() -> None:
    """Without a finished one the first described counts."""
    roadmap = parse_roadmap(b"### US-56: Skills\n\n### US-56: Guard the branch\nmuch more text about it\n")
    assert [item.title for item in roadmap.items] == ["Skills"]
    assert codes(roadmap) == ["duplicate"]


def test_titles_that_differ_in_a_number_are_different_works() -> None:
    """Phase 1 and phase 2 are not one work."""
    roadmap = parse_roadmap(b"### US-5: Skills for agents phase 1\n### US-5: Skills for agents phase 2\n")
    assert codes(roadmap) == ["duplicate"]


def test_spellings_of_one_id_are_one_item() -> None:
    """US-24 and US-024 are the same story; the roadmap's fuller section gives the padding."""
    found = parse_roadmap(b"### US-24: Sync\n### US-024: Sync\nmore\n").items
    assert [item.id for item in found] == ["US-024"]


def test_a_priority_and_its_story_are_joined_by_their_title() -> None:
    """``PRIORITY 25: T`` and ``PRIORITY 25: US-109 - T`` are one work; another title is another work."""
    joined = parse_roadmap(b"### PRIORITY 25: Task separator\ntext\n### PRIORITY 25: US-109 - Task separator\n").items
    assert [(item.id, item.aliases) for item in joined] == [("US-109", ("PRIORITY-25",))]
    apart = parse_roadmap(b"### PRIORITY 9: Daily talk\n### PRIORITY 9: US-9 - Report generator\n")
    assert [(item.id, item.aliases) for item in apart.items] == [("PRIORITY-9", ()), ("US-9", ())]
    assert codes(apart) == ["duplicate"]


def test_an_alias_is_told() -> None:
    """A person who reads PRIORITY-11 somewhere learns which item that is."""
    (notice,) = parse_roadmap(b"### PRIORITY 11: US-72 - Design\n").notices
    assert (notice.code, notice.message) == ("alias", "US-72 (line 1) is also called PRIORITY-11")


def test_blocks_becomes_a_dependency_of_the_other() -> None:
    """Consumers read depends_on alone: who is blocked depends on who says so, at the line that says it."""
    found = items("### US-1: A\n**Blocks**: US-2, PRIORITY 7\n### US-2: B\n### PRIORITY 7: US-3 - C\n")
    assert [(r.task, r.line) for r in found["US-2"].depends_on] == [("US-1", 2)]
    assert [(r.task, r.line) for r in found["US-3"].depends_on] == [("US-1", 2)]
    assert [r.task for r in found["US-1"].blocks] == ["US-2", "US-3"]


def test_dependencies_are_resolved_through_aliases_and_padding() -> None:
    """PRIORITY 11 and US-72 and US-072 are one dependency; nobody depends on himself; unknown ids stay."""
    text = "### PRIORITY 11: US-072 - Design\n### US-3: C\n**Depends On**: PRIORITY 11, US-72 ✅, US-3, US-999\n"
    found = items(text)["US-3"].depends_on
    assert [(r.task, r.satisfied) for r in found] == [("US-072", True), ("US-999", False)]


def test_lists_of_references_make_no_items() -> None:
    """Ids under a label of dependency are named, not described."""
    text = "### US-1: A\n**Builds On**:\n- US-27: B\n\n**Dependencies**:\n- **US-28**: C\n\n**Stories**:\n- US-29: D\n"
    assert list(items(text)) == ["US-1", "US-29"]


def test_a_loose_heading_inside_a_known_item_is_its_text() -> None:
    """``### US-2 and US-1`` below US-1 cuts no item in two."""
    found = items("## US-1: A\nx\n### US-2 and US-1 compared\ny\n## US-2: B\n")
    assert list(found) == ["US-1", "US-2"]
    assert found["US-1"].text.endswith("y")


def test_a_loose_heading_alone_is_an_item() -> None:
    """What nobody else describes is not dropped for its shape."""
    assert list(items("# R\n#### US-9: Deep\n**Status**: Planned\n1. text\n### 1. US-10: Numbered\n")) == [
        "US-9",
        "US-10",
    ]


def test_a_fence_that_swallows_items_is_told() -> None:
    """A closing fence that sits too low hides real items from every parser: nine once, and nobody noticed."""
    text = (
        "### Example\n```markdown\n### PRIORITY 1: Example\n"
        + "text\n" * 100
        + "### US-2: Real 📝 Planned\n```\n### US-3: Seen\n"
    )
    roadmap = parse_roadmap(text.encode())
    assert [item.id for item in roadmap.items] == ["US-3"]
    (notice,) = roadmap.notices
    assert (notice.code, notice.line) == ("fence-hides-items", 2)
    assert "PRIORITY-1, US-2" in notice.message


@pytest.mark.parametrize(
    "text", ["### Example\n```\n### US-1: A\n```\n", "```python\n### US-1: A\n```\n", "<!--\n### US-1: A\n-->\n"]
)
def test_an_example_is_no_news(text: str) -> None:
    """Short announced examples, code and comments hide item-shaped lines on purpose."""
    roadmap = parse_roadmap(text.encode())
    assert (roadmap.items, roadmap.notices) == ((), ())


def test_an_unclosed_fence_is_told() -> None:
    """Everything below an open fence is gone, so the line to repair is named."""
    roadmap = parse_roadmap(b"### US-1: A\n~~~\n### US-2: B\n")
    assert [item.id for item in roadmap.items] == ["US-1"]
    assert [(notice.code, notice.line) for notice in roadmap.notices] == [
        ("unclosed-fence", 2),
        ("fence-hides-items", 2),
    ]


def test_undecodable_bytes_hide_nothing() -> None:
    """Bytes that are not UTF-8, and NULs, are told and read around."""
    roadmap = parse_roadmap(b"\xff\xfe\0\n### US-1: A\n", "R.md")
    assert ([item.id for item in roadmap.items], roadmap.readable) == (["US-1"], False)
    assert [(notice.code, str(notice)[:5]) for notice in roadmap.notices] == [("undecodable", "R.md:")]


def test_windows_line_ends_change_nothing() -> None:
    """A CRLF file gives the same items as an LF one, lines included."""
    one, other = parse_roadmap(SHAPES.encode()), parse_roadmap(SHAPES.replace("\n", "\r\n").encode())
    assert one == other


def test_an_empty_roadmap_has_no_items() -> None:
    """No bytes, no items, no notices."""
    assert parse_roadmap(b"").items == ()
    assert parse_roadmap(b"# Roadmap\n\ntext about US-1\n").items == ()
