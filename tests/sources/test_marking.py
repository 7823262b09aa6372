"""Marking an item complete: the status changes, no other byte does."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import Status, TaskId
from coffee_hooks.sources.marking import mark_complete
from coffee_hooks.sources.roadmap import parse_roadmap

US1 = TaskId("US-1")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("### US-1: A 📝 Planned", "### US-1: A ✅ Complete"),
        ("### US-1: A 📝 Planned (soon) ###", "### US-1: A ✅ Complete (soon) ###"),
        (
            "### US-1: A\n\n**Status**: 📝 PLANNED - HIGH PRIORITY",
            "### US-1: A\n\n**Status**: ✅ Complete - HIGH PRIORITY",
        ),
        ("### US-1: A 📝 Planned\n**Status**: 🔄 In Progress", "### US-1: A ✅ Complete\n**Status**: ✅ Complete"),
        ("### US-1: A ✅ Complete\n**Status**: 📝 Planned", "### US-1: A ✅ Complete\n**Status**: ✅ Complete"),
        (
            "### US-1: A\n**Status**: 📝 **PLANNED** (2025-10-10)",
            "### US-1: A\n**Status**: ✅ **Complete** (2025-10-10)",
        ),
        ("### US-1: A\n**Status:** ⏸️ Blocked by rain", "### US-1: A\n**Status:** ✅ Complete by rain"),
        ("### US-1: A (In Progress)", "### US-1: A (✅ Complete)"),
        ("### 🔴 **PRIORITY 2: US-1 - A** 🔄 **IN PROGRESS**", "### 🔴 **PRIORITY 2: US-1 - A** ✅ **Complete**"),
        ("## 📝 PLANNED: US-1 - A", "## ✅ COMPLETE: US-1 - A"),
        ("## 🔄 US-1 - A", "## ✅ US-1 - A"),
        ("### US-1: A 🔄", "### US-1: A ✅ Complete"),
        ("- [ ] US-1: A", "- [x] US-1: A"),
        ("- **US-1**: A 📝 Planned", "- **US-1**: A ✅ Complete"),
        (
            "### PRIORITY 3: US-1 - A 📝 Planned\n### US-1: A 📝 Planned",
            "### PRIORITY 3: US-1 - A ✅ Complete\n### US-1: A ✅ Complete",
        ),
        ("### US-1 through US-2: R\n- US-1: A 📝 Planned", "### US-1 through US-2: R\n- US-1: A ✅ Complete"),
    ],
)
def test_only_the_status_changes(before: str, after: str) -> None:
    """Heading, body, label, box and bold are each replaced in their own form, tails and neighbours stay."""
    other = "\n### US-9: B 📝 Planned\n\n**Status**: 📝 Planned\n"
    marked = mark_complete((before + other).encode(), US1)
    assert marked is not None
    assert marked.decode() == after + other


def test_other_bytes_survive() -> None:
    """Line ends of each line, a byte order mark, broken UTF-8 and a missing last newline stay as they were."""
    before = b"\xef\xbb\xbf### US-1: A \xf0\x9f\x93\x9d Planned\r\n\xff\xfe\0\n**Status**: Planned\r\rx"
    assert (
        mark_complete(before, US1)
        == b"\xef\xbb\xbf### US-1: A \xe2\x9c\x85 Complete\r\n\xff\xfe\0\n**Status**: \xe2\x9c\x85 Complete\r\rx"
    )


def test_a_complete_item_is_left_alone() -> None:
    """Marking twice is marking once, and a heading that lags behind its body is not our business."""
    data = "### US-1: A 📝 Planned\n**Status**: ✅ COMPLETE (2025)\n".encode()
    assert mark_complete(data, US1) is data


@pytest.mark.parametrize(
    "text",
    [
        "### US-2: B 📝 Planned\n",
        "### US-1: A\ntext\n",
        "### US-1: A\n**Status**: 🚨 Critical\n",
        "- US-1: A\n",
        "### US-1 through US-3: R 📝 Planned\n",
        "### US-1: Sync 📝 Planned\n### US-1: Another work 📝 Planned\n",
        "```\n### US-1: A 📝 Planned\n```\n",
    ],
)
def test_what_is_not_understood_is_not_touched(text: str) -> None:
    """No item, no status, a status shared by others, two open works under one id: None."""
    assert mark_complete(text.encode(), US1) is None


def test_a_status_beside_broken_bytes_is_not_touched() -> None:
    """Columns in a line that is not UTF-8 cannot be trusted."""
    assert mark_complete(b"### US-1: \xff\xff \xf0\x9f\x93\x9d Planned\n", US1) is None


def test_the_unfinished_one_of_two_works_is_marked() -> None:
    """With a finished work of the same number the open one is the item."""
    text = "### US-1: Old ✅ Complete\n### US-1: Guard the branch 📝 Planned\n"
    marked = mark_complete(text.encode(), US1)
    assert marked == text.replace("📝 Planned", "✅ Complete").encode()
    assert parse_roadmap(marked).items[0].status is Status.COMPLETE


def test_padding_of_the_name_does_not_matter() -> None:
    """US-1 marks US-001."""
    assert mark_complete("### US-001: A 📝 Planned".encode(), US1) == "### US-001: A ✅ Complete".encode()


LIST = "# Tasks\n\n- [ ] T001 [P] Do a\n  - [ ] part\n- [X] T002 Do b\n- [ ] **T003** Do c\n- [ ] T003 Do c\n"


def test_the_box_of_a_listed_task_is_ticked() -> None:
    """That box alone, and every line that repeats the task; CRLF and a byte order mark stay."""
    for data in (LIST.encode(), b"\xef\xbb\xbf" + LIST.replace("\n", "\r\n").encode()):
        assert mark_complete(data, TaskId("T001")) == data.replace(b"- [ ] T001", b"- [x] T001")
        assert mark_complete(data, TaskId("t1".upper())) == data.replace(b"- [ ] T001", b"- [x] T001")
        assert mark_complete(data, TaskId("T002")) == data
        ticked = data.replace(b"- [ ] **T003", b"- [x] **T003").replace(b"- [ ] T003", b"- [x] T003")
        assert mark_complete(data, TaskId("T003")) == ticked
        assert mark_complete(data, TaskId("T004")) is None


def test_one_id_for_two_works_is_not_ticked() -> None:
    """Which of them landed is anybody's guess."""
    assert mark_complete(b"- [ ] T001 Make a\n- [ ] T001 Paint b\n", TaskId("T001")) is None
