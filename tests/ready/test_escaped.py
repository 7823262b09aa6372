"""Whose edit is it? The decision from values, and what a log says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import TaskId
from coffee_hooks.ready import escaped
from coffee_hooks.ready.escaped import Edit, Escaped, Evidence, Suspect, find_escaped, named_in

PATHS = st.sampled_from(["a", "b", "CHANGELOG.md"])
TIMES = st.integers(0, 9).map(float)
SPANS = st.lists(st.tuples(TIMES, TIMES | st.none()), max_size=2).map(tuple)
SETS = st.frozensets(PATHS)
SUSPECTS = st.lists(st.tuples(SPANS, SETS, SETS, SETS), max_size=3)


def is_log(path: str) -> bool:
    return path == "CHANGELOG.md"


@given(st.lists(st.builds(Edit, PATHS, TIMES), max_size=3, unique_by=lambda edit: edit.path), SUSPECTS)
def test_the_definition(
    edits: list[Edit],
    values: list[tuple[tuple[tuple[float, float | None], ...], frozenset[str], frozenset[str], frozenset[str]]],
) -> None:
    """Whoever ran at that moment and has the best evidence, if it is one: every suspect looked at one by one."""
    suspects = [
        Suspect(TaskId(f"US-{number}"), f"wt{number}", spans, touched, foreseen.__contains__, named)
        for number, (spans, touched, foreseen, named) in enumerate(values)
    ]
    expected = []
    for edit in sorted(edits, key=lambda each: each.path):
        present = [
            (number, sets)
            for number, (spans, *sets) in enumerate(values)
            if any(start <= edit.changed <= (99.0 if end is None else end) for start, end in spans)
        ]
        for evidence, at in ((Evidence.LOG, 2), (Evidence.TOUCHED, 0), (Evidence.FOOTPRINT, 1)):
            guilty = [number for number, sets in present if edit.path in sets[at]]
            if guilty and not is_log(edit.path):
                one = guilty[0] if len(guilty) == 1 else None
                task, branch = (None, None) if one is None else (TaskId(f"US-{one}"), f"wt{one}")
                expected.append(Escaped(edit.path, task, branch, edit.changed, evidence))
                break
    assert find_escaped(edits, suspects, is_log) == tuple(expected)


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (b"wrote /top/pkg/a.py", True),
        (b'{"path":"/top/pkg/a.py","x":1}', True),
        (b"see /top/pkg/a.py. Then", True),
        (b"/top/pkg/a.py:12: error", True),
        (b"wrote pkg/a.py", False),
        (b"/top/pkg/a.pyc", False),
        (b"/top/pkg/a.py.orig", False),
        (b"/top/pkg/a.py/b", False),
        (b"/top/pkg/a.py-old", False),
        (b"/topless/pkg/a.py", False),
        (b"\\xff\\x00 /top//pkg/a.py", False),
    ],
)
def test_a_name_in_a_log(tmp_path: Path, said: bytes, named: bool) -> None:
    """The whole path below the checkout, and not the beginning of another."""
    log = tmp_path / "log"
    log.write_bytes(said)
    assert named_in(log, Path("/top"), ["pkg/a.py", "other.py"]) == ({"pkg/a.py"} if named else frozenset())


def test_only_the_end_of_a_log_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log may have any size, be gone, or hold names that are not UTF-8."""
    monkeypatch.setattr(escaped, "LOG_BYTES", 100)
    log = tmp_path / "log"
    log.write_bytes(b"/top/old.py " + b"x" * 100 + b" /top/caf\xe9 b.py")
    assert named_in(log, Path("/top"), ["old.py", "caf\udce9 b.py"]) == {"caf\udce9 b.py"}
    assert named_in(tmp_path / "none", Path("/top"), ["old.py"]) == frozenset()
    assert named_in(log, Path("/top"), []) == frozenset()
