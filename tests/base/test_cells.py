"""Text measured as a terminal shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.cells import cells, cut, padded


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("漢字", 4), ("한글", 4), ("ｆｕｌｌ", 8), ("e\u0301", 1), ("\u1112\u1161\u11ab", 2),
     ("🚀", 2), ("a\u200db", 2), ("…", 1), ("é", 1), ("\u20ac", 1)],
)  # fmt: skip
def test_characters_fill_their_cells(text: str, width: int) -> None:
    """Wide ones two, marks and joiners none."""
    assert cells(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("abcdef", 1, "…"), ("abcdef", 0, ""), ("", 0, ""),
     ("漢字漢字", 5, "漢字…"), ("漢字漢字", 4, "漢…"), ("漢", 1, "…")],
)  # fmt: skip
def test_what_is_too_long_is_cut(text: str, width: int, shown: str) -> None:
    """With an ellipsis, and never through a wide character."""
    assert cut(text, width) == shown


@given(st.text(), st.integers(0, 30))
def test_a_cut_text_fits(text: str, width: int) -> None:
    """Whatever it was; and what it lacks is made up with blanks."""
    short = cut(text, width)
    assert cells(short) <= width
    assert cells(padded(short, width)) == width
