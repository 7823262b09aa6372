"""From a text to files with probabilities and reasons, on small trees of several languages."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.history import Change
from coffee_hooks.predict.model import fitted
from coffee_hooks.predict.predict import LEAST, Prediction, predict
from coffee_hooks.predict.source import read_source

FILES = {
    "app/parser.py": "from app.tokens import Token\n\ndef parse_option(text):\n    return Token(text)\n",
    "app/tokens.py": "class Token:\n    kind = 'word'\n",
    "app/shell.py": "import app.parser\n\ndef complete_line(): ...\n",
    "tests/test_parser.py": "from app.parser import parse_option\n",
    "web/cart.ts": "import { price } from './price';\nexport function addToCart() {}\n",
    "web/price.ts": "export const price = () => 1;\n",
    "net/dial.go": 'package net\n\nimport (\n\t"demo/net/proxy"\n)\n\nfunc DialTimeout() {}\n',
    "net/proxy/proxy.go": "package proxy\n\nfunc Route() {}\n",
    "docs/usage.md": "How to use the shell\n",
    "assets/logo.png": "\0binary",
}
CHANGES = [
    Change("a" * 40, "Speed up the tokenizer", ("app/tokens.py", "app/parser.py")),
    Change("b" * 40, "Let options repeat", ("app/parser.py", "app/tokens.py")),
    Change("c" * 40, "Round prices of the cart", ("web/price.ts",)),
    Change("d" * 40, "Found the shop", tuple(FILES)),
]


def corpus() -> Corpus:
    paths = sorted(FILES)
    return Corpus(paths, [read_source(FILES[path].encode()) for path in paths], CHANGES)


def ask(*texts: str) -> list[tuple[Prediction, ...]]:
    return predict(corpus(), texts, fitted())


def reasons(text: str, path: str) -> str:
    """All that is said of *path*."""
    (found,) = ask(text)
    return "; ".join(reason for each in found if each.path == path for reason in each.evidence)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Repair app/shell.py", "app/shell.py"),
        ("price.ts gives cents", "web/price.ts"),
        ("Let app.tokens know numbers", "app/tokens.py"),
        ("`addToCart` adds twice", "web/cart.ts"),
        ("DialTimeout waits for ever", "net/dial.go"),
        ("Complete a line in the shell", "app/shell.py"),
        ("Round the prices in the cart", "web/price.ts"),
    ],
)
def test_what_the_text_points_to_comes_first(text: str, path: str) -> None:
    """By path, name, module, symbol, words of the file and earlier messages, whatever the language."""
    (found,) = ask(text)
    assert found[0].path == path, found
    assert found[0].evidence


def test_the_reasons_are_those_of_the_signals() -> None:
    """Each kind of signal says what it saw; words are spelled as the text spells them."""
    assert "the text names this path" in reasons("Repair app/shell.py", "app/shell.py")
    assert "the text names addToCart, defined here" in reasons("`addToCart` adds twice", "web/cart.ts")
    assert "a change like this touched it: ccccccc" in reasons("Round the prices of carts", "web/price.ts")
    assert "complete, line" in reasons("Complete the line", "app/shell.py")
    every = " ".join(reason for (found,) in map(ask, FILES) for each in found for reason in each.evidence)
    assert "imports the other" in every or "it changed with" in every or "tests app/parser.py" in every


def test_a_founding_change_says_nothing() -> None:
    """The commit that made the repository touched all files and is like no task."""
    assert all("ddddddd" not in reason for each in ask("Found the shop")[0] for reason in each.evidence)


@pytest.mark.parametrize("text", ["", "   \n", "the and of", "Merge pull request #3 from x/"])
def test_a_text_without_words_points_nowhere_in_particular(text: str) -> None:
    """What is said is only how busy files are; nothing is likely by that here."""
    (found,) = ask(text)
    assert all(each.probability < 0.2 for each in found)


TEXTS = st.text(st.sampled_from("abc Option parse_ token.py/`(\n-shell"), max_size=60)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.randoms())
def test_a_text_is_judged_by_itself(texts: list[str], shuffled: random.Random) -> None:
    """Neither the other texts nor their order change an answer; probabilities are in order, each with its reasons."""
    answers = dict(zip(texts, ask(*texts), strict=True))
    order = list(dict.fromkeys(texts))
    shuffled.shuffle(order)
    assert {text: ask(text)[0] for text in order} == answers
    for found in answers.values():
        assert all(LEAST <= each.probability <= 1 and each.evidence for each in found)
        assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)
        assert len({each.path for each in found}) == len(found)


def test_nothing_to_predict() -> None:
    """A repository without files or without a past."""
    assert predict(Corpus([], [], []), ["Repair app/shell.py"], fitted()) == [()]
    bare = Corpus(["app/shell.py"], [read_source(b"def shell(): ...\n")], [])
    assert predict(bare, ["Repair app/shell.py"], fitted())[0][0].path == "app/shell.py"
