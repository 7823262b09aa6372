"""Lists of tasks in the shapes that spec-kit and the people who edit its files give them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import RoadmapItem, Status
from coffee_hooks.sources.roadmap import Roadmap, RoadmapForm, parse_roadmap
from coffee_hooks.sources.task_list import stories_in, stories_in_heading
from coffee_hooks.sources.task_waits import MOST

LIST = """\
# Tasks: Loyalty cards

**Input**: Design documents from `/specs/001-loyalty/`
**Prerequisites**: plan.md, spec.md

## Format: `[ID] [P?] [Story] Description`

- **[P]**: Can run in parallel (different files, no dependencies)

<!--
- [ ] T900 A sample that nobody removed
-->

## Phase 1: Setup (Shared Infrastructure)

- [x] T001 Create the folders of the plan
- [ ] T002 Add the service in pyproject.toml
- [ ] T003 [P] Configure the linter in .ruff.toml

## Phase 2: Foundational (Blocking Prerequisites)

**⚠️ CRITICAL**: No user story work can begin until this phase is complete

- [ ] T004 Write the schema in cards/schema.sql
  - one table for cards
  - one for stamps in `cards/stamps.sql`
- [ ] T005 [P] Read the settings in cards/settings.py

**Checkpoint**: Foundation ready

## Phase 3: User Story 1 - Collect stamps (Priority: P1) 🎯 MVP

**Goal**: A guest gets a stamp for each cup

### Tests for User Story 1 ⚠️

- [ ] T006 [P] [US1] Contract test for POST /stamps in tests/test_stamps.py
- [ ] T007 [P] [US1] Test the whole card in tests/test_card.py

### Implementation for User Story 1

- [ ] T008 [P] [US1] Create the card in cards/card.py
- [ ] T009 [US1] Give stamps in cards/stamping.py (depends on T006, T008)

## Phase 4: User Story 2 - Free cup (Priority: P2)

- [ ] T010 [P] [US2] Redeem a full card in cards/redeem.py
- [ ] T011 [US2] Show it in cards/screen.py

---

## Phase N: Polish & Cross-Cutting Concerns

- [ ] T012 [P] Describe cards in docs/cards.md

## Dependencies & Execution Order

- **User Story 2 (P2)**: Can start after Foundational (Phase 2) - Independent of US1
- [ ] T008 before T009

## Parallel Example: User Story 1

```bash
- [ ] T901 No task
Task: "Create the card in cards/card.py"
```
"""


def read(text: str) -> Roadmap:
    return parse_roadmap(text.encode(), "specs/001-loyalty/tasks.md")


def waits(items: Sequence[RoadmapItem]) -> dict[str, list[str]]:
    """What each task waits for, and the lines that say so."""
    return {item.id: [f"{on.task}@{on.line}" for on in item.depends_on] for item in items}


def one(line: str) -> RoadmapItem:
    """The first task of a list that holds this line."""
    return read(f"{line}\n\n- [ ] T999 Another\n").items[0]


def test_the_template_filled_in() -> None:
    """Every task once with title, status and its own lines; samples, examples and talk are none."""
    found = read(LIST)
    assert found.form is RoadmapForm.TASKS and found.notices == ()
    assert [item.id for item in found.items] == [f"T{number:03}" for number in range(1, 13)]
    assert [item.status for item in found.items] == [Status.COMPLETE, *[Status.PLANNED] * 11]
    schema = found.items[3]
    assert (schema.title, schema.line, schema.end_line) == ("Write the schema in cards/schema.sql", 24, 26)
    assert schema.text.splitlines()[2] == "  - one for stamps in `cards/stamps.sql`"
    assert [item.us_number for item in found.items] == [None] * 12


def test_phases_and_marks_are_an_order() -> None:
    """Setup before foundations before the stories, which are free of each other, before the rest."""
    assert waits(read(LIST).items) == {
        "T001": [],
        "T002": [],
        "T003": ["T002@17"],
        "T004": ["T003@20"],
        "T005": ["T004@24"],
        "T006": ["T005@31"],
        "T007": ["T005@31"],
        "T008": ["T005@31"],
        "T009": ["T006@43", "T007@43", "T008@43"],
        "T010": ["T005@45"],
        "T011": ["T010@48"],
        "T012": ["T009@52", "T011@52"],
    }


@pytest.mark.parametrize(
    ("line", "task", "title"),
    [
        ("- [ ] T001 Do it", "T001", "Do it"),
        ("* [ ] T001: Do it", "T001", "Do it"),
        ("- [ ] **T001** [P] Do it", "T001", "Do it"),
        ("- [ ] **T001 [P]** Do **it**", "T001", "Do it"),
        ("- [ ] **T001: Do it** in a.py", "T001", "Do it in a.py"),
        ("- [ ] T001 [US1] [P] Do it", "T001", "Do it"),
        ("- [ ] T001 — Do it", "T001", "Do it"),
        ("- [ ] T001a [P] [US2][US3] Do it", "T001a", "Do it"),
        ("- [ ] T1000 Do it", "T1000", "Do it"),
        ("- [ ] T054b-2 Do it", "T054b-2", "Do it"),
        (" - [ ] T001 [guide](docs/a.md) it", "T001", "[guide](docs/a.md) it"),
        ("- [] T001 Do it\r", "T001", "Do it"),
    ],
)
def test_lines_that_are_tasks(line: str, task: str, title: str) -> None:
    """Bold, colons, dashes, tags in any order, ids with letters: the id as written, the title without all that."""
    found = one(line)
    assert (found.id, found.title) == (task, title)


@pytest.mark.parametrize(
    "line",
    [
        "- T001 no box",
        "- [ ] Do it, T001",
        "- [P] T001 in an example",
        "- [ ] US-104: of a roadmap",
        "1. [ ] T001 Do it",
        "- [ ] TXXX Clean up",
        "- [ ] T001x2 Do it",
        "> - [ ] T001 quoted",
    ],
)
def test_lines_that_are_none(line: str) -> None:
    """Without a box and an id in front nobody said that there is something to do."""
    assert [item.id for item in read(f"- [ ] T999 Another\n\n{line}\n").items] in (["T999"], ["US-104"])


@pytest.mark.parametrize(
    ("box", "status"),
    [(" ", Status.PLANNED), ("x", Status.COMPLETE), ("X", Status.COMPLETE), ("~", Status.IN_PROGRESS),
     ("-", Status.BLOCKED)],
)  # fmt: skip
def test_the_box_is_the_status(box: str, status: Status) -> None:
    """Ticked, half ticked, struck out."""
    assert one(f"- [{box}] T001 Do it").status is status


def test_nobody_waits_for_what_was_struck_out() -> None:
    """With a dash in the box, or a line through the id."""
    text = "- [-] T001 Not now\n- [ ] ~~T002~~ Gone\n- [ ] T003 Do it\n- [~] T004 Half\n- [ ] T005 Then\n"
    assert waits(read(text).items) == {
        "T001": [], "T002": [], "T003": [], "T004": ["T003@4"], "T005": ["T004@5"],
    }  # fmt: skip


def test_a_range_is_one_task_of_several_names() -> None:
    """`T019-T021` is done as one and found under each of the ids."""
    item = one("- [ ] T019-T021 Three in one")
    assert (item.id, item.aliases, item.title) == ("T019", ("T020", "T021"), "Three in one")


def test_the_older_template_has_one_phase_after_the_other() -> None:
    """Phase 3.1 to 3.5, no stories: tests before code although both are marked."""
    text = """\
