"""Predicted places beside the files that were really touched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import PathKind
from coffee_hooks.evaluate.backtest import FIRST
from coffee_hooks.evaluate.comparison import Accuracy, Comparison, Expected, Meetings, accuracy, compare, meetings

NAMES = st.sampled_from([f"{folder}/{name}.py" for folder in ("pkg", "lib") for name in "abcdefgh"])


def test_files_folders_and_shared_bookkeeping() -> None:
    """A folder foresees what is in it; change logs and the roadmap are nobody's, in either direction."""
    expected = [
        Expected("pkg/a.py", PathKind.FILE, 0.97),
        Expected("docs/", PathKind.DIRECTORY, 0.9),
        Expected("pkg/z.py", PathKind.FILE, 0.6),
        Expected("pkg/b.py", PathKind.FILE, 0.1),
    ]
    changed = ["pkg/a.py", "pkg/b.py", "docs/x/y.md", "new.py", "CHANGELOG.md", "plan.md"]
    found = compare("US-1", "roadmap-wt1", "declared", expected, changed, {"plan.md"})
    assert found.touched == ("docs/x/y.md", "new.py", "pkg/a.py", "pkg/b.py")
    assert found.surprises == ("new.py",)
    assert (found.named, found.right) == (("pkg/a.py", "docs/", "pkg/z.py"), ("pkg/a.py", "docs/"))
    assert accuracy([found]) == Accuracy(1, 2 / 3, 3 / 4)


def test_nothing_to_compare_is_no_figure() -> None:
    """A task that touched nothing of its own has no recall, one that named nothing no precision."""
    empty = Comparison("US-1", "roadmap-wt1", "unknown", (), (), (), ())
    assert accuracy([]) == Accuracy(0, None, None)
    assert accuracy([empty]) == Accuracy(1, None, None)


@given(st.dictionaries(NAMES, st.floats(0, 1)), st.sets(NAMES))
def test_figures_are_those_of_the_sets(predicted: dict[str, float], touched: set[str]) -> None:
    """With files alone, recall and precision are the shares of two sets."""
    expected = [Expected(path, PathKind.FILE, probability) for path, probability in predicted.items()]
    found = compare("US-1", "roadmap-wt1", "predicted", expected, touched, ())
    first = sorted(predicted, key=lambda path: (-predicted[path], path))[:FIRST]
    named = {path for path, probability in predicted.items() if probability >= 0.5}
    assert set(found.foreseen) == touched & set(first) and set(found.touched) == touched
    assert set(found.named) == named and set(found.right) == named & touched


def test_pairs_are_judged_by_the_places_that_were_kept() -> None:
    """Only those side by side count: one that had to be expected, one that nobody saw coming, one that never met."""
    places = {"a": 0.5, "b": 0.5, "c": 0.0}
    found = [
        compare("US", name, "predicted", [Expected("pkg/x.py", PathKind.FILE, chance)], {"pkg/x.py"}, ())
        for name, chance in places.items()
    ]
    found.append(compare("US", "d", "unknown", [], {"pkg/y.py"}, ()))
    pairs = [frozenset(pair) for pair in ("ab", "bc", "cd", "ax")]
    assert meetings(found, pairs) == Meetings(3, 0.25, 2)
    assert meetings([], pairs) == Meetings(0, 0.0, 0)
