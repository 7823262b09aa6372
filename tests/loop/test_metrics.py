"""``coffee metrics`` on a real loop: what is recorded where it happens, and what is left without the database."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from coffee_hooks.base.errors import UsageError
from coffee_hooks.loop.history import window_of
from coffee_hooks.state.predictions import predictions
from coffee_hooks.state.store import open_store
from coffee_hooks.state.timings import Phase, timings

if TYPE_CHECKING:
    from conftest import Shop

GIVES_IN = """
if [ "$COFFEE_ATTEMPT" = 1 ]; then
    echo "$COFFEE_TASK_ID" > pkg/both.py
else
    git merge -q -X ours -m "Merge roadmap" roadmap
    echo "$COFFEE_TASK_ID" > pkg/again.py
fi
echo >> pkg/alpha.py
git add -A
git commit -qm "feat: $COFFEE_TASK_ID"
"""
"""Two of these conflict; the one that comes second takes the other's work in."""


@cache
def schema() -> Draft202012Validator:
    """What the answer has to look like."""
    value = json.loads(files("coffee_hooks").joinpath("schemas/metrics.json").read_text())
    Draft202012Validator.check_schema(value)
    return Draft202012Validator(value)


def metrics(shop: Shop, *args: str) -> dict[str, Any]:
    """What ``coffee metrics --json`` answers, its lists by id."""
    asked = shop.box.coffee("--json", "metrics", *args)
    assert asked.rc == 0, asked.err
    schema().validate(asked.json)
    return {
        key: {each["id"]: each for each in value} if isinstance(value, list) else value
        for key, value in asked.json.items()
    }


def test_a_night_with_a_conflict_is_measured(shop: Shop) -> None:
    """Every phase is noted where it happens; without the database nothing is claimed, and what is missing is said."""
    shop.drop("106")
    shop.configure(GIVES_IN, retries=1)
    assert shop.run() == 0
    assert sorted(shop.landed) == ["US-104", "US-105"]
    with open_store(shop.state_dir) as store:
        noted = Counter((timing.phase, timing.detail.partition(":")[0]) for timing in timings(store))
        kept = predictions(store)
    assert noted.pop((Phase.WORKTREE, "")) == 3  # one of them for the second attempt
    assert noted.pop((Phase.GATE, "green")) == 2
    assert noted.pop((Phase.MERGE, "conflict")) == 1
    seen = noted.pop((Phase.DETECTION, ""))
    assert seen in (2, 3)  # the first attempt that conflicts is announced if it ends before the other one lands
    assert noted == {
        (Phase.CLAIM, ""): 2,
        (Phase.MERGE, "landed"): 2,
        (Phase.CLEANUP, "removed"): 2,
    }
    assert {made.task: made.places[0][0] for made in kept.values()} == {
        "US-104": "pkg/alpha.py",
        "US-105": "pkg/beta.py",
    }

    found = metrics(shop)
    five = {name: (each["n"], each["met"]) for name, each in found["metrics"].items()}
    assert five.pop("time_savings")[0] == 2
    assert five == {
        "parallel_execution_rate": (2, False),  # agents of a second
        "merge_success_rate": (2, False),
        "conflict_resolution_time": (1, True),
        "worktree_lifecycle": (2, True),
    }
    assert (found["metrics"]["parallel_execution_rate"]["value"], found["metrics"]["merge_success_rate"]["value"]) == (
        0,
        50,
    )
    assert {name: each["n"] for name, each in found["phases"].items()} == {
        "creation": 2, "detection": seen, "landing": 2, "cleanup": 2, "gate": 2,
    }  # fmt: skip
    assert all(each["met"] in (True, None) for each in found["phases"].values())
    assert found["gate_runs"] == {"green": 2}
    good = found["prediction"]
    assert (good["n"], good["precision"]) == (2, pytest.approx(1 / 4))  # a spec names its module and its test
    assert 0 < good["recall"] < 0.5
    pairs = good["pairs"]
    assert (pairs["n"], pairs["met"]) == (1, 1) and 0 <= pairs["expected"] < 0.5  # nobody had foreseen pkg/both.py

    text = shop.box.coffee("metrics").out
    assert re.search(r"^conflict resolution time  .* < 10 min  yes  1  ", text, re.M)
    assert "runs of the gate: 2 green" in text
    for file in shop.state_dir.glob("state.db*"):
        file.unlink()
    less = metrics(shop)
    assert [(f["value"], f["met"], f["n"]) for f in (less["metrics"] | less["phases"]).values()] == [
        (None, None, 0)
    ] * 10
    assert "2 landed tasks are left out" in less["metrics"]["parallel_execution_rate"]["method"]
    assert (less["gate_runs"], less["prediction"]["n"], less["prediction"]["recall"]) == ({}, 0, None)


def test_an_empty_repository_has_no_figures(shop: Shop) -> None:
    """Before anything has run, and for a time in which nothing has: no value, no verdict, no error."""
    found = metrics(shop, "--since", "2020-01-01")
    assert {f["value"] for f in (found["metrics"] | found["phases"]).values()} == {None}
    for wrong in ("yesterday", "2999-01-01", "\x1b[31m", "9" * 400):
        said = shop.box.coffee("metrics", "--since", wrong)
        assert (said.rc, said.out) == (2, "") and "\x1b" not in said.err


def test_a_day_begins_where_it_is_typed() -> None:
    """A date without a time is midnight here; with an offset it is a moment; without any it is thirty days."""
    assert window_of("1970-01-02", 1e6).since == 86_400
    assert window_of("1970-01-02T00:00:00Z", 1e6).since == window_of("1970-01-02T01:00+01:00", 1e6).since == 86_400
    assert window_of(None, 3_000_000).since == 3_000_000 - 30 * 86_400
    with pytest.raises(UsageError):
        window_of("1970-02-01", 86_400)
