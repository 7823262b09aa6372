"""Overlaps: exactly the pairs that share a path, and whether git can merge the two."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.ready import foresee
from coffee_hooks.ready.radar import shared_paths

if TYPE_CHECKING:
    from conftest import Watch

TEXT = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from(["p", "q", "r", "s\nt"]))))
def test_pairs_are_those_of_the_definition(touched: dict[str, list[str]]) -> None:
    """Against every pair looked at one by one."""
    expected = {
        (a, b): tuple(sorted({*touched[a]} & {*touched[b]}))
        for a, b in combinations(sorted(touched), 2)
        if {*touched[a]} & {*touched[b]}
    }
    assert shared_paths(touched) == expected


def test_overlap_and_conflict_are_told_apart(watch: Watch) -> None:
    """Two ends of one file merge; the same line does not; another file is no overlap."""
    watch.box.commit({"shared.txt": TEXT})
    watch.box.push()
    watch.branch("roadmap-top", {"shared.txt": TEXT.replace("one", "ONE")})
    watch.branch("roadmap-end", {"shared.txt": TEXT.replace("nine", "NINE")})
    watch.branch("roadmap-uno", {"shared.txt": TEXT.replace("one", "UNO")})
    watch.branch("roadmap-far", {"far.txt": "1\n"})
    found = {(o.a, o.b): (o.paths, o.conflict) for o in watch.look().overlaps}
    assert found == {
        ("roadmap-end", "roadmap-top"): (("shared.txt",), False),
        ("roadmap-end", "roadmap-uno"): (("shared.txt",), False),
        ("roadmap-top", "roadmap-uno"): (("shared.txt",), True),
    }


def test_branches_that_are_not_finished_are_on_the_radar(watch: Watch) -> None:
    """A collision is known while both agents still work."""
    for name, task in (("roadmap-wt1", "US-104"), ("roadmap-wt2", "US-105")):
        watch.branch(name, {"same.txt": f"{name}\n"})
        watch.claim(branch=name, task=task)
    assert watch.codes("roadmap-wt1") == watch.codes("roadmap-wt2") == ["no-signal"]
    (overlap,) = watch.look().overlaps
    assert (overlap.a, overlap.b, overlap.paths, overlap.conflict) == (
        "roadmap-wt1",
        "roadmap-wt2",
        ("same.txt",),
        True,
    )


def test_a_file_with_a_strange_name_is_one_path(watch: Watch) -> None:
    """Line breaks and quotes in names neither split nor hide it."""
    name = 'odd\n"name" \té.txt'
    for branch in ("roadmap-wt1", "roadmap-wt2"):
        watch.branch(branch, {name: f"{branch}\n"})
    assert watch.look().overlaps[0].paths == (name,)
    assert watch.candidate("roadmap-wt1").touched == (name,)


def test_too_many_pairs_are_listed_and_not_tried(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody tried is unknown, which is neither yes nor no."""
    monkeypatch.setattr(foresee, "MOST", 1)
    for number in range(3):
        watch.branch(f"roadmap-wt{number}", {"same.txt": f"{number}\n"})
    assert [overlap.conflict for overlap in watch.look().overlaps] == [True, None, None]
