"""The line scan of Markdown against the rules of CommonMark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.sources.markdown import decode, scan


def headings(text: str) -> list[str]:
    return [heading.text for heading in scan(text).headings]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("# One\n## Two ##\n###### Six #\n####### seven", ["One", "Two", "Six"]),
        ("#hashtag\n #  Indented\n    # code", ["Indented"]),
        ("```\n# in\n```\n# out", ["out"]),
        ("```md\n# in\n~~~\n# in\n```\n# out", ["out"]),
        ("````\n```\n# in\n````\n# out", ["out"]),
        ("~~~ `x`\n# in\n~~~~\n# out", ["out"]),
        ("``` a`b\n# out", ["out"]),
        ("```\n# in\n``` no end\n# in", []),
        ("   ```\n# in\n   ```\n# out", ["out"]),
        ("    ```\n# out", ["out"]),
        ("```\n    ```\n# in\n```\n# out", ["out"]),
        ("- item\n\n  ```\n  # in\n  ```\n# out", ["out"]),
        ("1. item\n   ```\n   # in\nafter\n# out", ["out"]),
        ("- ```\n  # in\n  ```\n# out", ["out"]),
        ("<!--\n# in\n-->\n# out", ["out"]),
        ("<!-- one line -->\n# out", ["out"]),
        ("- # in a list\n# out", ["out"]),
    ],
)
def test_only_real_headings_are_seen(text: str, seen: list[str]) -> None:
    """Fences of both kinds, their lengths, indents and list items, and comments hide headings as they should."""
    assert headings(text) == seen


def test_a_fence_knows_its_lines_and_whether_it_closed() -> None:
    """Lines are 1-based and include the marks; an open fence reaches the end of the text."""
    first, second = scan("a\n```py x\nb\n```\n~~~\nc").fences
    assert (first.start, first.end, first.language, first.closed) == (2, 4, "py", True)
    assert (second.start, second.end, second.closed) == (5, 6, False)


def test_visible_lines_are_those_outside_fences() -> None:
    """What a fence hides is not prose."""
    document = scan("a\n```\nb\n```\nc")
    assert list(document.visible(1, 5)) == [(1, "a"), (5, "c")]


def test_decoding_keeps_line_numbers_whatever_the_bytes() -> None:
    """CRLF, lone CR, a byte order mark, NULs and broken UTF-8 change no line number; only text is readable."""
    assert decode("é\r\nb\rc".encode()) == ("é\nb\nc", True)
    assert decode(b"\xef\xbb\xbf# A") == ("# A", True)
    assert decode(b"a\0b\nc") == ("a\ufffdb\nc", False)
    text, readable = decode(b"\xff\xfe\n# \xc3\n# B")
    assert (text.count("\n"), readable) == (2, False)
    assert headings(text) == ["\ufffd", "B"]


@given(st.binary(max_size=400))
def test_scanning_never_raises(data: bytes) -> None:
    """Any bytes give a document with as many lines as the text has."""
    text, _ = decode(data)
    document = scan(text)
    assert len(document.lines) == text.count("\n") + 1
    assert len(document.hidden) == len(document.lines) + 1


@given(
    st.lists(
        st.sampled_from(["```", "~~~", "# A", "    x", "- b", "  ```", "````", "<!--", "-->", "", "text"]), max_size=25
    )
)
def test_a_heading_is_never_hidden(lines: list[str]) -> None:
    """A line is a heading or hidden, never both, in any mixture of fences, lists and comments."""
    document = scan("\n".join(lines))
    assert not any(document.hidden[heading.line] for heading in document.headings)
    assert all(document.hidden[line] for fence in document.fences for line in range(fence.start, fence.end + 1))
