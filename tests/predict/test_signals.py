"""Each way in which a text points to files, on a small tree of several languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.history import Change
from coffee_hooks.predict.predict import Scout
from coffee_hooks.predict.question import ask
from coffee_hooks.predict.signals.bm25 import Postings
from coffee_hooks.predict.signals.cochange import cochange
from coffee_hooks.predict.signals.content import content
from coffee_hooks.predict.signals.imports import imports
from coffee_hooks.predict.signals.layout import path_words
from coffee_hooks.predict.signals.messages import messages
from coffee_hooks.predict.signals.names import named_file, named_folder, named_path, named_stem
from coffee_hooks.predict.signals.neighbours import neighbours
from coffee_hooks.predict.signals.signal import Signal
from coffee_hooks.predict.signals.spread import Spread
from coffee_hooks.predict.signals.symbols import symbols
from coffee_hooks.predict.signals.twins import twins
from coffee_hooks.predict.source import read_source

FILES = {
    "shop/__init__.py": "",
    "shop/menu.py": "from .stock import Shelf\nimport shop.prices\n\ndef brew_espresso(): 'kettle'\n",
    "shop/stock.py": "class Shelf:\n    def refill_beans(self): ...\n",
    "shop/prices.py": "TAX_RATE = 3\n",
    "tests/test_menu.py": "from shop.menu import brew_espresso\n",
    "web/src/order.ts": 'import { Cart } from "./cart";\nexport function placeOrder() {\n}\n',
    "web/src/cart.ts": "export class Cart {\n}\n",
    "web/src/cart.test.ts": "import { Cart } from './cart';\n",
    "net/server.go": 'package net\nimport (\n\tpipes "example.org/cafe/pipes"\n)\nfunc Serve() {\n}\n',
    "pipes/pipe.go": "package pipes\nfunc Flow() {\n}\n",
    "core/src/main.rs": "mod grinder;\nuse crate::grinder::Burr;\nfn main() {}\n",
    "core/src/grinder.rs": "pub struct Burr;\n",
    "java/org/cafe/Till.java": "package org.cafe;\nimport org.cafe.Coin;\npublic class Till {\n}\n",
    "java/org/cafe/Coin.java": "package org.cafe;\npublic class Coin {\n}\n",
    "java/test/org/cafe/TillTest.java": "import org.cafe.Till;\n",
    "lib/roast.rb": "require_relative 'bean'\nmodule Roast\nend\n",
    "lib/bean.rb": "class Bean\nend\n",
    "drv/valve.c": '#include "valve.h"\nint open_valve(void) {\n}\n',
    "drv/valve.h": "int open_valve(void);\n",
    "docs/brewing.md": "# Brewing\n\nThe kettle and the espresso.\n",
}
PATHS = sorted(FILES)
CHANGES = [
    ("Refill the beans when the shelf is empty", ["shop/stock.py", "drv/valve.c"]),
    ("Let water through", ["shop/stock.py", "drv/valve.c"]),
    ("Teach the till about coins\n\nSigned-off-by: A", ["java/org/cafe/Till.java"]),
    ("", ["docs/brewing.md"]),
    ("Move everything", PATHS),
]
CORPUS = Corpus(
    PATHS,
    [read_source(FILES[path].encode()) for path in PATHS],
    [Change(f"{number:040x}", message, tuple(files)) for number, (message, files) in enumerate(CHANGES, 1)],
)
AT = CORPUS.place


def found(signal: Signal, text: str) -> dict[str, float]:
    """What *signal* finds for *text*, by path."""
    return {PATHS[at]: strength for at, strength in signal.find(ask(text)).items()}


def led(spread: Spread, path: str) -> dict[str, float]:
    """Where *spread* leads from *path*, by path, the start left out."""
    return {PATHS[at]: strength for at, strength in spread.find({AT[path]: 0.8}).items() if PATHS[at] != path}


NAMED: list[tuple[Callable[[Corpus], Signal], str, set[str]]] = [
    (named_path, "Change shop/menu.py.", {"shop/menu.py"}),
    (named_path, "Change `src/cart.ts` and core\\src\\main.rs", {"web/src/cart.ts", "core/src/main.rs"}),
    (named_path, "shop.menu.brew_espresso is slow, and org.cafe.Till too", {"shop/menu.py", "java/org/cafe/Till.java"}),
    (named_path, "src::grinder::Burr", {"core/src/grinder.rs"}),
    (named_file, "See Till.java and VALVE.H", {"java/org/cafe/Till.java", "drv/valve.h"}),
    (named_stem, "The grinder is loud", {"core/src/grinder.rs"}),
    (named_stem, "the valve", {"drv/valve.c", "drv/valve.h"}),
    (named_folder, "all of pipes", {"pipes/pipe.go"}),
    (symbols, "`refill_beans` and placeOrder", {"shop/stock.py", "web/src/order.ts"}),
    (symbols, "call Serve() at once", {"net/server.go"}),
    (messages, "the beans of the shelf", {"shop/stock.py", "drv/valve.c"}),
]


@pytest.mark.parametrize(("make", "text", "paths"), NAMED, ids=[f"{m.__name__} {t[:20]}" for m, t, _ in NAMED])
def test_a_text_points_to_files(make: Callable[[Corpus], Signal], text: str, paths: set[str]) -> None:
    """Exactly those that it names, and each with a reason."""
    signal = make(CORPUS)
    assert set(found(signal, text)) == paths
    assert all(signal.say(ask(text), AT[path]) for path in paths)


@pytest.mark.parametrize("make", [named_path, named_file, named_stem, named_folder, symbols, messages])
def test_a_text_about_something_else_points_nowhere(make: Callable[[Corpus], Signal]) -> None:
    """Nothing is found in words that nothing here has."""
    assert found(make(CORPUS), "Zylophone quartet: rehearse (weekly), see qux.zig and a/b.zig") == {}


def test_words_in_text_and_path_are_said_as_they_are_written() -> None:
    """The kettle is in one document and one source; espresso brewing is in the path of the document."""
    question = ask("Espresso brewing\n\nfrom the kettles")
    signal = content(CORPUS, [question])
    assert {"shop/menu.py", "docs/brewing.md"} <= {PATHS[at] for at in signal.find(question)}
    assert "kettles" in signal.say(question, AT["shop/menu.py"])
    by_path, by_title = path_words(CORPUS)
    assert next(iter(by_path.find(question))) == next(iter(by_title.find(question))) == AT["docs/brewing.md"]
    assert "brewing" in by_path.say(question, AT["docs/brewing.md"])


IMPORTS = [
    ("shop/menu.py", {"shop/stock.py", "shop/prices.py", "tests/test_menu.py"}),
    ("web/src/cart.ts", {"web/src/order.ts", "web/src/cart.test.ts"}),
    ("net/server.go", {"pipes/pipe.go"}),
    ("core/src/grinder.rs", {"core/src/main.rs"}),
    ("java/org/cafe/Till.java", {"java/org/cafe/Coin.java", "java/test/org/cafe/TillTest.java"}),
    ("lib/roast.rb", {"lib/bean.rb"}),
]


@pytest.mark.parametrize(("path", "others"), IMPORTS)
def test_imports_lead_both_ways(path: str, others: set[str]) -> None:
    """As strongly as the file is likely, whichever of the two imports the other."""
    spread = imports(CORPUS)
    assert led(spread, path) == dict.fromkeys(others, 0.8)
    for other in others:
        assert path in led(spread, other)
        assert path in spread.say({AT[path]: 0.8}, AT[other])


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("shop/menu.py", "tests/test_menu.py"),
        ("web/src/cart.ts", "web/src/cart.test.ts"),
        ("java/org/cafe/Till.java", "java/test/org/cafe/TillTest.java"),
    ],
)
def test_a_source_and_its_test_are_twins(source: str, test: str) -> None:
    """Each leads to the other, and the reason says which is which."""
    spread = twins(CORPUS)
    assert test in led(spread, source) and source in led(spread, test)
    for one, other in ((source, test), (test, source)):
        assert spread.say({AT[one]: 0.8}, AT[other]) == f"{test} tests {source}"


def test_what_changed_together_leads_to_each_other() -> None:
    """Twice is a rule; a change of everything is none."""
    spread = cochange(CORPUS)
    assert set(led(spread, "shop/stock.py")) == {"drv/valve.c"}
    assert led(spread, "docs/brewing.md") == {}
    assert spread.say({AT["shop/stock.py"]: 0.8}, AT["drv/valve.c"]).endswith("in 2 of 2 changes of that")


def test_neighbours_share_the_folder_of_what_is_likely() -> None:
    """Of two likely files in one folder each speaks for the other; a third elsewhere gains nothing."""
    lead = {AT["drv/valve.c"]: 0.6, AT["drv/valve.h"]: 0.3, AT["lib/bean.rb"]: 0.1}
    shares = neighbours(CORPUS).find(lead)
    assert shares[AT["drv/valve.c"]] == pytest.approx(0.3) and shares[AT["drv/valve.h"]] == pytest.approx(0.6)
    assert shares.get(AT["lib/bean.rb"], 0.0) == 0


@given(st.lists(st.sampled_from([*PATHS, *" ".join(FILES.values()).split(), "kettle", "Menu", "\n\n"]), max_size=30))
def test_there_is_a_reason_for_whatever_is_found(words: list[str]) -> None:
    """Whatever points to a file can say why, on one line; strengths are finite and never negative."""
    question = ask(" ".join(words))
    scout = Scout(CORPUS, [question])
    rows, lead = scout.look(question)
    for signal in scout._signals:
        for at, strength in signal.find(question).items():
            said = signal.say(question, at)
            assert said and "\n" not in said and 0 <= strength < 100 and at in rows
    for spread in scout._spreads:
        for at, strength in spread.find(lead).items():
            assert spread.say(lead, at) if strength > 0 else True
            assert 0 <= strength <= 1 + 1e-9


@given(st.dictionaries(st.sampled_from("abc"), st.sets(st.integers(0, 30), min_size=1)), st.integers(0, 31))
def test_postings_know_who_has_a_word(having: dict[str, set[int]], at: int) -> None:
    """By bisection over ascending numbers, the same as membership."""
    found = Postings((1.0,), ({word: sorted(numbers) for word, numbers in having.items()},))
    for word in "abcd":
        assert found.has(word, at) is (at in having.get(word, ()))
        assert found.number(word) == len(having.get(word, ()))
