"""What two tasks are to each other, and which lines say so."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coffee_hooks.evaluate.collisions import Pair, Relation


def pair_of(make: SimpleNamespace, first: object, second: object, **how: object) -> Pair:
    """The relation of US-1 and US-2 with these specs."""
    (pair,) = make.judge(make.given(1, first), make.given(2, second), **how).pairs
    assert isinstance(pair, Pair)
    return pair


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        (["pkg/a.py"], ["pkg/a.py"], Relation.COLLISION),
        (["pkg/"], ["pkg/a.py"], Relation.COLLISION),
        (["pkg/"], ["pkg/not/yet.py"], Relation.COLLISION),
        (["pkg/*.py"], ["pkg/a.py"], Relation.COLLISION),
        (["pkg/*.py"], ["pkg/not_yet.py"], Relation.COLLISION),
        (["pkg/"], ["pkg/sub/"], Relation.COLLISION),
        (["pkg/test_*.py"], ["pkg/*_b.py"], Relation.COLLISION),
        (["new.py"], ["pkg/new.py"], Relation.COLLISION),
        (["new.py"], ["new.py"], Relation.COLLISION),
        (["a.py"], ["pkg/a.py"], Relation.COLLISION),
        (["new.py"], ["pkg/"], Relation.INDEPENDENT),
        ([], ["pkg/a.py"], Relation.UNKNOWN),
        (["pkg/a.py"], ["pkg/b.py"], Relation.INDEPENDENT),
        (["CHANGELOG.md", "pkg/a.py"], ["CHANGELOG.md", "pkg/b.py"], Relation.INDEPENDENT),
    ],
)
def test_places(make: SimpleNamespace, mine: list[str], theirs: list[str], expected: Relation) -> None:
    """Same file, folder, wildcard and new file are caught; prose without a list is unknown; disjoint is independent."""
    tree = ["pkg/a.py", "pkg/b.py", "pkg/sub/c.py"]
    assert pair_of(make, make.spec(1, mine), make.spec(2, theirs), tree=tree).relation is expected
    assert pair_of(make, make.spec(1, theirs), make.spec(2, mine), tree=tree).relation is expected


def test_a_mention_is_not_a_write(make: SimpleNamespace) -> None:
    """Reading what another task changes keeps nobody from working."""
    mine, theirs = make.spec(1, ["pkg/a.py"], mentions=["pkg/b.py"]), make.spec(2, ["pkg/b.py"])
    assert pair_of(make, mine, theirs).relation is Relation.INDEPENDENT


def test_evidence_names_file_and_lines(make: SimpleNamespace) -> None:
    """A no comes with the specs and lines that it rests on; the certain overlap has a risk near 1."""
    pair = pair_of(make, make.spec(1, ["x/y.py", "pkg/a.py"]), make.spec(2, ["pkg/a.py"]))
    assert pair.evidence == ("both write pkg/a.py (SPEC-1 line 11, SPEC-2 line 10)",)
    assert pair.risk == pytest.approx(0.97 * 0.97, abs=1e-4)


def test_many_overlaps_are_summed_up(make: SimpleNamespace) -> None:
    """Evidence stays readable and the risk stays below or at 1."""
    paths = [f"pkg/{n}.py" for n in range(40)]
    pair = pair_of(make, make.spec(1, paths), make.spec(2, paths))
    assert len(pair.evidence) == 6
    assert pair.evidence[-1] == "and 35 more places"
    assert 0.99 < pair.risk <= 1


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ("introduces class Store", "introduces class Store", Relation.COLLISION),
        ("changes class Store", "changes class Store", Relation.COLLISION),
        ("changes table users", "changes table Users", Relation.COLLISION),
        ("changes route /api/x", "changes route /api/x", Relation.COLLISION),
        ("introduces def load_plan", "introduces def load_plan", Relation.COLLISION),
        ("introduces class Store", "uses class Store", Relation.DEPENDENCY),
        ("introduces class Store", "changes class Store", Relation.DEPENDENCY),
        ("changes class Store", "uses class Store", Relation.INDEPENDENT),
        ("uses class Store", "uses class Store", Relation.INDEPENDENT),
        ("introduces def run", "uses def run", Relation.INDEPENDENT),
        ("introduces table users", "introduces class users", Relation.INDEPENDENT),
    ],
)
def test_symbols(make: SimpleNamespace, mine: str, theirs: str, expected: Relation) -> None:
    """Both change = collision, one introduces what the other uses = dependency, habits of naming = nothing."""
    one, other = make.spec(1, ["a/a.py"], symbols=[mine]), make.spec(2, ["b/b.py"], symbols=[theirs])
    pair = pair_of(make, one, other)
    assert pair.relation is expected
    assert pair.first == ("US-1" if expected is Relation.DEPENDENCY else None)
    if expected is Relation.DEPENDENCY:
        assert pair.evidence[0].startswith("US-2 needs US-1 (SPEC-1 line 50 introduces class Store, SPEC-2 line 50")


def test_a_function_that_many_specs_introduce_is_a_habit(make: SimpleNamespace) -> None:
    """Three specs with a ``to_markdown`` of their own do not wait for each other."""
    specs = [make.spec(n, [f"p/{n}.py"], symbols=["introduces def to_markdown"]) for n in (1, 2, 3)]
    found = make.judge(*(make.given(n, spec) for n, spec in enumerate(specs, 1)))
    assert {pair.relation for pair in found.pairs} == {Relation.INDEPENDENT}


def test_mutual_use_is_a_collision_without_order(make: SimpleNamespace) -> None:
    """Each introduces what the other uses: they share a structure, and neither waits for ever."""
    one = make.spec(1, ["a/a.py"], symbols=["introduces class Alpha", "uses class Beta"])
    other = make.spec(2, ["b/b.py"], symbols=["introduces class Beta", "uses class Alpha"])
    found = make.judge(make.given(1, one), make.given(2, other))
    assert [pair.relation for pair in found.pairs] == [Relation.COLLISION]
    assert found.selected == ("US-1",)
    assert all(not verdict.blocked_by for verdict in found.verdicts)


def test_a_dependency_is_not_a_collision(make: SimpleNamespace) -> None:
    """Two tasks in one file of which one waits for the other: being waited for costs no independence."""
    found = make.judge(
        make.given(1, make.spec(1, ["pkg/a.py"])), make.given(2, make.spec(2, ["pkg/a.py"], needs=["US-1"]))
    )
    (pair,) = found.pairs
    assert (pair.relation, pair.first) == (Relation.DEPENDENCY, "US-1")
    assert pair.evidence == ("US-2 needs US-1 (SPEC-2 line 3)", "both write pkg/a.py (SPEC-1 line 10, SPEC-2 line 10)")
    assert [verdict.independent for verdict in found.verdicts] == [True, False]


def test_the_threshold_decides(make: SimpleNamespace) -> None:
    """The same pair collides or not by the accepted risk; an unknown one never becomes independent."""
    one, other = make.spec(1, ["utils.py"]), make.spec(2, ["b/utils.py"])
    tree = ["b/utils.py", "c/utils.py"]
    assert pair_of(make, one, other, tree=tree).relation is Relation.COLLISION
    assert pair_of(make, one, other, tree=tree, threshold=0.5).relation is Relation.INDEPENDENT
    assert pair_of(make, None, other, threshold=1.0).relation is Relation.UNKNOWN


PATH = st.sampled_from(
    ["a/x.py", "a/y.py", "a/", "a/*.py", "b/x.py", "b/", "x.py", "*.py", "**/y.py", "c/n.py", "CHANGELOG.md"]
)
SYMBOL = st.builds(
    "{} {}".format,
    st.sampled_from(["introduces", "changes", "uses"]),
    st.sampled_from(["class Store", "def load_plan", "table users"]),
)


@settings(max_examples=300)
@given(st.data())
def test_relations_are_symmetric_and_bounded(make: SimpleNamespace, data: st.DataObject) -> None:
    """Whoever stands first in the roadmap, a pair has the same relation and risk, and the risk is in 0..1."""
    one = make.spec(1, data.draw(st.lists(PATH, max_size=3)), symbols=data.draw(st.lists(SYMBOL, max_size=2)))
    other = make.spec(2, data.draw(st.lists(PATH, max_size=3)), symbols=data.draw(st.lists(SYMBOL, max_size=2)))
    tree = data.draw(st.lists(st.sampled_from(["a/x.py", "b/x.py", "a/y.py", "d/x.py"]), max_size=4))
    (there,) = make.judge(make.given(1, one), make.given(2, other), tree=tree).pairs
    (back,) = make.judge(make.given(2, other), make.given(1, one), tree=tree).pairs
    assert (there.relation, there.risk, there.first) == (back.relation, back.risk, back.first)
    assert 0 <= there.risk <= 1
