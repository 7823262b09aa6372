"""Which paths a spec says it writes, and which it only talks about."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import Intent, NamedPath, PathKind
from coffee_hooks.sources.markdown import scan
from coffee_hooks.sources.scope import named_paths


def paths(text: str) -> tuple[NamedPath, ...]:
    return named_paths(scan(text))


def intents(text: str) -> dict[str, str]:
    return {path.pattern: path.intent.value for path in paths(text)}


@pytest.mark.parametrize(
    "text",
    [
        "**File**: `a/x.py`",
        "**Location**: `a/x.py` (lines 1-20)",
        "**Test File**: `a/x.py`",
        "**Files to Modify**: `a/x.py`",
        "**Files to Create**:\n\n- `a/x.py`\n- `a/y.py` (~80 lines)",
        "**Files Modified**:\n1. `a/x.py` - the loop",
        "**Deliverables**:\n- [ ] `a/x.py`",
        "**Tasks**:\n- `a/x.py`: the loop",
        "### Files to Update\n\n- `a/x.py`",
        "## Implementation Plan\n\n1. Create `a/x.py` with the loop",
        "- [ ] a/x.py",
        "- [x] Add tests to `a/x.py`",
        "Update `a/x.py` to follow the pattern",
        "We will add a field in a/x.py.",
        "- `a/x.py` (NEW)",
        "- `a/x.py` - add the loop",
        "### 1. `a/x.py`",
        "| File | Change |\n|---|---|\n| `a/x.py` | Modify the loop |",
        "```python\n# a/x.py\nclass A: ...\n```",
        "```python\n# a/x.py (NEW)\nclass A: ...\n```",
        "```ts\n// a/x.py - the loop\n```",
        "```\na/x.py   # NEW\n```",
        "**Files to Create**:\n```\na/x.py\n```",
        "```\na/\n├── x.py\n└── y.py\n```",
        "```\na/\n├── x.py  # NEW\n└── y.py\n```",
        "```diff\n--- a/a/x.py\n+++ b/a/x.py\n```",
        "See `b/z.py`. Rename `a/x.py`",
    ],
)
def test_writing(text: str) -> None:
    """Labels, verbs, checklists, tables, file comments, listings and trees say that a path is written."""
    assert intents(text)["a/x.py"] == "write"


@pytest.mark.parametrize(
    "text",
    [
        "see `a/x.py`",
        "- [x](a/x.py)",
        "**References**:\n- `a/x.py`",
        "**Related**: `a/x.py`",
        "## References\n\n- `a/x.py`",
        "## Current State\n\n- `a/x.py` adds rows\n\n```python\n# a/x.py\n```",
        "## Problem\n\nUpdating `a/x.py` fails",
        "## 2. Current Implementation\n\n**File**: `a/x.py`",
        "Do not modify `a/x.py`",
        "No changes to `a/x.py`",
        "Follow the existing pattern in `a/x.py`",
        "- [ ] Run pytest a/x.py",
        "```bash\npytest a/x.py\n```",
        '```python\nopen("a/x.py")\n```',
        "```\na/\n├── x.py  # exists\n└── y.py  # NEW\n```",
        "It lives in `a/x.py` today.",
        "Create `b/new.py` following `a/x.py`",
    ],
)
def test_talking(text: str) -> None:
    """References, links, problems, the current state, negations, commands and strings only mention a path."""
    assert intents(text)["a/x.py"] == "mention"


def test_one_line_may_do_both() -> None:
    """Each path is judged by the words before it; a list shares its verb."""
    assert intents("Update `a.py`, `b.py` and `c.py` as described in `d.py`") == {
        "a.py": "write",
        "b.py": "write",
        "c.py": "write",
        "d.py": "mention",
    }


def test_a_label_ends_with_its_list() -> None:
    """The next paragraph or label is not under the label before it."""
    text = "**Files to Create**:\n- `a/x.py`\n\nSome prose names `b/y.py`.\n\n**Notes**:\n- `c/z.py`\n"
    assert intents(text) == {"a/x.py": "write", "b/y.py": "mention", "c/z.py": "mention"}


def test_a_path_counts_once_at_its_strongest() -> None:
    """A path that is mentioned first and written later is written, at the line that says so."""
    (path,) = paths("see `a/x.py`\n\nModify `a/x.py`\n\nUpdate `a/x.py`")
    assert path == NamedPath("a/x.py", PathKind.FILE, Intent.WRITE, 3)


def test_a_bare_name_is_the_path_that_the_spec_gives() -> None:
    """``x.py`` beside ``a/x.py`` is that file, and what is said of the one is said of the other."""
    assert intents("see `a/x.py`\n\nUpdate `x.py`") == {"a/x.py": "write"}
    assert intents("see `a/x.py` or `b/x.py`\n\nUpdate `x.py`") == {"a/x.py": "mention", "b/x.py": "mention"}


def test_kinds_are_kept() -> None:
    """Globs, directories and bare names are told apart from files."""
    found = paths("Create `a/*.py`, `a/b/` and `x.py`")
    assert [(path.pattern, path.kind) for path in found] == [
        ("a/*.py", PathKind.GLOB),
        ("a/b", PathKind.DIRECTORY),
        ("x.py", PathKind.BARE),
    ]
