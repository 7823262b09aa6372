"""The plan of a commit, read from git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Sha
from coffee_hooks.base.project import open_project
from coffee_hooks.sources.plan import Plan, read_plan

if TYPE_CHECKING:
    from conftest import Sandbox

SPECS = "docs/architecture/specs"
ROADMAP = "docs/roadmap/ROADMAP.md"


def item(number: int, title: str = "Something", status: str = "📝 Planned") -> str:
    return f"### US-{number}: {title}\n\n**Status**: {status}\n\nText of {number}.\n\n"


def plan_of(sandbox: Sandbox, files: Mapping[str, str | None], **configured: str) -> Plan:
    """The plan of a commit that changes these files of the sample."""
    project = open_project(sandbox.work)
    project = replace(project, config=replace(project.config, **configured))  # type: ignore[arg-type]
    return read_plan(project, Sha(sandbox.branch("plan", files)))


def test_the_sample(sandbox: Sandbox) -> None:
    """Items in roadmap order with their text, the spec of each, and every path of the commit."""
    plan = plan_of(sandbox, {"extra/new.txt": "x"})
    assert (plan.roadmap, [each.id for each in plan.items]) == (ROADMAP, ["US-104", "US-105", "US-106"])
    assert plan.specs["US-104"].path == f"{SPECS}/SPEC-104-feature-x.md"
    assert "Do Feature X." in plan.item("US-104").text
    assert plan.item("US-999") is None
    assert {"pkg/alpha.py", "extra/new.txt", ROADMAP} <= set(plan.tree)
    assert plan.tree == tuple(sorted(plan.tree))
    assert plan.notices == ()


def test_only_the_commit_is_read(sandbox: Sandbox) -> None:
    """Nobody's uncommitted edits decide what is planned."""
    (sandbox.work / ROADMAP).write_text("# empty\n")
    assert len(plan_of(sandbox, {}).items) == 3


@pytest.mark.parametrize("path", ["docs/ROADMAP.md", "ROADMAP.md"])
def test_the_roadmap_is_found_where_roadmaps_are(sandbox: Sandbox, path: str) -> None:
    """The first of the three usual places that exists."""
    assert plan_of(sandbox, {ROADMAP: None, path: item(7)}).roadmap == path
    assert plan_of(sandbox, {ROADMAP: item(8), path: item(7)}).roadmap == ROADMAP


def test_the_configured_roadmap_and_specs_win(sandbox: Sandbox) -> None:
    """A path of the configuration is the only one that is looked at."""
    files = {"plan/P.md": item(7), "specs/SPEC-7-x.md": "# SPEC-7: Something\n\n**User Story**: US-7\n"}
    plan = plan_of(sandbox, files, roadmap="./plan/P.md", specs="./specs/")
    assert ([each.id for each in plan.items], plan.specs["US-7"].path) == (["US-7"], "specs/SPEC-7-x.md")


def test_no_roadmap_is_an_error_with_a_hint(sandbox: Sandbox) -> None:
    """Without one, with a configured one that is missing, and with a link in its place."""
    with pytest.raises(UsageError, match="no roadmap") as caught:
        plan_of(sandbox, {ROADMAP: None})
    assert "docs/roadmap/ROADMAP.md" in caught.value.hint
    with pytest.raises(UsageError, match=r"no roadmap: the target has no file PLAN\.md"):
        plan_of(sandbox, {}, roadmap="PLAN.md")


def test_hostile_names_and_bytes_stop_nothing(sandbox: Sandbox) -> None:
    """A name with a line break is left out with a notice; a file that is not text is said to be unreadable."""
    files = {"a\nb.py": "x", "caf\udce9.py": "x", f"{SPECS}/SPEC-107-x.md": "# SPEC-107\n\udcff\0"}
    plan = plan_of(sandbox, {**files, ROADMAP: item(107) + item(104, "Feature X")})
    assert "caf\udce9.py" in plan.tree
    assert not any("\n" in path for path in plan.tree)
    assert not plan.specs["US-107"].readable
    said = [str(notice) for notice in plan.notices]
    assert "a\\nb.py: a name with a line break is left out" in said
    assert any("not UTF-8 text" in text for text in said)


