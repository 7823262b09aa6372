"""What predictions may do to an evaluation, and what they never may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Sha, TaskId
from coffee_hooks.evaluate.assess import DEFAULT_RISK, Question, assess
from coffee_hooks.evaluate.collisions import Relation
from coffee_hooks.evaluate.footprint import Scope, footprint
from coffee_hooks.evaluate.tree import index_tree
from coffee_hooks.evaluate.verdicts import Evaluation
from coffee_hooks.predict.predict import Prediction

TREE = [f"pkg/{name}.py" for name in "abcdefghijklmnop"]
paths = st.sampled_from([*TREE, "pkg/new.py", "poetry.lock"])
said = st.tuples(st.sampled_from(["its name", "a change like this"]))
predicted = st.lists(st.builds(Prediction, paths, st.floats(0, 1), said), max_size=20)
declared = st.lists(paths, max_size=16, unique=True)


def judge(
    make: SimpleNamespace, specs: Mapping[int, object], predictions: Mapping[int, Sequence[Prediction]]
) -> Evaluation:
    """All tasks of *specs*, None for one without a spec, with what is predicted for them."""
    return assess(
        Question(
            base=Sha("a" * 40),
            roadmap="ROADMAP.md",
            items=tuple(make.item(f"US-{number}", number) for number in specs),
            specs={TaskId(f"US-{number}"): spec for number, spec in specs.items() if spec},
            tree=tuple(TREE),
            wanted=frozenset(TaskId(f"US-{number}") for number in specs),
            running={},
            complete=frozenset(),
            predicted={TaskId(f"US-{number}"): found for number, found in predictions.items()},
        )
    )


@pytest.mark.parametrize("reason", ["missing", "empty", "blank", "not text"])
@given(found=predicted, other=declared)
def test_without_a_spec_no_task_is_independent(
    make: SimpleNamespace, reason: str, found: list[Prediction], other: list[str]
) -> None:
    """Whatever its title points to: nobody said what is to be done."""
    spec = {
        "missing": None,
        "empty": make.spec(1, text=""),
        "blank": make.spec(1, text=" \n\t"),
        "not text": make.spec(1, TREE, readable=False),
    }[reason]
    verdict, _ = judge(make, {1: spec, 2: make.spec(2, other)}, {1: found, 2: found}).verdicts
    assert verdict.footprint.scope is Scope.UNKNOWN and not verdict.independent


@given(declared, declared, predicted, predicted, declared)
def test_what_both_specs_declare_stays_a_collision(
    make: SimpleNamespace,
    one: list[str],
    other: list[str],
    for_one: list[Prediction],
    for_other: list[Prediction],
    more: list[str],
) -> None:
    """Predictions and a longer list take no declared collision away, however long the lists are."""
    bare = judge(make, {1: make.spec(1, one), 2: make.spec(2, other)}, {})
    longer = list(dict.fromkeys([*one, *more]))
    full = judge(make, {1: make.spec(1, longer), 2: make.spec(2, other)}, {1: for_one, 2: for_other})
    both = set(one).intersection(other) - {"poetry.lock"}
    for answer in (bare, full):
        (pair,) = answer.pairs
        if both:
            assert pair.relation is Relation.COLLISION and pair.risk > DEFAULT_RISK


@given(declared, declared, predicted, predicted)
def test_more_evidence_never_makes_a_pair_safer(
    make: SimpleNamespace, one: list[str], other: list[str], for_one: list[Prediction], for_other: list[Prediction]
) -> None:
    """Beside the same specs, predictions only raise the risk; it stays in 0..1 and a collision stays one."""
    specs = {1: make.spec(1, one), 2: make.spec(2, other)}
    (bare,), (full,) = judge(make, specs, {}).pairs, judge(make, specs, {1: for_one, 2: for_other}).pairs
    if bare.relation is Relation.UNKNOWN:  # nothing was known, so that its risk was a guess
        return
    assert bare.risk <= full.risk <= 1
    assert full.relation is Relation.COLLISION or bare.relation is not Relation.COLLISION


@given(declared, predicted)
def test_every_place_is_likely_in_0_to_1_and_has_evidence(
    make: SimpleNamespace, writes: list[str], found: list[Prediction]
) -> None:
    """Declared and predicted ones alike, shared ones too; what is predicted says so."""
    foot = footprint(make.spec(1, writes), index_tree(TREE), predicted=found)
    for place in (*foot.places, *foot.shared):
        assert 0 <= place.probability <= 1 and place.evidence
        assert any(each.startswith(("declared: ", "predicted")) for each in place.evidence)
    assert {*writes, *(each.path for each in found)} == {place.pattern for place in (*foot.places, *foot.shared)}


@given(st.lists(st.tuples(st.none() | declared, predicted), min_size=1, max_size=5))
def test_every_pair_is_answered(make: SimpleNamespace, given_: list[tuple[list[str] | None, list[Prediction]]]) -> None:
    """Once, in the order of the roadmap, with a risk in 0..1."""
    specs = {at: None if writes is None else make.spec(at, writes) for at, (writes, _) in enumerate(given_, 1)}
    found = judge(make, specs, {at: predictions for at, (_, predictions) in enumerate(given_, 1)})
    names = [f"US-{at}" for at in specs]
    assert [(pair.a, pair.b) for pair in found.pairs] == list(combinations(names, 2))
    assert all(0 <= pair.risk <= 1 for pair in found.pairs)
