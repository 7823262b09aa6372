"""The events of agents as a person reads them, whatever is in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.loop.events import LONGEST_LINE, MOST_LINES, Reader, told

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "message", "content", "item", "text", "input", "command", "usage", "error", "changes",
                         "result", "is_error", "duration_ms", "total_cost_usd", "aggregated_output", "exit_code"]),
        inner | st.sampled_from(["text", "tool_use", "tool_result", "command_execution", "file_change", "error"]),
        max_size=5),
    max_leaves=12,
)  # fmt: skip


def message(kind: str, *blocks: Any) -> dict[str, Any]:
    return {"type": kind, "message": {"role": kind, "content": list(blocks)}}


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        ({"type": "system", "subtype": "init"}, []),
        (message("assistant", {"type": "text", "text": "I look."}), ["I look."]),
        (message("assistant", {"type": "tool_use", "name": "Bash", "input": {"command": "ls -l"}}), ["> ls -l"]),
        (message("assistant", {"type": "tool_use", "name": "Write", "input": {"file_path": "/a", "content": "x"}}),
         ["> Write /a"]),
        (message("assistant", {"type": "tool_use", "name": "TodoWrite", "input": {"todos": []}}), ["> TodoWrite"]),
        (message("user", {"type": "tool_result", "content": "a\nb\n"}), ["    a", "    b"]),
        (message("user", {"type": "tool_result", "content": [{"type": "text", "text": "a"}]}), ["    a"]),
        ({"type": "result", "is_error": False, "duration_ms": 12_345, "total_cost_usd": 0.5, "result": "done"},
         ["= ended after 12 s, $0.50"]),
        ({"type": "result", "is_error": True, "result": "Not logged in"}, ["error: Not logged in", "= ended"]),
        ({"type": "item.started", "item": {"type": "command_execution", "command": "ls"}}, []),
        ({"type": "item.completed", "item": {"type": "agent_message", "text": "done"}}, ["done"]),
        ({"type": "item.completed", "item": {"type": "command_execution", "command": "ls", "aggregated_output": "a\n",
                                             "exit_code": 0}}, ["> ls", "    a"]),
        ({"type": "item.completed", "item": {"type": "command_execution", "command": "ls", "aggregated_output": "",
                                             "exit_code": 2}}, ["> ls (exit code 2)"]),
        ({"type": "item.completed", "item": {"type": "file_change", "changes": [{"path": "a.py", "kind": "add"}]}},
         ["> add a.py"]),
        ({"type": "item.completed", "item": {"type": "error", "message": "slow"}}, ["error: slow"]),
        ({"type": "turn.completed", "usage": {"input_tokens": 5, "output_tokens": 1}},
         ["= ended, 5 tokens sent, 1 received"]),
        ({"type": "turn.failed", "error": {"message": "no account"}}, ["error: no account"]),
    ],
)  # fmt: skip
def test_an_event_in_words(event: dict[str, Any], lines: Sequence[str]) -> None:
    """What was said, what was run and what came of it; nothing of what programs tell each other."""
    assert list(told(event)) == lines


def test_long_output_is_cut() -> None:
    """A command that prints a file does not hide what the agent does."""
    lines = list(told(message("user", {"type": "tool_result", "content": "x\n" * 100})))
    assert len(lines) == MOST_LINES + 1 and lines[-1] == "    ..."
    (line, dots) = told(message("user", {"type": "tool_result", "content": "x" * 5_000}))
    assert len(line) < 1_100 and dots == "    ..."


@given(JSON)
def test_no_event_makes_it_raise(value: Any) -> None:
    """An agent may write what it wants."""
    for kind in ("assistant", "user", "result", "item.completed", "turn.completed", "turn.failed", "error"):
        event = {**value, "type": kind} if isinstance(value, dict) else {"type": kind, "message": value, "item": value}
        assert all(isinstance(line, str) for line in told(event))


@given(st.lists(st.sampled_from([b'{"type":"result"}\n', b"words\n", b'{"type":\n', b"\xff\n", b"\n", b"rest"])),
       st.integers(1, 9))  # fmt: skip
def test_pieces_do_not_matter(lines: Sequence[bytes], size: int) -> None:
    """Torn anywhere, the log reads the same; what is no event stays as it was, byte for byte."""
    log = b"".join(lines)
    reader = Reader()
    shown = b"".join(reader.read(log[at : at + size]) for at in range(0, len(log), size)) + reader.end()
    expected = [b"= ended" if line == b'{"type":"result"}' else line for line in log.split(b"\n")[:-1]]
    assert shown == b"".join(line + b"\n" for line in expected) + log.split(b"\n")[-1]


def test_what_is_no_event_is_shown_at_once() -> None:
    """A line that grows, such as that of a progress bar, is seen while it grows."""
    reader = Reader()
    assert [reader.read(piece) for piece in (b"wor", b'king{"type":', b'"result"}\n{"ty', b'pe":"result"}\n')] == [
        b"wor", b'king{"type":', b'"result"}\n', b"= ended\n",
    ]  # fmt: skip


def test_a_line_without_an_end_is_not_held_back() -> None:
    """Nor in memory."""
    reader = Reader()
    assert reader.read(b'{"type":' + b"x" * LONGEST_LINE) != b""
    assert reader.end() == b""


def test_deep_nesting_is_left_as_it_is() -> None:
    """No object is deep enough to end us."""
    line = b'{"type":' + b"[" * 100_000 + b"\n"
    assert Reader().read(line) == line
