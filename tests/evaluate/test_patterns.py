"""Whether two patterns can mean the same path."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import PathKind
from coffee_hooks.evaluate.patterns import literal_prefix, meet, segments_of

NAMES = ["".join(letters) for size in (1, 2, 3) for letters in itertools.product("ab", repeat=size)]
PATHS = [tuple(parts) for size in (1, 2) for parts in itertools.product(NAMES, repeat=size)]
SEGMENT = st.text("ab*?", min_size=1, max_size=3).filter(lambda text: "**" not in text)
PATTERN = st.lists(SEGMENT | st.just("**"), min_size=1, max_size=3).map(tuple)


def segment_matches(wildcard: str, name: str) -> bool:
    """The definition, by recursion."""
    if not wildcard:
        return not name
    if wildcard[0] == "*":
        return segment_matches(wildcard[1:], name) or bool(name and segment_matches(wildcard, name[1:]))
    return bool(name) and wildcard[0] in ("?", name[0]) and segment_matches(wildcard[1:], name[1:])


def matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """The definition, by recursion."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return matches(pattern[1:], path) or bool(path and matches(pattern, path[1:]))
    return bool(path) and segment_matches(pattern[0], path[0]) and matches(pattern[1:], path[1:])


@given(PATTERN, st.sampled_from(PATHS))
def test_a_pattern_meets_a_path_iff_it_matches_it(pattern: tuple[str, ...], path: tuple[str, ...]) -> None:
    """Against a literal path ``meet`` is plain matching, whichever side the pattern is on."""
    assert meet(pattern, path) is matches(pattern, path)
    assert meet(path, pattern) is matches(pattern, path)


@given(PATTERN, PATTERN, st.sampled_from(PATHS))
def test_patterns_with_a_common_path_meet(one: tuple[str, ...], other: tuple[str, ...], path: tuple[str, ...]) -> None:
    """No collision is missed: a path that both match makes them meet."""
    if matches(one, path) and matches(other, path):
        assert meet(one, other)
        assert meet(other, one)


@given(SEGMENT, SEGMENT)
def test_wildcards_that_meet_have_a_common_name(one: str, other: str) -> None:
    """No collision is invented: for wildcards of three characters a common name needs four letters at most."""
    names = ("".join(letters) for size in range(5) for letters in itertools.product("ab", repeat=size))
    assert meet((one,), (other,)) is any(segment_matches(one, n) and segment_matches(other, n) for n in names)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("pkg/a.py", PathKind.FILE), ("pkg/a.py", PathKind.FILE), True),
        (("pkg/a.py", PathKind.FILE), ("pkg/b.py", PathKind.FILE), False),
        (("pkg", PathKind.DIRECTORY), ("pkg/sub/new.py", PathKind.FILE), True),
        (("pkg", PathKind.DIRECTORY), ("pkgs/new.py", PathKind.FILE), False),
        (("pkg", PathKind.DIRECTORY), ("pkg/sub", PathKind.DIRECTORY), True),
        (("pkg/*.py", PathKind.GLOB), ("pkg/new.py", PathKind.FILE), True),
        (("pkg/*.py", PathKind.GLOB), ("pkg/sub/new.py", PathKind.FILE), False),
        (("pkg/**/*.py", PathKind.GLOB), ("pkg/sub/new.py", PathKind.FILE), True),
        (("test_*.py", PathKind.GLOB), ("tests/unit/test_a.py", PathKind.FILE), True),
        (("new.py", PathKind.BARE), ("pkg/new.py", PathKind.FILE), True),
        (("pkg/*_a.py", PathKind.GLOB), ("pkg/b_*.py", PathKind.GLOB), True),
        (("pkg/a*.py", PathKind.GLOB), ("pkg/b*.py", PathKind.GLOB), False),
        (("pkg/[ab].py", PathKind.GLOB), ("pkg/a.py", PathKind.FILE), False),
    ],
)
def test_places_of_every_kind(one: tuple[str, PathKind], other: tuple[str, PathKind], expected: bool) -> None:
    """Files, folders, wildcards and bare names meet as people expect; brackets are plain characters."""
    assert meet(segments_of(*one), segments_of(*other)) is expected


def test_a_hostile_pattern_ends() -> None:
    """Hundreds of stars are no way to keep us busy for ever."""
    stars, many = "*a" * 100 + "b", ("**", "x") * 60
    assert not meet((stars,), ("a" * 200,))
    assert not meet((stars,), ("*a" * 100,)) or meet(("*a" * 100,), (stars,))
    assert not meet(many, ("y",) * 60)


def test_the_literal_folders_of_a_pattern() -> None:
    """What everything that matches is below, up to the first wildcard."""
    assert literal_prefix(("src", "pkg", "**", "a.py")) == "src/pkg"
    assert literal_prefix(("**", "a.py")) == ""
