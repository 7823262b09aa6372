"""Reviews as they are kept: one blob for each commit, whatever anybody wrote there."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from coffee_hooks.base.git import ABSENT, Repo
from coffee_hooks.base.model import Sha
from coffee_hooks.base.refs import REVIEWS, Move, transact, write_json
from coffee_hooks.state.reviews import Opinion, Reviewed, copies_of, read_reviews, record, wins

SHA = Sha("a" * 40)
MINE = Reviewed(SHA, Opinion.APPROVED, "roadmap-wt1", "/r.md", "fine\n", "", 0, 100)


def test_what_is_written_is_read(repo: Repo) -> None:
    """By compare-and-swap: who knew something older is told."""
    assert record(repo, MINE)
    (known,) = read_reviews(repo).values()
    assert replace(known, blob=ABSENT) == MINE
    assert not record(repo, replace(MINE, verdict=Opinion.REJECTED))
    assert record(repo, replace(known, verdict=Opinion.REJECTED))
    assert read_reviews(repo)[SHA].verdict is Opinion.REJECTED


@pytest.mark.parametrize(
    "value",
    [
        {}, {"verdict": "fine"}, {"verdict": 7}, {"verdict": ["approved"]}, {"verdict": "approved", "sha": "b" * 40},
        {"verdict": "approved", "when": "soon"}, {"verdict": "approved", "when": 1e999},
        {"verdict": "approved", "report": 3}, {"verdict": "approved", "branch": "x\0y"},
    ],
)  # fmt: skip
def test_anything_else_is_no_review(repo: Repo, value: dict[str, Any]) -> None:
    """Written by hand, by a later version, or moved here from another commit: it approves nothing."""
    assert transact(repo, [Move(REVIEWS + SHA, ABSENT, write_json(repo, value))])
    assert transact(repo, [Move(f"{REVIEWS}x/y", ABSENT, write_json(repo, {"verdict": "approved"}))])
    assert read_reviews(repo) == {}


def test_of_two_words_exactly_one_counts() -> None:
    """A verdict before none, then the later one, then the stricter; the same for both who compare."""
    every = [replace(MINE, verdict=v, when=w) for v, w in product(Opinion, (1, 2))]
    for one, other in product(every, every):
        ties = one == other or (not one.final and not other.final and one.when == other.when)
        assert (wins(one, other) != wins(other, one)) is not ties
    assert wins(MINE, replace(MINE, verdict=Opinion.PENDING, when=999))
    assert wins(replace(MINE, when=101, verdict=Opinion.APPROVED), replace(MINE, verdict=Opinion.REJECTED))
    assert wins(replace(MINE, verdict=Opinion.REJECTED), MINE)


def test_what_another_machine_said(repo: Repo) -> None:
    """It counts where it wins; the file of its report is not here, and the next write starts from what is here."""
    theirs = {"verdict": "rejected", "branch": "roadmap-wt1", "report": "/there.md", "excerpt": "no\n", "when": 200}
    assert transact(repo, [Move(copies_of("origin") + SHA, ABSENT, write_json(repo, theirs))])
    assert read_reviews(repo) == {}
    found = read_reviews(repo, "origin")[SHA]
    assert (found.verdict, found.report, found.excerpt, found.blob) == (Opinion.REJECTED, None, "no\n", ABSENT)
    assert record(repo, MINE)
    assert read_reviews(repo, "origin")[SHA].verdict is Opinion.REJECTED
    here = read_reviews(repo)[SHA]
    assert read_reviews(repo, "origin")[SHA].blob == here.blob
    assert record(repo, replace(here, when=300))
    assert read_reviews(repo, "origin")[SHA].verdict is Opinion.APPROVED
