"""Texts that a pattern which goes back over what it has read would not get through in a lifetime."""

from __future__ import annotations

import pytest

from coffee_hooks.base.model import Intent, PathKind
from coffee_hooks.sources.headings import parse_item_heading
from coffee_hooks.sources.intents import spoken_intent
from coffee_hooks.sources.markdown import scan
from coffee_hooks.sources.paths import find_paths
from coffee_hooks.sources.scope import named_paths
from coffee_hooks.sources.specs import parse_spec
from coffee_hooks.sources.symbols import named_symbols
from coffee_hooks.sources.task_names import mentions

LONG = 100_000


@pytest.mark.parametrize("name", [f"Aa{'A' * 60}_", f"A{'a' * LONG}_"])
def test_a_name_that_is_almost_a_class_is_none(name: str) -> None:
    """However many capitals it has before what no class has."""
    assert named_symbols(scan(f"use `{name}` and `Store`")) == named_symbols(scan("use `x` and `Store`"))


def test_bases_that_are_almost_classes_are_none() -> None:
    """Capitals alone are no class, and the search does not begin anew at each."""
    (symbol,) = named_symbols(scan(f"```python\nclass Store({'A' * LONG}):\n```"))
    assert symbol.name == "Store"


@pytest.mark.parametrize("behind", [":" * 80, "::1" * 60, ":1" * 60, "#" * 60])
def test_what_is_almost_a_line_number_stays_behind_a_path(behind: str) -> None:
    """A suffix that ends in what none has is none, in whichever way its colons are read."""
    found = list(find_paths(f"write src/a.py{behind}* and src/b.py{behind}"))
    assert [path.pattern for path in found] == ["src/b.py"]


@pytest.mark.parametrize("suffix", [":12", ":12-34", "::TestStore::test_add[x]", "#usage", ":12:3", ":"])
def test_what_stands_behind_a_path_is_no_part_of_it(suffix: str) -> None:
    """Lines, columns, tests and headings."""
    (found,) = find_paths(f"write src/a.py{suffix} now")
    assert (found.pattern, found.kind) == ("src/a.py", PathKind.FILE)


def test_only_the_last_telling_word_is_looked_at() -> None:
    """A hundred thousand words before it take no time, and a no before it still counts."""
    many = "add " * LONG
    assert spoken_intent(many) is Intent.WRITE
    assert spoken_intent(f"{many} do not add ") is Intent.MENTION
    assert spoken_intent(f"{many} see ") is Intent.MENTION


def test_blanks_by_the_hundred_thousand_are_read_once() -> None:
    """Between two paths, in the comment above a piece of code, and behind the title of an item."""
    blanks = " " * LONG
    found = named_paths(scan(f"write src/a.py {blanks}! src/b.py"))
    assert [path.pattern for path in found] == ["src/a.py", "src/b.py"]
    assert not named_paths(scan(f"```python\n# file{blanks}!/.x\n```"))
    heading = parse_item_heading(f"## US-1: Search - {' ' * 900}!")
    assert heading is not None
    assert (heading.title[:6], heading.status) == ("Search", None)


def test_links_that_never_end_hide_no_task() -> None:
    """The targets of links are not prose, but a bracket that is not closed opens none."""
    found = list(mentions(f"US-7 {'](' * LONG}{' ' * 600}[docs](x/US-8) US-9"))
    assert [mention.tasks for mention in found] == [("US-7",), ("US-9",)]


def test_a_spec_of_one_line_is_read() -> None:
    """A megabyte of words, links and paths in a line ends."""
    line = "update `Store` in src/a.py, see [x](y) and add `Aaa_` " * 4000
    assert {path.pattern for path in parse_spec(line.encode(), "SPEC-1-x.md").paths} >= {"src/a.py"}