## Phase 3.1: Setup
- [ ] T001 Create the project
## Phase 3.2: Tests First (TDD) ⚠️ MUST COMPLETE BEFORE 3.3
- [ ] T002 [P] Contract test in tests/test_a.py
- [ ] T003 [P] Contract test in tests/test_b.py
## Phase 3.3: Core Implementation (ONLY after tests are failing)
- [ ] T004 [P] Model in src/a.py
- [ ] T005 [P] Model in src/b.py
## Dependencies
- Tests (T002-T003) before implementation (T004-T005)
- T004 blocks T005
"""
    assert waits(read(text).items) == {
        "T001": [], "T002": ["T001@3"], "T003": ["T001@3"],
        "T004": ["T002@6", "T003@6"], "T005": ["T004@11"],
    }  # fmt: skip


def test_without_phases_headings_are_phases_and_without_headings_marks_are_all() -> None:
    """A list below stories as headings of their own, and a bare list."""
    text = "# Tasks\n- [ ] T001 a\n- [ ] T002 [P] b\n- [ ] T003 [P] c\n- [ ] T004 d\n"
    assert waits(read(text).items)["T004"] == ["T002@5", "T003@5"]
    text = "# Tasks\n## Base\n- [ ] T001 a\n## Tasks\n### User Story 1\n- [ ] T002 b\n### User Story 2\n- [ ] T003 c\n"
    assert waits(read(text).items) == {"T001": [], "T002": ["T001@5"], "T003": ["T001@7"]}


@pytest.mark.parametrize(
    ("heading", "stories"),
    [
        ("Phase 3: User Story 1 - Sign in (Priority: P1) 🎯 MVP", {1}),
        ("Phase 6: User Story 3 & 4 — Both", {3, 4}),
        ("Phase 2 — Fold routing (US1, US2, US3)", {1, 2, 3}),
        ("Phase 6: User Story 7 — Prompts (P3, implements US2/US3 rules)", {7}),
        ("Phase 4: Frontend（US2）", {2}),
        ("US2–US4", {2, 3, 4}),
        ("Phase 2: Foundational (blocks all stories)", set()),
        ("Phase 5: User Story 5 - 2 factors", {5}),
        ("Phase 1: Bonus12 and USB2", set()),
    ],
)
def test_stories_of_headings(heading: str, stories: set[int]) -> None:
    """The first list of stories counts; what stands in an aside is not what the phase is for."""
    assert stories_in_heading(heading) == stories


def test_a_range_of_stories_has_an_end() -> None:
    """Nobody makes us write down nine hundred of them."""
    assert stories_in("US1-US999 and US5") == {1, 5, 999}


def test_one_id_for_two_works_is_said() -> None:
    """The first that is not done counts; a line that only repeats a task is the same task."""
    found = read("- [x] T001 Make a\n- [ ] T001 Paint b\n- [ ] T002 Do c\n- [x] T002 Do c\n- [ ] T003 d\n")
    assert [(item.id, item.title, item.status.value) for item in found.items] == [
        ("T001", "Paint b", "planned"), ("T002", "Do c", "complete"), ("T003", "d", "planned"),
    ]  # fmt: skip
    assert [(notice.code, notice.line) for notice in found.notices] == [("duplicate", 2)]


def test_a_roadmap_with_boxes_stays_one() -> None:
    """Where anything is an item of a roadmap, boxes with a T are not tasks of a list; nor are T1 and T20."""
    assert [item.id for item in read("### US-104: X 📝 Planned\n\n- [ ] T001 step\n").items] == ["US-104"]
    assert read("# Roadmap\n\n- [ ] T1 support\n- [ ] T20 matches\n").form is RoadmapForm.ITEMS


def test_an_open_fence_that_hides_the_rest_is_said() -> None:
    """Tasks behind it are none, and a person is told."""
    found = read("- [ ] T001 a\n\n```\n- [ ] T002 b\n")
    assert [item.id for item in found.items] == ["T001"]
    assert [notice.code for notice in found.notices] == ["unclosed-fence"]


def test_more_than_anybody_marks_goes_one_by_one() -> None:
    """Beyond the limit there is one edge for each task, and a person is told."""
    found = read("".join(f"- [ ] T{number:04} [P] x\n" for number in range(MOST + 1)))
    assert [len(item.depends_on) for item in found.items] == [0, *[1] * MOST]
    assert [notice.code for notice in found.notices] == ["too-many-tasks"]
    tasks = "".join(f"- [ ] T{number:03} [P] x\n" for number in range(400))
    needs = [f"T{number:03}-T199 depends on T200-T{399 - number}\n" for number in range(9)]
    assert [notice.code for notice in read(tasks + "\n" + "".join(needs)).notices] == ["too-many-tasks"]
    assert len(read(f"{tasks}\n{needs[0]}").items[0].depends_on) == 200


# --- properties -----------------------------------------------------------------------------------

WORDS = st.text("abc T0123[]()*-`#~\t é\0", max_size=30).filter(lambda text: "```" not in text and "~~~" not in text)
OTHERS = st.one_of(
    st.just(""), st.just("**Checkpoint**: ready"), WORDS.map(lambda words: f"Text {words}"),
    st.sampled_from(["## Phase 2: Foundational", "## Phase 3: User Story 1 - A", "### Tests for User Story 1"]),
)  # fmt: skip
HIDDEN = st.lists(WORDS, max_size=3).map(
    lambda words: ["", "```", *(f"- [ ] T777 {each}" for each in words), "```", ""]
)


@given(
    st.lists(st.one_of(st.tuples(st.booleans(), st.booleans(), WORDS), HIDDEN, OTHERS), max_size=25),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_open_task_is_found_and_none_invented(parts: list[object], end: str) -> None:
    """Whatever stands around them; fences hide what is in them, and each task waits only for open ones."""
    lines, wanted = ["## Phase 1: Setup"], []
    for part in parts:
        if isinstance(part, tuple):
            done, parallel, words = part
            task = f"T{len(wanted) + 1:03}"
            wanted.append((task, Status.COMPLETE if done else Status.PLANNED))
            lines.append(f"- [{'x' if done else ' '}] {task} {'[P] ' if parallel else ''}{words}")
        else:
            lines += part if isinstance(part, list) else [str(part)]
    found = read(end.join(lines))
    assert [(item.id, item.status) for item in found.items if item.id != "T777"] == wanted
    assert not any(item.id == "T777" for item in found.items)
    still = {task for task, status in wanted if status is Status.PLANNED}
    assert {on.task for item in found.items for on in item.depends_on} <= still


@given(st.binary(max_size=400))
def test_bytes_stop_nothing(data: bytes) -> None:
    """Whatever a file holds, reading it ends in items."""
    parse_roadmap(b"- [ ] T001 a\n" + data)


@pytest.mark.parametrize(
    "piece",
    ["depends on T001, ", "(after T001 ", "[P] ", "US1-US99 ", "a/b.py ", ")", "\n- [ ] T001 [P] depends on T002",
     "\n  - blocks T001 in a/b.py", "\n## Phase 3: User Story 1-20", "\n- US2 depends on US1", "\n```"],
)  # fmt: skip
def test_steps_grow_with_the_text_alone(piece: str) -> None:
    """Ten times the text costs about ten times the steps, whatever it is made of."""
    small, large = (steps_for("- [ ] T001 [P] " + piece * count) for count in (200, 2000))
    assert large < 20 * max(small, 2_000)


def steps_for(text: str) -> int:
    """How many calls reading this takes: no clock."""
    steps = 0

    def count(*_: object) -> None:
        nonlocal steps
        steps += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        read(text)
    finally:
        sys.setprofile(before)
    return steps
