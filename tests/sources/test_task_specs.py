"""What a task of a list is a spec of: the files it names, and what to read beside the list."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import Intent, Spec, TaskId
from coffee_hooks.sources.roadmap import parse_roadmap
from coffee_hooks.sources.task_specs import task_specs

PATH = "specs/001-loyalty/tasks.md"
TREE = (PATH, "specs/001-loyalty/plan.md", "specs/001-loyalty/contracts/api.yaml", "src/app/card.py", "docs/a.md")


def spec(text: str, task: str = "T001", path: str = PATH, tree: tuple[str, ...] = TREE) -> Spec:
    items = parse_roadmap(f"{text}\n\n- [ ] T999 Another\n".encode()).items
    return task_specs(items, path, tree)[TaskId(task)]


def written(found: Spec) -> list[str]:
    return [path.pattern for path in found.paths if path.intent is Intent.WRITE]


@pytest.mark.parametrize(
    ("task", "paths"),
    [
        ("Create Card in src/app/card.py", ["src/app/card.py"]),
        ("[P] [US1] Contract test for POST /stamps in `tests/test_stamps.py`", ["tests/test_stamps.py"]),
        ("Put cards into `src/a.py` and `src/b.py`", ["src/a.py", "src/b.py"]),
        ("Create folders src/lib/ and src/app/ per plan.md", ["src/lib", "src/app"]),
        ("Wrap the card,\n  using all of its stamps from before, in\n  `src/c.py`", ["src/c.py"]),
        ("Do this\n  - Update src/d.py\n  - File: `src/e.py`", ["src/d.py", "src/e.py"]),
        ("Stamp cards in src/f.py using src/app/card.py", ["src/f.py"]),
        ("Remove the old stamp from src/g.py", ["src/g.py"]),
        ("Verify that src/h.py follows src/app/card.py", ["src/h.py", "src/app/card.py"]),
        ("Write the models of data-model.md in src/i.py (see contracts/api.yaml)", ["src/i.py"]),
        ("Run quickstart.md validation", []),
        ("Add logging", []),
    ],
)  # fmt: skip
def test_the_files_of_a_task(task: str, paths: list[str]) -> None:
    """What it is said to be done in is written, what it follows is not; where it only talks of files, all are."""
    assert written(spec(f"- [ ] T001 {task}")) == paths


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/home/me/shop/src/app/card.py", "src/app/card.py"),
        ("/home/me/shop/src/app/new.py", "src/app/new.py"),
        ("/home/me/shop/src/more/new.py", "src/more/new.py"),
        ("/src/app/card.py", "src/app/card.py"),
        ("/home/src/app/src/app/card.py", "src/app/card.py"),
        ("/var/lib/else.py", None),
    ],
)
def test_paths_from_the_root_of_a_disk(path: str, known: str | None) -> None:
    """The folders of the repository say where its top is on the disk of whoever wrote the list."""
    assert written(spec(f"- [ ] T001 Create `{path}` today")) == ([known] if known else [])


def test_lines_are_those_of_the_list() -> None:
    """Evidence names the line of the file, also for a path in a wrapped or a later line."""
    found = spec("# Tasks\n\n- [ ] T002 a\n- [ ] T001 Do\n  it in src/a.py\n  - Update src/b.py", "T001")
    assert [(path.pattern, path.line) for path in found.paths] == [("src/a.py", 4), ("src/b.py", 6)]


def test_the_task_is_its_spec_and_the_documents_are_to_be_read() -> None:
    """Its own lines, the list itself, and what spec-kit wrote beside it, as far as it is there."""
    found = spec("- [ ] T001 Create Card\n  - with `Stamp` in src/app/card.py")
    assert (found.path, found.title, found.text.count("\n")) == (PATH, "Create Card", 1)
    assert found.documents == (PATH, "specs/001-loyalty/plan.md", "specs/001-loyalty/contracts/")
    assert [symbol.name for symbol in found.symbols] == ["Stamp"]
    assert spec("- [ ] T001 a", path="tasks.md", tree=("spec.md", "plan.md")).documents == (
        "tasks.md", "spec.md", "plan.md",
    )  # fmt: skip