def test_doubts_name_their_file_and_finished_items_raise_none(sandbox: Sandbox) -> None:
    """A planned item without a spec is mentioned with its line in the roadmap, a complete one is not."""
    plan = plan_of(sandbox, {ROADMAP: item(300) + item(301, status="✅ Complete")})
    assert [str(notice) for notice in plan.notices] == [f"{ROADMAP}:1: US-300 has no spec"]


def test_a_spec_that_waits_for_a_spec_waits_for_its_task(sandbox: Sandbox) -> None:
    """`Dependencies: SPEC-401` in a spec is the task whose spec that is; itself and unknown specs are dropped."""
    header = "**User Story**: US-402\n**Dependencies**: SPEC-401 (the parser), SPEC-402, SPEC-999\n"
    files = {
        f"{SPECS}/SPEC-401-x.md": "# SPEC-401: Parse\n\n**User Story**: US-401\n",
        f"{SPECS}/SPEC-402-y.md": f"# SPEC-402: Print\n\n{header}",
    }
    plan = plan_of(sandbox, {**files, ROADMAP: item(401) + item(402)})
    assert [(r.task, r.line) for r in plan.specs["US-402"].depends_on] == [("US-401", 4)]


# --- lists of tasks -------------------------------------------------------------------------------

LOYALTY, COUPONS = "specs/001-loyalty/tasks.md", "specs/002-coupons/tasks.md"


def tasks(*boxes: str) -> str:
    return "# Tasks\n\n" + "".join(
        f"- [{box}] T{number:03} Create src/m{number}.py\n" for number, box in enumerate(boxes, 1)
    )


def test_a_configured_list_of_tasks(sandbox: Sandbox) -> None:
    """Each task is an item and its own spec; the documents beside the list are named, other specs are no matter."""
    files = {LOYALTY: tasks("x", " "), "specs/001-loyalty/spec.md": "# Spec\n", "specs/SPEC-2-x.md": "# SPEC-2\n"}
    plan = plan_of(sandbox, files, roadmap=f"./{LOYALTY}")
    assert (plan.roadmap, [item.id for item in plan.items]) == (LOYALTY, ["T001", "T002"])
    spec = plan.specs["T002"]
    assert (spec.path, [path.pattern for path in spec.paths]) == (LOYALTY, ["src/m2.py"])
    assert spec.documents == (LOYALTY, "specs/001-loyalty/spec.md")
    assert plan.notices == ()


def test_the_list_that_is_not_done_is_found(sandbox: Sandbox) -> None:
    """Where there is no roadmap: the one with open tasks; where all are done, the last; never beside a roadmap."""
    none: dict[str, str | None] = {ROADMAP: None, "specs/003-other/tasks.md": "# Tasks\n\n- [ ] 1. Not of this form\n"}
    assert plan_of(sandbox, {LOYALTY: tasks("x"), COUPONS: tasks(" ")}).roadmap == ROADMAP
    assert plan_of(sandbox, none).roadmap == COUPONS
    assert plan_of(sandbox, {LOYALTY: tasks(" "), COUPONS: tasks("x", "-")}).roadmap == LOYALTY
    assert plan_of(sandbox, {LOYALTY: tasks("x")}).roadmap == COUPONS


def test_several_lists_that_are_not_done_are_an_error_that_names_them(sandbox: Sandbox) -> None:
    """Nobody guesses: both are listed, with what to write; a file of another form is no list."""
    with pytest.raises(UsageError, match=f"{LOYALTY}, {COUPONS}") as caught:
        plan_of(sandbox, {ROADMAP: None, LOYALTY: tasks(" "), COUPONS: tasks(" ")})
    assert caught.value.hint == f"name the one to work on in .coffee.yaml: roadmap: {COUPONS}"
    with pytest.raises(UsageError, match="no roadmap"):
        plan_of(sandbox, {LOYALTY: None, COUPONS: "# Tasks\n\n- [ ] 1. Not of this form\n"})
