"""From what a spec declares to places with probabilities and evidence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from coffee_hooks.base.model import PathKind
from coffee_hooks.evaluate.footprint import DECLARED, KNOWN, RESOLVED, Footprint, Scope, cite, footprint, spec_label
from coffee_hooks.evaluate.tree import index_tree

TREE = index_tree(["src/pkg/a.py", "src/pkg/daemon.py", "src/pkg/sub/b.py", "docs/ROADMAP.md", "tests/test_a.py"])


def places(found: Footprint) -> dict[str, float]:
    """Pattern to probability."""
    return {place.pattern: place.probability for place in found.places}


def test_a_declared_file_is_almost_certain_and_says_why(make: SimpleNamespace) -> None:
    """Evidence names the spec and the line, whether or not the file exists yet."""
    found = footprint(make.spec(104, ["src/pkg/a.py", "src/pkg/new.py"]), TREE)
    assert found.scope is Scope.DECLARED
    assert [(p.pattern, p.probability, p.evidence) for p in found.places] == [
        ("src/pkg/a.py", DECLARED, ("declared: SPEC-104 line 10",)),
        ("src/pkg/new.py", DECLARED, ("declared: SPEC-104 line 11",)),
    ]


@pytest.mark.parametrize("reason", ["no spec", "not text", "only mentions", "nothing"])
def test_what_is_not_known_is_unknown(make: SimpleNamespace, reason: str) -> None:
    """Without a readable spec that says it writes something nobody knows where a task works."""
    spec = {
        "no spec": None,
        "not text": make.spec(104, ["src/pkg/a.py"], readable=False),
        "only mentions": make.spec(104, mentions=["src/pkg/a.py", "daemon.py"]),
        "nothing": make.spec(104),
    }[reason]
    assert footprint(spec, TREE) == Footprint(Scope.UNKNOWN)


def test_folders_and_wildcards_keep_their_pattern_and_know_their_files(make: SimpleNamespace) -> None:
    """A region holds the files of the tree, and covers one that does not exist yet."""
    found = footprint(make.spec(104, ["src/pkg/", "tests/*.py"]), TREE)
    assert [(p.pattern, p.matches) for p in found.places] == [
        ("src/pkg/", ("src/pkg/a.py", "src/pkg/daemon.py", "src/pkg/sub/b.py")),
        ("tests/*.py", ("tests/test_a.py",)),
    ]
    assert found.covers("src/pkg/deep/new.py")
    assert found.covers("tests/test_new.py")
    assert not found.covers("src/other.py")


def test_a_bare_name_is_every_file_of_that_name(make: SimpleNamespace) -> None:
    """One file is nearly certain, several share the probability, none means a new file somewhere."""
    tree = index_tree(["a/daemon.py", "b/utils.py", "c/utils.py"])
    found = places(footprint(make.spec(104, ["daemon.py", "utils.py", "brand_new.py"]), tree))
    assert found == {"a/daemon.py": 0.9, "b/utils.py": 0.45, "c/utils.py": 0.45, "brand_new.py": 0.8}


def test_a_name_that_could_be_anywhere_is_no_scope(make: SimpleNamespace) -> None:
    """``__init__.py`` in a tree with twenty of them says nothing."""
    found = footprint(make.spec(104, ["__init__.py"]), index_tree(f"p{n}/__init__.py" for n in range(20)))
    assert max(places(found).values()) < KNOWN
    assert found.scope is Scope.UNKNOWN


def test_a_partial_path_is_also_looked_up_by_its_end(make: SimpleNamespace) -> None:
    """``pkg/a.py`` may be a new file or the one below ``src``."""
    found = places(footprint(make.spec(104, ["pkg/a.py", "pkg/sub/"]), TREE))
    assert found == {"pkg/a.py": DECLARED, "src/pkg/a.py": 0.6, "pkg/sub/": 0.9, "src/pkg/sub/": 0.6}


def test_the_tree_corrects_the_spelling(make: SimpleNamespace) -> None:
    """A folder written without its slash is a folder; a file written with one is a file."""
    found = footprint(make.spec(104, ["src/pkg", "tests/test_a.py/"]), TREE)
    assert [(p.pattern, p.kind) for p in found.places] == [
        ("src/pkg/", PathKind.DIRECTORY),
        ("tests/test_a.py", PathKind.FILE),
    ]


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        ("docs/ROADMAP.md", True),
        ("PLAN.md", True),
        ("CHANGELOG.md", True),
        ("CHANGELOG-2.0.md", True),
        ("docs/HISTORY.rst", True),
        ("poetry.lock", True),
        ("web/package-lock.json", True),
        ("newsfragments/12.feature", True),
        ("pyproject.toml", False),
        ("pkg/changelog.py", False),
        ("pkg/history.py", False),
        ("docs/newsletter.md", False),
    ],
)
def test_shared_files_are_apart(make: SimpleNamespace, path: str, shared: bool) -> None:
    """The merge looks after the roadmap, lock files and change logs; code of such a name is code."""
    found = footprint(make.spec(104, [f"./{path}" if "/" not in path else path]), TREE, roadmap="PLAN.md")
    assert found.scope is Scope.DECLARED
    assert [p.pattern for p in (found.shared if shared else found.places)] == [path]
    assert not (found.places if shared else found.shared)


def test_a_path_named_twice_is_one_place_with_all_its_evidence(make: SimpleNamespace) -> None:
    """The bare name and the full path of one file become one place, as likely as the clearer of the two."""
    found = footprint(make.spec(104, ["daemon.py", "src/pkg/daemon.py"]), TREE)
    assert [(p.pattern, p.probability, len(p.evidence)) for p in found.places] == [("src/pkg/daemon.py", DECLARED, 2)]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("docs/specs/SPEC-104-feature-x.md", "SPEC-104"),
        ("docs/specs/SPEC-1-5-database.md", "SPEC-1-5"),
        ("docs/specs/SPEC-025-3d-view.md", "SPEC-025"),
        ("docs/specs/SPEC-025-hierarchy/README.md", "SPEC-025"),
        ("docs/US-006_TECHNICAL_SPEC.md", "US-006_TECHNICAL_SPEC"),
    ],
)
def test_a_spec_is_cited_by_its_number(path: str, label: str) -> None:
    """Every shape of file name gives a short label."""
    assert spec_label(path) == label


def test_a_line_of_another_file_is_not_cited(make: SimpleNamespace) -> None:
    """Line 0 means a part of the spec in a file of its own."""
    assert cite(make.spec(104), 41) == "SPEC-104 line 41"
    assert cite(make.spec(104), 0) == "SPEC-104"


def test_a_bare_name_is_first_of_all_the_file_at_the_top(make: SimpleNamespace) -> None:
    """``setup.py`` in a spec is that one; its namesakes below may be meant as well."""
    tree = index_tree(["setup.py", "tests/data/a/setup.py", "tests/data/b/setup.py"])
    places = footprint(make.spec(104, ["setup.py"]), tree).places
    assert {p.pattern: p.probability for p in places} == {
        "setup.py": RESOLVED, "tests/data/a/setup.py": 0.3, "tests/data/b/setup.py": 0.3,
    }  # fmt: skip
