"""The page: whole and well-formed whatever the records hold, the same bytes for the same data, nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from coffee_hooks.report.gantt import Row
from coffee_hooks.report.page import MOST_ROWS, Report, page
from coffee_hooks.report.timeline import Spell

if TYPE_CHECKING:
    from conftest import Reports

VOID = frozenset(("meta", "br", "col", "hr", "link"))
PERMITTED = frozenset(
    "html head meta title style body header main footer section h1 h2 p ul ol li span b bdi time details summary div"  # noqa: SIM905
    " table caption thead tbody tr th td svg defs pattern marker rect circle line path text".split()
)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "</title></style><img src=x onerror=alert(1)>",
    "\" onload='alert(1)' x=\"",
    "'><svg/onload=alert(1)>",
    "a\x00b\x1b[31mc\x07\r\n<!-- ",
    "abc\u202ecod.exe\u2066\u2069\ufeff",
    "{{7*7}} &amp; ]]> %s",
    "x" * 10_000,
    "<" * 10_000,
    "\udc80\ud800",
)


class Strict(HTMLParser):
    """Reads a page as a browser does, and complains of what does not close, or should not be there."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[str] = []
        self.references: list[str] = []
        self.headings: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert tag in PERMITTED and len(names) == len(set(names))
        assert not [name for name in names if name.startswith("on") or name in ("src", "href", "style")]
        self.elements.append(tag)
        self.headings += [tag] if tag in ("h1", "h2") else []
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "aria-labelledby":
                self.references.append(value or "")


@pytest.mark.parametrize("text", HOSTILE, ids=[str(number) for number in range(len(HOSTILE))])
def test_nothing_that_an_agent_writes_becomes_markup(text: str, report: Reports) -> None:
    """The page has the same elements with any text, no control or bidirectional character, and stays small."""
    made = page(report(text))
    read, usual = Strict(made), Strict(page(report()))
    assert sorted(set(read.elements)) == sorted(set(usual.elements))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", made)
    assert len(made) < 4 * len(page(report()))


def test_the_page_is_whole_and_speaks_for_itself(report: Reports) -> None:
    """One first heading, a heading for each section, references that lead somewhere, a language, no script, no link."""
    made = page(report())
    read = Strict(made)
    assert read.headings == ["h1", *["h2"] * 7]
    assert len(read.ids) == len(set(read.ids)) and set(read.references) <= set(read.ids)
    assert made.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "default-src &#x27;none&#x27;" in made and "http" not in made.replace("http-equiv", "")
    assert "3 of 4 tasks landed, 1 blocked" in made and "cost 1.25 $" in made
    assert "Made by coffee report on 12 Jan 1970, 13:46 UTC" in made
    for words in ("flaky gate", "✓ landed", "conflict", "dependency", "unknown", "1 of 3"):
        assert words in made, words


def test_the_same_report_makes_the_same_bytes(report: Reports) -> None:
    """Nothing but the data and its time is in the page."""
    assert page(report()) == page(report())


def test_a_repository_without_a_past_has_a_page(empty_report: Report) -> None:
    """Each section says that there is nothing, and no figure is claimed."""
    made = page(empty_report)
    assert Strict(made).headings == ["h1", *["h2"] * 7]
    assert made.count("no data") == 5 and "No roadmap." in made and "Nothing was worked on" in made


def test_a_long_pause_is_cut_and_named(report: Reports) -> None:
    """A night between two tasks is drawn short, and the legend says so; without one it does not."""
    usual = replace(report(), rows=report().rows[:3])
    late = replace(usual.rows[0].journey, branch="late", agents=(Spell(500_000, 500_100, "done"),))
    assert "cut short" not in page(usual)
    assert "cut short" in page(replace(usual, rows=[*usual.rows, Row(late, "late")]))


def test_many_tasks_are_the_latest_ones(report: Reports) -> None:
    """A page that nobody could load helps nobody."""
    many = report(count=3)
    rows = [replace(many.rows[0], title=f"number {n}") for n in range(MOST_ROWS + 7)]
    made = page(replace(many, rows=rows))
    assert "7 tasks before these are not shown" in made
    assert "number 6<" not in made and "number 7<" in made and f"number {MOST_ROWS + 6}<" in made
