"""The status lattice on every form that was seen in a roadmap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Status
from coffee_hooks.sources.status import is_status_phrase, locate_status, read_status

FORMS = {
    Status.COMPLETE: [
        "✅ Complete",
        "✅ **COMPLETE** (2025-10-12)",
        "✅ COMPLETED",
        "✅",
        "✅ 2025-10-17",
        "☑ done",
        "✔️ Done",
        "✅ MVP COMPLETE",
        "✅ **MVP COMPLETE** (core done - 100%)",
        "✅ **100% COMPLETE** - Option A",
        "✅ **FULLY COMPLETE**",
        "✅ Complete ✅ **VERIFIED 2025-10-19**",
        "✅ COMPLETE (2025-10-20) - 🔴 CRITICAL PRIORITY (2x velocity)",
        "✅ Complete - Phase 3",
        "✅ **ALL SPRINTS COMPLETED** (7 sprints: 1, 2)",
        "✅ **FIXED** (commit 1234567)",
        "**🎉 PRODUCTION READY** - all of it",
        "~~📝 Planned~~ ✅ Complete",
        "complete",
        "DONE!",
        "Implemented",
    ],
    Status.PLANNED: [
        "📝 Planned",
        "📝 **PLANNED** (To be implemented in PRIORITY 2.6 or 2.7)",
        "📝 PLANNED - AWAITING ARCHITECT TECHNICAL SPEC",
        "📝 Planned (US-045 Complete - Now Unblocked!)",
        "📝 Planned ← Next to implement",
        "📝 Backlog",
        "📝 In Planning",
        "📝 READY TO IMPLEMENT",
        "📝",
        "📝 **START THIS NOW** - it is first in the queue",
        "📝 NOT COMPLETE - this story",
        "✅ READY FOR IMPLEMENTATION",
        "✅ APPROVED - READY FOR IMPLEMENTATION",
        "✅ SPEC COMPLETE",
        "Planned",
        "planned",
        "Backlog",
        "To Do",
        "Not started",
        "not yet implemented",
        "Open",
        "Ready",
    ],
    Status.IN_PROGRESS: [
        "🔄 In Progress",
        "🔄 In Progress (60% complete)",
        "🔄",
        "✅ PARTIALLY COMPLETE",
        "🔄 Partially Complete - overview made",
        "🔄 **MOSTLY COMPLETE** (core done)",
        "✅ PHASE 1 COMPLETE - all agents made",
        "✅ PHASE 1/2 COMPLETE",
        "✅ **PHASE 2 COMPLETE** - interactive",
        "PHASE 5 COMPLETE, PHASE 6 IN PROGRESS",
        "🔄 Complete",
        "85% complete",
        "WIP",
        "HIGH PRIORITY - In Progress",
        "🚧 In Progress",
    ],
    Status.BLOCKED: [
        "⏸️ Blocked",
        "⏸ Blocked",
        "⏸️ Blocked by US-045",
        "⏸️ Deferred until US-006 complete",
        "On hold",
        "Blocked: waiting for US-7",
        "🚫",
        "Cancelled",
    ],
    Status.MANUAL_REVIEW: ["🚧 Manual Review Required", "🚧", "Needs review", "🧪 Ready for User Testing", "In review"],
    Status.UNKNOWN: [
        "",
        "🚨 Critical - Blocking daemon operation",
        "✅ ASSIGNED TO PRIORITY 6",
        "❌ **FAILED** - it did not help",
        "Unblocked",
        "TBD",
        "🟢 LOW-PRIORITY",
        "Phase 1",
    ],
}


@pytest.mark.parametrize(("text", "status"), [(text, status) for status, texts in FORMS.items() for text in texts])
def test_status_forms(text: str, status: Status) -> None:
    """A tick is not done, a part is not the whole, and a tail after the first dash or bracket changes nothing."""
    assert read_status(text) is status


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("📝 Planned - soon", "📝 Planned"),
        ("📝 **PLANNED** (later)", "📝 **PLANNED"),
        ("**⏸️ Blocked** by rain", "⏸️ Blocked"),
        ("🔴 ✅ Complete", "✅ Complete"),
        ("In Progress", "In Progress"),
        ("📝", "📝"),
    ],
)
def test_the_span_holds_emoji_and_words_only(text: str, span: str) -> None:
    """What marking replaces is the status itself, never its tail."""
    found = locate_status(text)
    assert found is not None
    assert text[found.start : found.end] == span


def test_a_phrase_is_nothing_but_status() -> None:
    """``(In Progress)`` after a title is a status, a word of a title is not."""
    assert is_status_phrase("**In Progress**")
    assert not is_status_phrase("Complete the docs")


@given(st.text(max_size=400))
def test_no_text_raises_and_spans_lie_inside(text: str) -> None:
    """Any text has a status; where one is found its span is a part of the text."""
    found = locate_status(text)
    assert found is None or 0 <= found.start < found.end <= len(text)
