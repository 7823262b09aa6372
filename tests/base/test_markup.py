"""Markup that nothing put into it can break out of."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.markup import Markup, join, number, percent, plain, tag
from coffee_hooks.base.text import printable


class Reader(HTMLParser):
    """What a browser makes of a text: elements, their attributes, and what is between them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")


@given(st.text(), st.text())
def test_any_text_stays_text(content: str, value: str) -> None:
    """A reader sees one element with one attribute, and the text with its control characters as escapes."""
    read = Reader(tag("p", content, title=value))
    assert read.elements == [("p", {"title": printable(value)})]
    assert read.said == printable(content)


def test_elements_as_they_are_written() -> None:
    """Names as in Python, numbers short, nothing for None, and children as they are."""
    inner = tag("rect", x=percent(12.34567), y=-0.0001, class_="a", aria_hidden=None, hidden=True)
    assert inner == '<rect x="12.346%" y="0" class="a" hidden/>'
    assert tag("svg", inner, None, "<", viewBox="0 0 1 1") == f'<svg viewBox="0 0 1 1">{inner}&lt;</svg>'
    assert tag("p") == "<p></p>"
    assert (number(3.0), number(2.5), join(["a&b", Markup("<i>")])) == ("3", "2.5", "a&amp;b<i>")


def test_a_long_text_is_cut_and_cleaned() -> None:
    """With a length, terminal and bidirectional controls go instead of being shown."""
    assert plain("a\x1b[31m\u202eb\nc", 10) == "ab c"
    assert len(plain("x" * 10_000, 80)) == 80
    assert plain("\u202e") == "\\u202e"
