"""Old verdicts of trees that never landed go with a cleanup; what may still be asked for stays."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.git import trace
from coffee_hooks.base.lock import hold
from coffee_hooks.base.model import Sha
from coffee_hooks.cleanup.forget import KEPT_SECONDS, old_verdicts
from coffee_hooks.cleanup.plan import plan_cleanup
from coffee_hooks.cleanup.remove import apply_cleanup, preview
from coffee_hooks.cleanup.report import cleanup_json
from coffee_hooks.state.blame import Blame, blame, read_blames
from coffee_hooks.state.verdicts import PREFIX, Remembered, Verdict, recall, remember, written_at

if TYPE_CHECKING:
    from conftest import Yard

LONG_AGO = 1_700_000_000
OLD: dict[str, Any] = {"verdict": "green", "seconds": 1.0, "runs": 1, "log": None, "flaky": False, "when": LONG_AGO}


def put(yard: Yard, tree: str, value: Mapping[str, Any] | None = None, key: str = "k" * 20) -> str:
    """A verdict as it was written; without *value* long ago."""
    blob = yard.git(yard.work, "hash-object", "-w", "--stdin", input=json.dumps(OLD if value is None else value))
    ref = f"{PREFIX}{tree}/{key}"
    yard.git(yard.work, "update-ref", ref, blob)
    return ref


def kept(yard: Yard) -> set[str]:
    """The verdicts and blames that are there."""
    return set(yard.box.refs(PREFIX))


def a_tree(number: int) -> Sha:
    return Sha(f"{number:040x}")


def test_old_verdicts_of_trees_that_never_landed_go(yard: Yard) -> None:
    """Young ones, those of a landing and those of the target stay; one without a date counts as old."""
    yard.landed(1)
    landed = yard.git(yard.work, "rev-parse", "roadmap^{tree}")
    yard.box.commit({"other.py": "o = 1\n"})  # the target goes on by hand
    here = yard.git(yard.work, "rev-parse", "roadmap^{tree}")
    there = yard.git(yard.work, "rev-parse", "origin/roadmap^{tree}")
    young = {**OLD, "when": int(time.time() - KEPT_SECONDS + 3600)}
    stay = {put(yard, landed), put(yard, here), put(yard, there), put(yard, a_tree(1), young)}
    undated = {key: value for key, value in OLD.items() if key != "when"}
    go = {put(yard, a_tree(2)), put(yard, a_tree(3), undated), put(yard, a_tree(4), key="j" * 20)}
    report = yard.clean()
    assert (set(report.forgotten or ()), kept(yard)) == (go, stay)
    assert yard.clean().forgotten == ()


def test_what_was_remembered_today_stays(yard: Yard) -> None:
    """The date is written with the verdict, and reading it needs none."""
    ref = f"{PREFIX}{a_tree(1)}/{'k' * 20}"
    remember(yard.project.repo, ref, Remembered(Verdict.RED, 1.0, 2, None))
    yard.clean()
    assert recall(yard.project.repo, ref) == Remembered(Verdict.RED, 1.0, 2, None)
    assert recall(yard.project.repo, put(yard, a_tree(2))) == Remembered(Verdict.GREEN, 1.0, 1, None)


def test_a_blamed_branch_is_not_tested_again_while_it_stands(yard: Yard) -> None:
    """Blame and red verdict stay with the branch, here or on the remote, and go with it."""
    first, second, third = (yard.box.branch(f"roadmap-wt{n}", {f"n{n}.py": "n\n"}) for n in (1, 2, 3))
    yard.box.push("roadmap-wt2")
    yard.git(yard.work, "branch", "-D", "roadmap-wt2", "roadmap-wt3")
    base = Sha(yard.git(yard.work, "rev-parse", "roadmap"))
    for number, sha in enumerate((first, second, third), 1):
        blame(yard.project.repo, Blame(Sha(sha), base, a_tree(number), None))
    red = [put(yard, a_tree(number), {**OLD, "verdict": "red"}) for number in (1, 2, 3)]
    report = yard.clean()
    assert set(report.forgotten or ()) == {red[2], f"{PREFIX}blamed/{third}"}
    assert set(read_blames(yard.project.repo)) == {first, second}
    yard.box.branch("roadmap-wt1", {"n1.py": "better\n"})
    yard.clean()
    assert kept(yard) == {f"{PREFIX}blamed/{second}", red[1]}


def test_names_that_are_not_ours_are_left_alone(yard: Yard) -> None:
    """Whatever a later version or a careless hand keeps there."""
    blob = yard.git(yard.work, "hash-object", "-w", "--stdin", input="x")
    for name in ("odd", "short/key", "index/by/date"):
        yard.git(yard.work, "update-ref", PREFIX + name, blob)
    yard.clean()
    assert len(kept(yard)) == 3


def test_a_named_branch_is_all_that_is_cleaned(yard: Yard) -> None:
    """Verdicts are looked at only without names."""
    yard.landed(1)
    ref = put(yard, a_tree(1))
    report = yard.clean("roadmap-wt1")
    assert report.forgotten is None and "forgotten" not in cleanup_json(report)
    assert kept(yard) == {ref}


def test_a_dry_run_names_them_and_changes_nothing(yard: Yard) -> None:
    """One line for each, from the command itself."""
    ref = put(yard, a_tree(1))
    said = yard.box.coffee("cleanup", "--dry-run")
    assert f"would forget the verdict {ref} (" in said.out and kept(yard) == {ref}
    said = yard.box.coffee("--json", "cleanup")
    assert said.json["forgotten"] == [ref] and kept(yard) == set()


def test_one_that_was_written_again_keeps_all(yard: Yard) -> None:
    """All or none: the next cleanup sees what is true then."""
    first, second = put(yard, a_tree(1)), put(yard, a_tree(2))
    plan = plan_cleanup(yard.project, store=yard.store)
    put(yard, a_tree(2), {**OLD, "when": int(time.time())})
    assert preview(plan).changes is not None
    with hold(yard.project.repo, "cleanup") as proof:
        assert apply_cleanup(plan, yard.store, proof).forgotten == ()
    assert kept(yard) == {first, second}
    assert yard.clean().forgotten == (first,)


@pytest.mark.parametrize("count", [1, 300])
def test_the_number_of_processes_does_not_grow(yard: Yard, count: int) -> None:
    """Three more than where there is nothing to forget."""
    yard.clean()  # the first in a process also asks for what later ones remember, as the version of git
    calls: list[object] = []
    trace.append(calls.append)
    try:
        yard.clean()
        without = len(calls)
        blob = yard.git(yard.work, "hash-object", "-w", "--stdin", input=json.dumps(OLD))
        lines = "".join(f"create {PREFIX}{a_tree(n)}/{'k' * 20} {blob}\n" for n in range(count))
        yard.git(yard.work, "update-ref", "--stdin", input=lines)
        assert len(yard.clean().forgotten or ()) == count
    finally:
        trace.remove(calls.append)
    assert len(calls) - 2 * without == 3


VALUES = st.dictionaries(
    st.sampled_from(["when", "x"]), st.none() | st.booleans() | st.floats() | st.integers() | st.text(), max_size=2
)


@given(st.lists(VALUES), st.sets(st.integers(0, 9)), st.floats(1e9, 2e9))
def test_any_json_is_old_or_not(values: list[dict[str, Any]], wanted: set[int], now: float) -> None:
    """Whatever stands in a verdict; a wanted tree is never forgotten."""
    trees = {f"r{n}": a_tree(n) for n in range(len(values))}
    keep = {a_tree(n) for n in wanted}
    found = old_verdicts(trees, {f"r{n}": value for n, value in enumerate(values)}, keep, now)
    assert not {trees[ref] for ref in found} & keep
    for number, value in enumerate(values):
        if number not in wanted:
            assert (f"r{number}" in found) == (written_at(value) < now - KEPT_SECONDS)
