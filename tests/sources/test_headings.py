"""The grammar of headings and bullets: every shape that names an item, and the friends that do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Status
from coffee_hooks.sources.headings import Form, parse_item_bullet, parse_item_heading

DONE, PLANNED, WORKING = Status.COMPLETE, Status.PLANNED, Status.IN_PROGRESS


@pytest.mark.parametrize(
    ("line", "task", "title", "status"),
    [
        ("### US-042: Read context upfront", "US-042", "Read context upfront", None),
        (
            "### US-047: Only the architect writes specs 📝 Planned",
            "US-047",
            "Only the architect writes specs",
            PLANNED,
        ),
        ("## US-110: Trace to a database (CFR-014)", "US-110", "Trace to a database (CFR-014)", None),
        ("### 🔴 **PRIORITY 1.5: Database Sync** ✅ **COMPLETE**", "PRIORITY-1.5", "Database Sync", DONE),
        ("### 🟡 **PRIORITY 7: Optional Cleanup** (if needed)", "PRIORITY-7", "Optional Cleanup", None),
        ("### 🔴 **PRIORITY 2: Roadmap CLI** ⚡ NEW 🎯 **FOUNDATION**", "PRIORITY-2", "Roadmap CLI", None),
        ("### 🔴 **PRIORITY 2.7: Crash Recovery** 🔄 **RELIABILITY**", "PRIORITY-2.7", "Crash Recovery", None),
        ("### ✅ **PRIORITY 5: Dashboard** ⚡ COMPLETE", "PRIORITY-5", "Dashboard", DONE),
        ("### ✅ **PRIORITY 2.9.5: Assistant** 🤝 **COMPLETE**", "PRIORITY-2.9.5", "Assistant", DONE),
        ("### 🎯 [US-001] Deploy it", "US-001", "Deploy it", None),
        ("## 📝 PLANNED: US-023 - Module Hierarchy", "US-023", "Module Hierarchy", PLANNED),
        ("## 📝 READY TO IMPLEMENT: US-012 - Stories", "US-012", "Stories", PLANNED),
        ("## ✅ COMPLETE: US-011 - Docs", "US-011", "Docs", DONE),
        ("## ✅ RECENTLY COMPLETED: US-010 - Tutorials", "US-010", "Tutorials", DONE),
        ("## 🔄 IN PROGRESS: US-023 - Hierarchy", "US-023", "Hierarchy", WORKING),
        ("## 🔴 NEXT HIGH PRIORITY: US-033 - App [🟠 HIGH-PRIORITY]", "US-033", "App", None),
        ("## 🔴 MUST-HAVE: US-034 - Slack", "US-034", "Slack", None),
        ("## 🚨 US-021 - Refactoring (HIGHEST PRIORITY)", "US-021", "Refactoring (HIGHEST PRIORITY)", None),
        ("## PRIORITY 4.1: Browser ✅ Complete", "PRIORITY-4.1", "Browser", DONE),
        ("## 📦 PRIORITY 3: Package & Binaries", "PRIORITY-3", "Package & Binaries", None),
        ("### PRIORITY 25: Skill Loading 📝 Planned - Phase 4", "PRIORITY-25", "Skill Loading", PLANNED),
        (
            "### PRIORITY 27: BUG-XXX - Fix the reviewer 🔴 P0 CRITICAL",
            "PRIORITY-27",
            "BUG-XXX - Fix the reviewer",
            None,
        ),
        ("### PRIORITY 9: Talk ⏸️ Blocked by US-045", "PRIORITY-9", "Talk", Status.BLOCKED),
        ("### PRIORITY 9: Talk ⏸ Blocked", "PRIORITY-9", "Talk", Status.BLOCKED),
        ("### PRIORITY 2.5: Docs 🚧 Manual Review Required", "PRIORITY-2.5", "Docs", Status.MANUAL_REVIEW),
        ("### ☁️ US-5: Cloud ✅", "US-5", "Cloud", DONE),
        ("## ✅ US-032 - ACE - PHASE 3 COMPLETE", "US-032", "ACE", WORKING),
        ("### **US-104**: Bold id", "US-104", "Bold id", None),
        ("## **[US-104] All bold** (In Progress)", "US-104", "All bold", WORKING),
        ("### [US-104](specs/x.md): Linked", "US-104", "Linked", None),
        ("### US-12 — long dash", "US-12", "long dash", None),
        ("### us-104: lower case", "US-104", "lower case", None),
        ("### User Story: US-3 - Labelled", "US-3", "Labelled", None),
        ("### US-104 (PRIORITY 20): Alias behind", "US-104", "Alias behind", None),
        ("### US-1: Support ✅ emoji in titles", "US-1", "Support ✅ emoji in titles", None),
        ("### US-2: Fix the done button [DONE]", "US-2", "Fix the done button", DONE),
        ("### US-5: Complete the onboarding", "US-5", "Complete the onboarding", None),
        ("### US-7: Ship __init__ and snake_case ✅ Complete", "US-7", "Ship __init__ and snake_case", DONE),
        ("### 1️⃣ US-8: Keycap", "US-8", "Keycap", None),
        ("  ### US-9: Closed ###", "US-9", "Closed", None),
        ("### US-104", "US-104", "", None),
    ],
)
def test_shapes_of_item_headings(line: str, task: str, title: str, status: Status | None) -> None:
    """Each shape gives its id, a clean title and the status that the heading itself states."""
    found = parse_item_heading(line)
    assert found is not None
    assert (found.form, found.ids, found.title) == (Form.SECTION, (task,), title)
    assert (found.status.status if found.status else None) is status


@pytest.mark.parametrize(
    ("line", "task", "alias"),
    [
        ("### PRIORITY 11: US-072 - Design ✅ Complete", "US-072", "PRIORITY-11"),
        ("### PRIORITY 20 - US-104 - Loop 📝 Planned", "US-104", "PRIORITY-20"),
        ("### PRIORITY 2.5: [US-104] Loop", "US-104", "PRIORITY-2.5"),
        ("### US-104 (PRIORITY 20): Loop", "US-104", "PRIORITY-20"),
    ],
)
def test_a_priority_with_a_story_is_that_story(line: str, task: str, alias: str) -> None:
    """The story's number is the id, the priority's number an alias."""
    found = parse_item_heading(line)
    assert found is not None
    assert (found.ids, found.aliases) == ((task,), (alias,))


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("### US-073 through US-075", ""),
        ("### US-073 through US-075: Reflector", "Reflector"),
        ("## US-073 - US-075: R", "R"),
    ],
)
def test_ranges_are_expanded(line: str, title: str) -> None:
    """A heading for several ids names each of them."""
    found = parse_item_heading(line)
    assert found is not None
    assert (found.form, found.ids, found.title) == (Form.RANGE, ("US-073", "US-074", "US-075"), title)


@pytest.mark.parametrize(
    "line",
    [
        "#### Week 4: Daemon 🔴 PRIORITY 2 ⚡ **GAME CHANGER** 🤖",
        "### Group 1: Analysis Skills (US-090 through US-096) ✅ **COMPLETE**",
        "### Future Enhancements (Post-PRIORITY 3)",
        "### **Database Schema** (extends US-015)",
        "### Dashboard (Priority 4)",
        "### **After PRIORITY 2: You Stop Coding** ✨",
        "### ✅ Workflow Enhancement (PRIORITY 33)",
        "## 🚀 FRAMEWORK - USER STORIES (US-062 through US-103)",
        "## 🚨 Priority Reorganization (2025-10-09)",
        "## PR #48: [US-003] Tracking",
        "## 📝 US-XXX - [Title]",
        "### EXAMPLE: US-3 - Not one",
        "### BUG-104: Other tracker",
        "### US-104a: Letter",
        "### STATUS-12: Ends like one",
        "    ### US-1: Code",
        "US-1: No heading",
    ],
)
def test_false_friends_are_no_items(line: str) -> None:
    """Headings that only mention an id are not work items."""
    assert parse_item_heading(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "## ✅ US-016 COMPLETION SUMMARY (2025-10-16)",
        "### 1. US-015: Estimation",
        "### US-104 and US-105 notes",
        "#### US-9: Level four",
        "# US-9: Level one",
        "### Priority 4: Mixed case",
    ],
)
def test_doubtful_headings_are_loose(line: str) -> None:
    """A heading that may be an item or talk about one is left to the rest of the roadmap to decide."""
    found = parse_item_heading(line)
    assert found is not None
    assert found.form is Form.LOOSE


@pytest.mark.parametrize(
    ("line", "task", "aliases", "title", "status"),
    [
        ("- **US-091**: Build the index ✅", "US-091", (), "Build the index", DONE),
        (
            "- PRIORITY 25 - US-109 Separator (Check: Files)",
            "US-109",
            ("PRIORITY-25",),
            "Separator (Check: Files)",
            None,
        ),
        ("- ✅ **US-061: Decision** (2025-10-18)", "US-061", (), "Decision", DONE),
        ("1. **US-016**: Specs (4-5 days)", "US-016", (), "Specs (4-5 days)", None),
        ("  * US-073: Message bus", "US-073", (), "Message bus", None),
        ("- [ ] US-7 Ship it", "US-7", (), "Ship it", PLANNED),
        ("- [x] US-7: Ship it", "US-7", (), "Ship it", DONE),
        ("- [US-8] Bracketed", "US-8", (), "Bracketed", None),
        ("- US-031: Environment (in progress)", "US-031", (), "Environment", WORKING),
    ],
)
def test_bullets_name_items(line: str, task: str, aliases: tuple[str, ...], title: str, status: Status | None) -> None:
    """A bullet with an id and a text is an item, if a weak one."""
    found = parse_item_bullet(line)
    assert found is not None
    assert (found.ids, found.aliases, found.title) == ((task,), aliases, title)
    assert (found.status.status if found.status else None) is status


@pytest.mark.parametrize(
    "line",
    [
        "- US-035 (Singleton) first",
        "- US-034 marked as done",
        "- US-012/US-013: both",
        "- US-058+: later",
        "- see US-1: x",
    ],
)
def test_prose_in_bullets_is_no_item(line: str) -> None:
    """A bullet that speaks of an id does not name an item."""
    assert parse_item_bullet(line) is None


@given(st.text(max_size=120), st.sampled_from(["", "### ", "### US-1: ", "- ", "- US-1: ", "## PRIORITY 1: US-2 - "]))
def test_the_grammar_never_raises(text: str, prefix: str) -> None:
    """Any line is an item or not, and a status lies inside its line."""
    line = prefix + text.replace("\n", " ")
    for found in (parse_item_heading(line), parse_item_bullet(line)):
        if found and found.status:
            assert 0 <= found.status.start < found.status.end <= len(line)
