"""Hostile text cannot move the cursor, forge a line or hide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.text import one_line, printable, without_emoji

ANYTHING = st.text(st.characters() | st.sampled_from("\x1b\n\r\u2028\u202e\udce9 \x9b[m"))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("roadmap-wt1", "roadmap-wt1"),
        ("café ☕ 日本語\u3000表 👩\u200d💻", "café ☕ 日本語\u3000表 👩\u200d💻"),
        ("a\x1b[31mred\nb\tc", "a\\x1b[31mred\\nb\\tc"),
        ("\u202etxt.exe\u2028x", "\\u202etxt.exe\\u2028x"),
        ("bytes \udce9", "bytes \\xe9"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_names_keep_their_letters_and_show_their_controls(raw: str, shown: str) -> None:
    """Letters and emoji of every language stay; what a terminal would obey becomes visible."""
    assert printable(raw) == shown


@given(ANYTHING)
def test_printable_text_is_one_harmless_line_whatever_came_in(raw: str) -> None:
    """One line, encodable, no control or bidirectional character, and a second pass changes nothing."""
    shown = printable(raw)
    assert len(f"x{shown}x".splitlines()) == 1
    assert not set(shown) & set("\x1b\x9b\x07\u202e\u2066\r")
    shown.encode()
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("feat: Implement US-104\n\nCoffee-Task: US-1", "feat: Implement US-104 Coffee-Task: US-1"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;title never ends", "0;title never ends"),
        ("  many \t blanks ", "many blanks"),
        ("\x00\x07", ""),
    ],
)
def test_a_subject_becomes_one_line(raw: str, line: str) -> None:
    """Line breaks fold into blanks, terminal sequences go with what they carry."""
    assert one_line(raw) == line


@given(ANYTHING, st.integers(1, 40))
def test_a_line_is_never_longer_than_asked(raw: str, length: int) -> None:
    """The cut is marked, and the result is what a second pass would give."""
    line = one_line(raw, length)
    assert len(line) <= length
    assert "\n" not in line
    assert "\x1b" not in line
    assert one_line(line, length) == line


def test_a_plain_terminal_gets_plain_words() -> None:
    """Emoji go with the blank behind them, arrows become ASCII, letters stay."""
    assert without_emoji("🌿 Created worktrees") == "Created worktrees"
    assert without_emoji("  - /tmp/wt1 (b) → US-104…") == "  - /tmp/wt1 (b) -> US-104..."
    assert without_emoji("✅ Ready 👩🏽‍💻 café") == "Ready café"
