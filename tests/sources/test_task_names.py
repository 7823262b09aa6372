"""Names of tasks: what is accepted, what it means, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import RoadmapItem, Status, TaskId
from coffee_hooks.sources.task_names import expand_range, is_of, mentions, parse_task_name, resolve_task, task_key


def item(name: str, *aliases: str) -> RoadmapItem:
    return RoadmapItem(TaskId(name), "A title", Status.PLANNED, 1, 1, "", tuple(map(TaskId, aliases)))


ITEMS = (
    item("US-024"),
    item("US-104", "PRIORITY-20"),
    item("US-020"),
    item("PRIORITY-2.5"),
    item("US-047", "PRIORITY-12"),
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("US-104", "US-104"),
        ("us-104", "US-104"),
        ("US-024", "US-024"),
        ("PRIORITY 25", "PRIORITY-25"),
        ("priority-2.5", "PRIORITY-2.5"),
        ("PRIORITY-2.9.5", "PRIORITY-2.9.5"),
        (" US_038 ", "US-038"),
        ("104", None),
        ("STATUS-12", None),
        ("US-", None),
        ("US-104; rm", None),
        ("US-١٢", None),
        ("US-" + "1" * 5000, None),
    ],
)
def test_a_name_has_one_canonical_form(text: str, name: str | None) -> None:
    """Case, blanks and separators vary, the number stays as written, and a bare number is nobody's name."""
    assert parse_task_name(text) == name


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("US-104", "US-104"),
        ("us-104", "US-104"),
        ("104", "US-104"),
        ("US-24", "US-024"),
        ("24", "US-024"),
        ("0024", "US-024"),
        ("PRIORITY 20", "US-104"),
        ("priority-20", "US-104"),
        ("2.5", "PRIORITY-2.5"),
        ("12", "US-047"),
    ],
)
def test_every_spelling_finds_its_item(typed: str, found: str) -> None:
    """Ids, aliases and bare numbers find the item in any case and padding."""
    assert resolve_task(typed, ITEMS) == found


def test_a_number_with_two_meanings_is_an_error_that_names_both() -> None:
    """PRIORITY 20 and US-020 share a number: nobody guesses, the candidates are listed."""
    with pytest.raises(UsageError, match="20 is ambiguous") as error:
        resolve_task("20", ITEMS)
    assert error.value.hint == "type one of: US-104 (PRIORITY-20), US-020"


def test_an_id_wins_over_an_alias_of_the_same_name() -> None:
    """A canonical name that our output prints can always be typed back."""
    items = (item("US-009", "PRIORITY-9"), item("PRIORITY-9"))
    assert resolve_task("PRIORITY 9", items) == "PRIORITY-9"


def test_an_alias_of_two_items_is_ambiguous() -> None:
    """One PRIORITY number on two stories is not decided by order."""
    with pytest.raises(UsageError, match="ambiguous"):
        resolve_task("PRIORITY 24", (item("US-107", "PRIORITY-24"), item("US-108", "PRIORITY-24")))


def test_an_unknown_name_hints_at_the_nearest() -> None:
    """A typing mistake is answered with what may have been meant."""
    with pytest.raises(UsageError, match="no task US-140") as error:
        resolve_task("US-140", ITEMS)
    assert "US-104" in error.value.hint
    with pytest.raises(UsageError) as error:
        resolve_task("US-140", ())
    assert error.value.hint


@pytest.mark.parametrize("name", ["US-104\n", "US-1\x1b[2J", "x" * 201, "", "--help", "roadmap-wt1", "US-104\u2028"])
def test_hostile_and_foreign_names_are_refused(name: str) -> None:
    """Line breaks, control characters, novels and other words end in a usage error that is safe to print."""
    with pytest.raises(UsageError) as error:
        resolve_task(name, ITEMS)
    assert error.value.what.isprintable()
    assert error.value.hint


@given(st.text(max_size=250))
def test_no_name_raises_anything_else(name: str) -> None:
    """Whatever is typed is an item or a usage error."""
    try:
        assert resolve_task(name, ITEMS) in {known.id for known in ITEMS}
    except UsageError as error:
        assert error.what.isprintable()


@given(st.integers(0, 99999), st.integers(1, 6))
def test_padding_is_no_part_of_the_key(number: int, width: int) -> None:
    """Two spellings of one number are one task."""
    assert task_key(TaskId(f"US-{number:0{width}d}")) == task_key(TaskId(f"US-{number}"))


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("needs US-062, US-063 and PRIORITY 2.5.", ["US-062", "US-063", "PRIORITY-2.5"]),
        ("US-062 through US-064 ✅", ["US-062", "US-063", "US-064"]),
        ("dashboards (PRIORITY 5, 5.5, 6) and PRIORITY 3", ["PRIORITY-5", "PRIORITY-5.5", "PRIORITY-6", "PRIORITY-3"]),
        ("PRIORITY 2, 3 days of work", ["PRIORITY-2"]),
        ("see [US-9](roadmap.md#us-010-x)", ["US-9"]),
        ("STATUS-12 and CACTUS-7 and bonus-3", []),
    ],
)
def test_prose_names_tasks(text: str, tasks: list[str]) -> None:
    """Lists and ranges are expanded; words that only end like an id, and link targets, name nobody."""
    assert [task for mention in mentions(text) for task in mention.tasks] == tasks


def test_a_range_keeps_its_padding_and_its_size() -> None:
    """A range is padded like its first id; a range of thousands is read as its two ends."""
    assert expand_range("008", "011") == ("US-008", "US-009", "US-010", "US-011")
    assert expand_range("1", "99999999") == ("US-1", "US-99999999")
    assert expand_range("9", "3") == ("US-9", "US-3")


LISTED = (item("T001"), item("T012a"), item("T019", "T020"), item("T1.2"))


@pytest.mark.parametrize(
    ("typed", "found"),
    [("T001", "T001"), ("t001", "T001"), ("T1", "T001"), ("1", "T001"), (" t012A ", "T012a"), ("T20", "T019"),
     ("t1.2", "T1.2")],
)  # fmt: skip
def test_names_of_lists_are_names(typed: str, found: str) -> None:
    """In any case and padding, with their letter, or as the number alone."""
    assert resolve_task(typed, LISTED) == found


def test_names_of_lists_are_canonical_as_written() -> None:
    """Nothing is added to them, and US-1 is another task than T1."""
    assert parse_task_name("t001a") == "T001a"
    assert parse_task_name("T054b-2") == "T054b-2"
    assert parse_task_name("T001x2") is None and parse_task_name("TASK-1") is None
    assert task_key(TaskId("T001")) != task_key(TaskId("US-001"))
    assert len({task_key(TaskId(name)) for name in ("T1", "T001", "T1a", "T1b", "T1.2", "T12")}) == 5
    with pytest.raises(UsageError) as error:
        resolve_task("T02", LISTED)
    assert error.value.hint.startswith("did you mean T0")


@pytest.mark.parametrize(
    ("task", "written", "same"),
    [("T001", "specs/a/tasks.md", True), ("T001", "specs/b/tasks.md", False), ("T001", None, True),
     ("US-1", "ROADMAP.md", True)],
)  # fmt: skip
def test_each_list_has_names_of_its_own(task: str, written: str | None, same: bool) -> None:
    """T001 of one feature is not T001 of the next; a story stays itself when the roadmap moves."""
    assert is_of(task, written, "specs/a/tasks.md") is same
