"""What a text depends on: labels, bullets, sections, and the traps among them."""

from __future__ import annotations

import pytest

from coffee_hooks.sources.dependencies import Dependencies, opens_reference_list, read_dependencies
from coffee_hooks.sources.markdown import scan


def read(text: str) -> Dependencies:
    document = scan(text)
    return read_dependencies(document, 1, len(document.lines))


def needs(text: str) -> list[str]:
    return [reference.task for reference in read(text).depends_on]


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("**Dependencies**: US-047 must be complete", ["US-047"]),
        ("**Dependency**: Requires PRIORITY 2.6 completion", ["PRIORITY-2.6"]),
        ("**Depends On**: US-035 (must be first)", ["US-035"]),
        ("**Blocked By**: US-062, US-063", ["US-062", "US-063"]),
        ("Blocked by: US-062", ["US-062"]),
        ("- Depends on US-062", ["US-062"]),
        ("**Dependencies:** US-1", ["US-1"]),
        ("**Prerequisites**:\n- US-056: Enforce it 🚨 REQUIRED\n\n- US-057: other list", ["US-056"]),
        (
            "**Dependencies**:\n\n- ✅ US-035 (One) - COMPLETE\n- 📝 US-038\n\n**Unblocks**:\n- US-099",
            ["US-035", "US-038"],
        ),
        ("**Requires US-035 Complete**:\n- it must be in place", ["US-035"]),
        ("**Dependencies**:\nUS-1 and US-2", ["US-1", "US-2"]),
        ("**Dependencies**: US-062 through US-064", ["US-062", "US-063", "US-064"]),
        ("### Dependencies\n\n- US-101\n- rich>=13\n\n### Next\n- US-102: no", ["US-101"]),
        ("#### Dependencies\n**Required**:\n- PRIORITY 3\n\n**Recommended**:\n- PRIORITY 4", ["PRIORITY-3"]),
        ("### Prerequisites & Dependencies\n- US-7", ["US-7"]),
        ("**Dependencies**: Dashboards (PRIORITY 5, 5.5) are stable", ["PRIORITY-5", "PRIORITY-5.5"]),
    ],
)
def test_labels_name_dependencies(text: str, tasks: list[str]) -> None:
    """Every label and place that names what comes first is read."""
    assert needs(text) == tasks


@pytest.mark.parametrize(
    "text",
    [
        "**Dependencies**: None",
        "**Dependencies**: N/A",
        "**Blocked By**: None (READY TO START - US-061 clarity obtained, US-059 in parallel)",
        "**Blocked By**: ✅ **NONE - Ready to start!** (US-1 is there)",
        "**Blocks**: None (parallel with US-066, US-067)",
        "**Blocks**:\n- None (US-060 can proceed in parallel)",
        "**Dependencies**:\n- `rich`: console\n- psutil>=5.9\n- click",
        "**Dependencies**:\n```toml\npygls = '^1.3'  # US-1\n```",
        "**Dependency Analysis**: US-1",
        "**Dependencies Added**: US-1",
        "**Enhances**:\n- US-035 (Singleton)",
        "### Dependencies\n**Enhances**:\n- US-035",
        "The dependency on US-1 is discussed elsewhere",
        "```\n**Depends On**: US-1\n```",
        "**Phase 1-3 complete**: yes",
    ],
)
def test_traps_name_nobody(text: str) -> None:
    """None with an explanation, packages, other labels, prose and code are no dependencies."""
    found = read(text)
    assert (found.depends_on, found.blocks) == ((), ())


def test_blocks_is_the_other_direction() -> None:
    """``Blocks`` and ``Unblocks`` name who waits for this item."""
    found = read(
        "**Blocks**: US-073, US-074 (parallel with US-099)\n**Blocks Future Work**:\n- US-075\n**Unblocks**:\n- US-076"
    )
    assert [reference.task for reference in found.blocks] == ["US-073", "US-074", "US-075", "US-076"]
    assert found.depends_on == ()


def test_references_carry_their_line() -> None:
    """Evidence points at the line that says it."""
    assert [(r.task, r.line) for r in read("x\n\n**Blocked By**:\n- US-1\n- US-2").depends_on] == [
        ("US-1", 4),
        ("US-2", 5),
    ]


@pytest.mark.parametrize(
    ("text", "satisfied"),
    [
        ("**Blocked By**: US-062 ✅", True),
        ("**Dependencies**:\n- ✅ US-035 (Singleton) - COMPLETE", True),
        ("**Dependencies**:\n- [x] US-035", True),
        ("**Dependencies**:\n- US-035: done (COMPLETE)", True),
        ("**Dependency**: Requires PRIORITY 1 (Analytics) completed ✅", True),
        ("### Dependencies\n**Completed**:\n- US-034: documentation", True),
        ("**Dependencies**: US-047 must be complete", False),
        ("**Dependency**: Should be done after PRIORITY 2 is complete", False),
        ("**Dependencies**: US-062 complete (startup working)", False),
        ("**Dependencies**:\n- 📝 US-038 - PLANNED", False),
        ("**Depends On**: US-1", False),
    ],
)
def test_only_the_text_itself_satisfies(text: str, satisfied: bool) -> None:
    """A tick or a plain COMPLETE says it is there; a demand that it be complete does not."""
    assert [reference.satisfied for reference in read(text).depends_on] == [satisfied]


def test_lists_that_only_refer_are_known() -> None:
    """Bullets below these labels describe no items of their own."""
    assert opens_reference_list("**Builds On**:")
    assert opens_reference_list("### Dependencies")
    assert not opens_reference_list("**Stories**:")
    assert not opens_reference_list("### Group 1")
