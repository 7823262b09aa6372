"""Words of prose, identifiers and paths, spelled alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.predict.words import count_words, stem, words_of


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("parse", ("pars",)),
        ("HTTPServer", ("http", "server", "httpserver")),
        ("read_spec_file", ("read", "spec", "file", "read_spec_file")),
        ("_private", ("privat",)),
        ("x1", ()),
        ("Ελληνικά", ("ελληνικά",)),
        ("KännchenGröße", ("kännchen", "größ", "kännchengröße")),
        ("ÜBERTrag", ("über", "trag", "übertrag")),
        ("修复错误parser", ("修复错误", "parser", "修复错误parser")),
    ],
)
def test_an_identifier_is_its_parts_and_itself(identifier: str, words: tuple[str, ...]) -> None:
    """Parts shorter than three letters say nothing; the whole counts where there are several parts."""
    assert words_of(identifier) == words


@pytest.mark.parametrize(
    "alike",
    ["branch branches", "query queries", "merge merged merges merging", "test tests tested testing", "class classes"],
)
def test_the_forms_of_a_word_are_one(alike: str) -> None:
    """Plurals, pasts and gerunds meet in one stem."""
    assert len({stem(word) for word in alike.split()}) == 1


@given(st.text(), st.text())
def test_counts_add_up(one: str, other: str) -> None:
    """The words of two texts are those of each, whatever the text; no word has a capital or a blank."""
    both = count_words(f"{one}\n{other}")
    assert both == count_words(one) + count_words(other)
    assert all(word == word.lower() and word.split() == [word] for word in both)
