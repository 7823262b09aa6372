"""Specs as values, and the choice of the spec that belongs to an item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import RoadmapItem, Spec, Status, TaskId
from coffee_hooks.sources import spec_choice
from coffee_hooks.sources.specs import find_spec, parse_spec


def item(name: str, title: str = "Orchestrator work loop", *aliases: str) -> RoadmapItem:
    return RoadmapItem(TaskId(name), title, Status.PLANNED, 1, 1, "", tuple(map(TaskId, aliases)))


def spec(path: str, text: str = "# SPEC: something else\n") -> Spec:
    return parse_spec(text.encode(), path)


def chosen(wanted: RoadmapItem, *specs: Spec) -> tuple[str | None, list[str]]:
    found, notices = find_spec(wanted, specs)
    return found.path if found else None, [notice.code for notice in notices]


SPECS = "docs/architecture/specs"
TITLED = "# SPEC-104: Orchestrator Work Loop\n"


@pytest.mark.parametrize(
    ("name", "task"),
    [
        (f"{SPECS}/SPEC-104-orchestrator-work-loop.md", "US-104"),
        (f"{SPECS}/SPEC-104.md", "US-104"),
        (f"{SPECS}/SPEC-104-LOOP-ENHANCED.md", "US-104"),
        (f"{SPECS}/spec-104-loop.md", "US-104"),
        (f"{SPECS}/SPEC-12-loop.md", "US-012"),
        (f"{SPECS}/SPEC-012-loop.md", "US-12"),
        (f"{SPECS}/SPEC-012-2-factor.md", "US-012"),
        (f"{SPECS}/SPEC-US-104-loop.md", "US-104"),
        (f"{SPECS}/SPEC-104-loop/README.md", "US-104"),
        (f"{SPECS}/exported/SPEC-104-loop.md", "US-104"),
        ("docs/US-006_TECHNICAL_SPEC.md", "US-006"),
        ("docs/US_038_TECHNICAL_SPEC.md", "US-038"),
        ("docs/PRIORITY_2_7_TECHNICAL_SPEC.md", "PRIORITY-2.7"),
        ("docs/PRIORITY_3_TECHNICAL_SPEC.md", "PRIORITY-3"),
        (f"{SPECS}/SPEC-1-5-database.md", "PRIORITY-1.5"),
        (f"{SPECS}/SPEC-002-6-verification.md", "PRIORITY-2.6"),
        (f"{SPECS}/SPEC-2-6-code_developer-tests-&-ci.md", "PRIORITY-2.6"),
        (f"{SPECS}/SPEC-25-loading.md", "PRIORITY-25"),
    ],
)
def test_file_names_carry_the_number(name: str, task: str) -> None:
    """Every shape of name is found by the number of its story or priority, padded or not."""
    assert chosen(item(task), spec(name, TITLED)) == (name, [])


@pytest.mark.parametrize(
    ("name", "task"),
    [
        (f"{SPECS}/SPEC-NEXT-loop.md", "US-104"),
        (f"{SPECS}/SPEC-1040-loop.md", "US-104"),
        (f"{SPECS}/SPEC-104-loop.md", "US-10"),
        ("docs/US-006_TECHNICAL_SPEC.md", "PRIORITY-6"),
        ("docs/PRIORITY_2_7_TECHNICAL_SPEC.md", "US-27"),
        (f"{SPECS}/template.md", "US-104"),
    ],
)
def test_other_numbers_are_not_its_own(name: str, task: str) -> None:
    """A longer number, another kind or no number at all is no candidate."""
    assert chosen(item(task), spec(name, TITLED)) == (None, ["spec-missing"])


def test_a_spec_that_names_no_item_is_taken_at_its_number() -> None:
    """Most repositories look like that; a title from another world is told."""
    assert chosen(item("US-104"), spec(f"{SPECS}/SPEC-104-x.md", TITLED)) == (f"{SPECS}/SPEC-104-x.md", [])
    assert chosen(item("US-104"), spec(f"{SPECS}/SPEC-104-x.md", "# Reflector\n")) == (
        f"{SPECS}/SPEC-104-x.md",
        ["spec-unconfirmed"],
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SPEC-65-x.md", "# SPEC-65: US-78 - Reflector\n"),
        ("SPEC-65-x.md", "# Reflector\n\n**User Story**: US-78\n"),
        ("SPEC-65-x.md", "# Reflector\n\n**Related User Story**: PRIORITY 20 - US-78\n"),
        ("SPEC-65-x.md", "# Reflector\n\n**Priority**: PRIORITY 8\n"),
        ("SPEC-65-x.md", "# Reflector\n\n**Related**: US-78\n"),
        ("SPEC-65-us-078---reflector.md", "# Reflector\n\n**Priority**: US-65\n"),
    ],
)
def test_a_spec_about_another_item_is_foreign(name: str, text: str) -> None:
    """The number matches but the spec names somebody else: told, and never used."""
    found, notices = find_spec(item("US-065", "Failure analysis"), [spec(f"{SPECS}/{name}", text)])
    assert found is None
    assert [(notice.code, notice.path) for notice in notices] == [("spec-foreign", f"{SPECS}/{name}")]
    assert "is about " in notices[0].message


@pytest.mark.parametrize(
    "text",
    [
        "# Loop\n\n**Related**: US-078 and US-065\n",
        "# Loop\n\n**User Story**: US-65\n**Related**: US-078\n",
        "# Failure analysis\n\n**Related**: US-078\n",
        "# Loop\n\n**Depends On**: US-078\n\n**Related**: US-065\n",
        "# Extends US-078\n\n**User Story**: US-065\n",
    ],
)
def test_a_spec_that_names_its_item_may_name_others(text: str) -> None:
    """Relations and dependencies do not make a spec foreign to the item that it names or is titled after."""
    path = f"{SPECS}/SPEC-065-x.md"
    assert chosen(item("US-065", "Failure analysis"), spec(path, text)) == (path, [])


def test_a_spec_that_claims_an_item_is_found_without_its_number() -> None:
    """A spec numbered by priority, or by chance, is found by the story that it says it is for."""
    numbered = spec(f"{SPECS}/SPEC-12-us-047---enforce.md", "# SPEC-12: US-047 - Enforce\n")
    labelled = spec(f"{SPECS}/SPEC-069-review.md", "# Review\n\n**User Story**: US-103\n")
    assert chosen(item("US-047"), numbered)[0] == numbered.path
    assert chosen(item("US-103"), labelled)[0] == labelled.path


def test_of_several_the_one_that_names_the_item_wins() -> None:
    """Names first, then no report, then the nearer title, then the shorter name; the others are told."""
    naming = spec(f"{SPECS}/SPEC-104-a-rather-long-name.md", "# Loop\n\n**User Story**: US-104\n")
    silent = spec(f"{SPECS}/SPEC-104-x.md", TITLED)
    report = spec(f"{SPECS}/SPEC-104-IMPLEMENTATION-REPORT.md", TITLED)
    short = spec(f"{SPECS}/SPEC-104.md", TITLED)
    assert chosen(item("US-104"), silent, naming, report) == (naming.path, ["spec-ambiguous"])
    assert chosen(item("US-104"), report, silent) == (silent.path, ["spec-ambiguous"])
    assert chosen(item("US-104"), silent, short) == (short.path, ["spec-ambiguous"])


def test_several_unrelated_specs_are_no_spec() -> None:
    """When nothing tells them apart none is taken: a wrong scope is worse than an unknown one."""
    one, other = spec(f"{SPECS}/SPEC-065-a.md", "# Reflector\n"), spec(f"{SPECS}/SPEC-065-b.md", "# Editor\n")
    assert chosen(item("US-065", "Failure analysis"), one, other) == (None, ["spec-ambiguous"])


def test_a_directory_of_parts_is_one_spec() -> None:
    """The README is the spec; the phases beside it add the paths that they name."""
    readme = spec(f"{SPECS}/SPEC-025-tree/README.md", "# SPEC-025: Orchestrator work loop\n\n**File**: `a.py`\n")
    phase = spec(f"{SPECS}/SPEC-025-tree/phase1-base.md", "# Phase 1\n\n**File**: `pkg/b.py`\n")
    found, notices = find_spec(item("US-025"), [phase, readme])
    assert found is not None
    assert (found.path, notices) == (readme.path, ())
    assert [(path.pattern, path.line) for path in found.paths] == [("a.py", 3), ("pkg/b.py", 0)]


def test_bytes_that_are_no_text_have_an_unknown_scope() -> None:
    """A spec with NULs is not empty: it is unreadable, and says so."""
    found = parse_spec(b"# SPEC-069: Review\0\xff\n**File**: `a.py`\n", "SPEC-069.md")
    assert (found.readable, found.paths, found.symbols) == (False, (), ())
    assert [notice.code for notice in found.warnings] == ["undecodable"]
    assert find_spec(item("US-069"), [found])[0] is found


def test_a_spec_knows_what_it_names() -> None:
    """Title, paths, symbols, dependencies and an open fence come out of one file, line ends aside."""
    text = "# SPEC-104: Loop\n**Depends On**: US-035 must come first\n**File**: `pkg/loop.py`\n```python\nclass Loop:\n"
    found = parse_spec(text.replace("\n", "\r\n").encode(), "SPEC-104.md")
    assert found.title == "SPEC-104: Loop"
    assert [(reference.task, reference.line) for reference in found.depends_on] == [("US-035", 2)]
    assert [(path.pattern, path.line) for path in found.paths] == [("pkg/loop.py", 3)]
    assert [(symbol.name, symbol.line) for symbol in found.symbols] == [("Loop", 5)]
    assert [(notice.code, notice.line) for notice in found.warnings] == [("unclosed-fence", 4)]


@given(st.binary(max_size=500))
def test_no_bytes_raise(data: bytes) -> None:
    """Any file can be a spec, and be asked for."""
    find_spec(item("US-104"), [parse_spec(b"# US-104\n" + data, "SPEC-104-x.md")])


def test_however_many_specs_there_are_each_is_read_once() -> None:
    """A thousand and more of them are not read anew for each item."""
    specs = [spec(f"docs/specs/SPEC-{number}-x.md", f"# SPEC-{number}: {number}\n") for number in range(1500)]
    spec_choice._read_header.cache_clear()
    found = [find_spec(item(f"US-{number}"), specs)[0] for number in range(3)]
    assert found == specs[:3]
    assert spec_choice._read_header.cache_info().misses == len(specs)
