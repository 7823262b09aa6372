"""Definitions by grammar, which add to those that patterns find."""

from __future__ import annotations

import pytest

from coffee_hooks.predict.grammars import defined_names, grammars, language_of
from coffee_hooks.predict.source import read_source

CODE = {
    "a.py": (b"class Store:\n    def open_all(self):\n        def inner(): ...\n\nLIMIT = 3\n", {"Store", "open_all"}),
    "a.go": (b"package p\n\ntype Gate struct{}\n\nfunc (g *Gate) Close() error { return nil }\n", {"Gate", "Close"}),
    "a.rs": (b"pub struct Train;\nimpl Train {\n    pub fn land(&self) {}\n}\n", {"Train", "land"}),
    "a.rb": (b"class Cop\n  def enabled?\n    true\n  end\nend\n", {"Cop", "enabled?"}),
    "A.java": (b"class Server {\n  @Override\n  void start() {}\n}\n", {"Server", "start"}),
    "a.ts": (b"export interface Options { a: number }\nexport const build = () => 1;\n", {"Options", "build"}),
}


@pytest.mark.parametrize("path", sorted(CODE))
def test_the_grammar_of_the_ending_is_used(path: str) -> None:
    """Every definition of the file is found, and the patterns lose none of theirs."""
    code, names = CODE[path]
    assert grammars() and names <= defined_names(language_of(path), code)
    assert {*read_source(code).defines, *names} <= set(read_source(code, language_of(path)).defines)


def test_what_nobody_knows_defines_nothing() -> None:
    """An unknown ending has no language; broken code gives what can be read of it, and hostile bytes do no harm."""
    assert language_of("data.xyz") == "" and defined_names("", b"class A: ...") == set()
    assert "open_all" in defined_names("python", b"def open_all():\n    pass\n\ndef ((((\n")
    assert defined_names("python", b"\xff\x00" * 2000 + b"(" * 50_000) == set()
