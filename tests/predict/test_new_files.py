"""Tests that do not exist yet, placed by the habit of the neighbours."""

from __future__ import annotations

import pytest

from coffee_hooks.predict.corpus import Corpus
from coffee_hooks.predict.new_files import ADDED, NewFile, new_files
from coffee_hooks.predict.source import Source

LAYOUTS = {
    "python": (["pkg/a.py", "pkg/b.py", "tests/test_a.py", "tests/test_b.py"], "pkg/c.py", "tests/test_c.py"),
    "go": (["net/a.go", "net/a_test.go", "net/b.go", "net/b_test.go"], "net/c.go", "net/c_test.go"),
    "java": (["src/Ax.java", "src/Bx.java", "test/AxTest.java", "test/BxTest.java"], "src/Cx.java", "test/CxTest.java"),
    "javascript": (["lib/a.js", "lib/b.js", "lib/a.test.js", "lib/b.test.js"], "lib/c.js", "lib/c.test.js"),
}


def added(paths: list[str], likely: dict[str, float]) -> list[NewFile]:
    """The new files of a tree of *paths* when those of *likely* are."""
    corpus = Corpus(sorted(paths), [Source() for _ in paths], [])
    return list(new_files(corpus, {corpus.place[path]: probability for path, probability in likely.items()}))


@pytest.mark.parametrize("language", sorted(LAYOUTS))
def test_the_test_stands_where_those_of_the_neighbours_do(language: str) -> None:
    """Two of three neighbours have one: the third is expected to get one, with that share."""
    known, source, test = LAYOUTS[language]
    (found,) = added([*known, source], {source: 0.9})
    assert (found.path, found.probability) == (test, round(0.9 * 2 / 3 * ADDED, 4))
    assert source in found.evidence


def test_nothing_is_invented() -> None:
    """No habit, a test that is there, an unlikely source, a document, a test itself: none brings a new file."""
    known, source, test = LAYOUTS["python"]
    assert added([*known[:1], known[2], source], {source: 0.9}) == []
    assert added([*known, source, test], {source: 0.9}) == []
    assert added([*known, source], {source: 0.1}) == []
    assert added([*known, "pkg/c.md"], {"pkg/c.md": 0.9}) == []
    assert added(known, {"tests/test_a.py": 0.9}) == []
    assert added(known, {}) == []
