"""What is read of one file: words, definitions and imports of many languages, out of any bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.predict.source import LONGEST, OFTEN, read_source

LANGUAGES = {
    "python": (
        b"from .base import Repo, Sha\nimport os.path\n\nLIMIT_SIZE = 3\n\n\nclass Store(Base):\n"
        b"    async def open_all(self):\n        def inner(): ...\n",
        {"LIMIT_SIZE", "Store", "open_all", "inner"},
        {".base", ".base.Repo", ".base.Sha", "os.path"},
    ),
    "javascript": (
        b"const fs = require('./files');\nimport x from \"../lib/tree.js\";\nexport default class Menu {\n"
        b"  render(items) {\n  }\n}\nexport const price = (item) => 1;\nStock.prototype.refill = function () {};\n",
        {"Menu", "render", "price", "refill"},
        {"./files", "../lib/tree.js"},
    ),
    "typescript": (
        b'import { Menu } from "./menu";\nexport interface Options { a: number }\nexport type Sizes = string;\n'
        b"export async function order(menu: Menu): Promise<void> {\n}\nenum Cup { Small }\n",
        {"Options", "Sizes", "order", "Cup"},
        {"./menu"},
    ),
    "go": (
        b'package menu\n\nimport (\n\t"fmt"\n\tstock "example.org/shop/stock"\n)\n\ntype Menu struct {}\n'
        b"func (m *Menu) Render() string {\n}\nfunc Order(n int) {\n}\n",
        {"Menu", "Render", "Order"},
        {"example.org/shop/stock"},
    ),
    "rust": (
        b"use crate::base::git;\nmod menu;\npub struct Train;\nimpl Train {\n  pub(crate) async fn land(&self) {}\n}\n"
        b"macro_rules! brew { () => {} }\npub trait Gate {}\n",
        {"Train", "land", "brew", "Gate"},
        {"crate::base::git", "menu"},
    ),
    "java": (
        b"package org.shop;\nimport org.shop.stock.Shelf;\nimport static org.shop.Sizes.LARGE;\n"
        b"public class Menu {\n  protected synchronized List<Item> order(int n) {\n  }\n}\n",
        {"Menu", "order"},
        {"org.shop.stock.Shelf", "org.shop.Sizes.LARGE"},
    ),
    "ruby": (
        b'require "json/ext"\nrequire_relative "../stock"\nmodule Shop\n  class Menu\n    def self.order\n    end\n'
        b"  end\nend\n",
        {"Shop", "Menu", "order"},
        {"json/ext", "../stock"},
    ),
    "c": (
        b'#include "shop/stock.h"\n#include <stdio.h>\n#define CUP_SIZE 3\nstruct menu {\n};\n'
        b"static int brew(int n) {\n}\n",
        {"CUP_SIZE", "menu", "brew"},
        {"shop/stock.h", "stdio.h"},
    ),
}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_definitions_and_imports_of_each_language(language: str) -> None:
    """By patterns alone, as where no grammar is installed."""
    code, defines, imports = LANGUAGES[language]
    found = read_source(code)
    assert defines <= set(found.defines)
    assert imports <= set(found.imports)


def test_a_word_is_in_the_group_of_how_often_it_occurs() -> None:
    """Each word is in one group, and the size is that of all of them."""
    found = read_source(b"once twin twin " + b"often " * 9 + b"always " * 200)
    assert found.size == 1 + 2 + 9 + 200
    assert dict(found.count()) == {"once": OFTEN[0], "twin": OFTEN[1], "often": OFTEN[3], "alway": OFTEN[4]}


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_source(data: bytes) -> None:
    """Never raises; what is sorted stays sorted, and nothing that is kept has a line break or a blank in it."""
    found = read_source(data)
    assert list(found.defines) == sorted(set(found.defines)) and list(found.imports) == sorted(set(found.imports))
    assert all(len(each.split()) == 1 for each in (*found.defines, *found.imports))


@pytest.mark.parametrize("data", [b"\0def hidden(): ...", b"\x7fELF" + b"\0" * 9000, b""])
def test_what_is_not_text_is_empty(data: bytes) -> None:
    """A NUL near the start, or nothing at all."""
    assert read_source(data).size == 0 and not read_source(data).defines


HOSTILE = {
    "one long line": b"a" * 1_000_000,
    "words without end": b"word " * 200_000,
    "modifiers": b"public static " * 70_000,
    "generics": b"public " + b"List<" * 200_000,
    "nested": b"(" * 500_000 + b")" * 500_000,
    "braces": b"abc(" + b"x, " * 300_000 + b"{\n" * 9,
    "quotes": b'"' * 1_000_000,
    "blanks": b" " * 1_000_000 + b"x",
    "imports": b"from " * 200_000,
    "paths": b'"' + b"a/" * 500_000 + b'"',
    "short lines": b"def f\n" * 170_000,
    "invalid": b"\xff\xfe\xc0\x80" * 250_000,
    "a path behind blanks": b" " * 500_000 + b'"a',
    "constants": b"A_" * 400_000 + b" =",
}


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_hostile_bytes_take_linear_time(kind: str) -> None:
    """No pattern goes back and forth: with one that does this test takes a minute. What was cut off is not seen."""
    assert read_source(HOSTILE[kind]) == read_source(HOSTILE[kind][:LONGEST])
