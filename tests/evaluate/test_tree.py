"""The index of a tree against plain loops over it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.evaluate.patterns import meet
from coffee_hooks.evaluate.tree import index_tree

PART = st.sampled_from(["a", "b", "ab", "a.py", "0", "a-b"])
PATHS = st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), max_size=12)
PATTERN = st.lists(PART | st.sampled_from(["*", "a*", "?", "**"]), min_size=1, max_size=3).map(tuple)


@given(PATHS, PATTERN)
def test_matching_finds_what_a_loop_finds(paths: list[str], pattern: tuple[str, ...]) -> None:
    """Looking only below the literal folders and at last names first loses nothing."""
    files = {path for path in paths if not any(other.startswith(path + "/") for other in paths)}
    expected = sorted(path for path in files if meet(pattern, tuple(path.split("/"))))
    assert list(index_tree(files).matching(pattern)) == expected


def test_paths_are_found_by_their_end() -> None:
    """A partial path is looked up by whole names, for files and for folders."""
    tree = index_tree(["src/pkg/a.py", "src/pkg/aa.py", "other/pkg/a.py", "a.py"])
    assert tree.files_ending("pkg/a.py") == ("other/pkg/a.py", "src/pkg/a.py")
    assert tree.files_ending("a.py") == ("a.py", "other/pkg/a.py", "src/pkg/a.py")
    assert tree.folders_ending("pkg") == ("other/pkg", "src/pkg")
    assert tree.files_ending("kg/a.py") == ()
