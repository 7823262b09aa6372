"""Dependencies that a list of tasks states in words."""

from __future__ import annotations

import pytest

from coffee_hooks.sources.roadmap import parse_roadmap

STORIES = """\
## Phase 1: Setup
- [ ] T001 base
## Phase 2: User Story 1 - A
- [ ] T002 [P] a
- [ ] T003 [P] b
## Phase 3: User Story 2 - B
- [ ] T004 [P] c
- [ ] T005 [P] d
## Phase 4: User Story 3 - C
- [ ] T006 [P] e
"""
FREE = {"T001": [], "T002": ["T001"], "T003": ["T001"], "T004": ["T001"], "T005": ["T001"], "T006": ["T001"]}


def waits(text: str) -> dict[str, list[str]]:
    return {item.id: [on.task for on in item.depends_on] for item in parse_roadmap(text.encode()).items}


@pytest.mark.parametrize(
    ("words", "on"),
    [
        ("(depends on T001, T002)", ["T001", "T002"]),
        ("(depends on T001-T003)", ["T001", "T002", "T003"]),
        ("(depends on T001–T003)", ["T001", "T002", "T003"]),
        ("(depends on T001 to T003)", ["T001", "T002", "T003"]),
        ("(depends on T01-03)", ["T001", "T002", "T003"]),
        ("(depends on T001 (test exists first), T002)", ["T001", "T002"]),
        ("Depends upon T001; touches what T002 made", ["T001"]),
        ("depends on T001. T002 may follow", ["T001"]),
        ("**depends T001**", ["T001"]),
        ("*(after T001 — same file as T002)*", ["T001"]),
        ("requires T002 completion", ["T002"]),
        ("blocked by t-shirts and T002", ["T002"]),
        ("(depends on T001,\n  T002)\n  - not what T003 is", ["T001", "T002"]),
        ("\n  - Depends on: nobody, depends on T002", ["T002"]),
        ("does not depend on T001", []),
        ("so that T001 passes; after T002 lands it is green", []),
        ("depends on the T9 stack and tests/T001.py", []),
        ("depends on T004", []),
    ],
)  # fmt: skip
def test_what_a_task_says_of_itself(words: str, on: list[str]) -> None:
    """Lists, ranges, asides and wrapped lines; the clause ends where the next one begins, and a no is a no."""
    assert waits(f"- [ ] T001 [P] a\n- [ ] T002 [P] b\n- [ ] T003 [P] c\n- [ ] T004 [P] d {words}\n")["T004"] == on


def test_a_task_that_nobody_has_is_needed_all_the_same() -> None:
    """Nobody knows that it is done; a short name may be anything."""
    assert waits("- [ ] T001 [P] a (depends on T099)\n- [ ] T002 [P] b (depends on T9)\n") == {
        "T001": ["T099"], "T002": [],
    }  # fmt: skip


def test_what_is_done_is_not_waited_for() -> None:
    """A need that is ticked is gone."""
    assert waits("- [x] T001 a\n- [ ] T002 [P] b (depends on T001)\n")["T002"] == []


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("- **User Story 2 (P2)**: Depends on User Story 1", {"T004": ["T002", "T003"], "T005": ["T002", "T003"]}),
        ("- **US3 Widgets (Phase 4)**: Depends on US2 (needs the card)", {"T006": ["T004", "T005"]}),
        ("- US3: Can start after Foundational; depends on US1 and US2", {"T006": ["T002", "T003", "T004", "T005"]}),
        ("Each story stands alone; only US3 depends on another story (US1).", {"T006": ["T002", "T003"]}),
        ("- **Phase 4 (US3)**: depends on Phase 3", {"T006": ["T004", "T005"]}),
        ("- **US1** → depends on US3", {"T002": ["T006"], "T003": ["T006"]}),
        ("- Task T006: Depends on T005 (uses its hooks)", {"T006": ["T005"]}),
        ("Setup first; T005 depends on T004. T006 stands alone.", {"T005": ["T004"]}),
        ("- T002 blocks T003, T006", {"T003": ["T002"], "T006": ["T002"]}),
        ("- US3 depends on the form (T004)", {"T006": ["T004"]}),
        ("- **US2 (T004–T005)** depends on T003", {"T004": ["T003"], "T005": ["T003"]}),
        ("- **User Story 2 (P2)**: Can start after Foundational - Independent of US1", {}),
        ("- **User Story 2**: No dependencies on other stories; may integrate with US1", {}),
        ("- **User Stories (Phase 2+)**: All depend on Foundational phase completion", {}),
        ("- **US3**: depends only on Phase 1 — independent of US1/US2", {}),
        ("- US2 does not depend on US1", {}),
        ("- US2 and US3 depend on each other's goodwill", {}),
    ],
)  # fmt: skip
def test_what_the_text_around_says(line: str, changed: dict[str, list[str]]) -> None:
    """Stories, phases and tasks that wait for one another; independence is not a dependency."""
    assert waits(f"{STORIES}## Dependencies\n\n{line}\n") == {**FREE, **changed}


def test_a_label_below_a_heading_speaks_of_its_phase() -> None:
    """`**Depends on**: Phase 2 (US1)` under the heading of a story."""
    text = STORIES.replace("- C\n", "- C\n\n**Depends on**: Phase 2 (US1) for the scale\n\n")
    assert waits(text) == {**FREE, "T006": ["T002", "T003"]}


def test_stories_that_wait_for_each_other_stay_in_the_order_of_the_file() -> None:
    """Two sentences that contradict each other stop nobody for ever."""
    found = waits(f"{STORIES}\n- US1 depends on US2\n- US2 depends on US1\n")
    assert found["T002"] == ["T001"] or found["T004"] == ["T001"]


def test_each_need_has_the_line_that_states_it() -> None:
    """Also in the middle of a task of several lines."""
    text = "- [ ] T001 [P] a\n- [ ] T002 [P] b\n  - this\n  - depends on T001\n\nT001 blocks T003\n- [ ] T003 [P] c\n"
    items = parse_roadmap(text.encode()).items
    assert [(on.task, on.line) for item in items for on in item.depends_on] == [("T001", 4), ("T001", 6)]
