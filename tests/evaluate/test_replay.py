"""``coffee evaluate --backtest``: the past of a real repository, replayed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from conftest import Git, Sandbox

SCHEMA = json.loads(files("coffee_hooks").joinpath("schemas/evaluate.json").read_text(encoding="utf-8"))


@pytest.fixture
def past(sandbox: Sandbox, git: Git) -> Sandbox:
    """Six merged branches: three of the menu, three of the stock, each with the words of its file."""
    sandbox.commit({f"shop/{name}.py": f"def {name}_price():\n    return 0\n" for name in ("menu", "stock")})
    for number in range(6):
        name = ("menu", "stock")[number % 2]
        sandbox.branch(
            f"b{number}",
            {f"shop/{name}.py": f"def {name}_price():\n    return {number + 1}\n"},
            f"Raise the {name} price",
        )
        git(sandbox.work, "merge", "-q", "--no-ff", "--no-edit", "-m", f"Merge the {name} price", f"b{number}")
    sandbox.push("roadmap")
    return sandbox


def test_a_backtest_is_valid_and_leaves_nothing(past: Sandbox, git: Git) -> None:
    """Pairs of one file are the riskier ones; nothing but our empty scratch folder is there afterwards."""
    state = Path(git(past.work, "rev-parse", "--absolute-git-dir")) / "coffee"
    before = {path for path in state.rglob("*") if path.is_file()}
    answer = json.loads(past.coffee("--json", "evaluate", "--backtest", "6").out)
    Draft202012Validator(SCHEMA).validate(answer)
    found = answer["backtest"]
    assert (found["tasks"], found["pairs"], found["met"]) == (6, 15, 6)
    assert found["area_under_curve"] > 0.8 and found["recall_at_10"] == 1
    assert {path for path in state.rglob("*") if path.is_file()} == before


def test_a_backtest_in_words_and_as_a_picture(past: Sandbox) -> None:
    """The text ends with the line to paste, which is configuration; the picture is SVG with a dot for each step."""
    said = past.coffee("evaluate", "--backtest", "6")
    assert said.rc == 0 and said.out.splitlines()[-1].startswith("evaluate: {risk: 0")
    drawn = ElementTree.fromstring(past.coffee("evaluate", "--backtest", "6", "--format", "svg").out)
    assert drawn.findall("{http://www.w3.org/2000/svg}circle")


def test_no_past(sandbox: Sandbox) -> None:
    """One commit is nothing to learn from, and that is said."""
    said = sandbox.coffee("evaluate", "--backtest", "5")
    assert said.rc == 4 and "no two merged branches" in said.err
