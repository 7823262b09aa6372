"""The printed forms of an evaluation."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from importlib.resources import files
from types import SimpleNamespace

import jsonschema
from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Status
from coffee_hooks.evaluate.report import LISTED, to_json, to_text
from coffee_hooks.evaluate.verdicts import Evaluation

SCHEMA = json.loads(files("coffee_hooks").joinpath("schemas/evaluate.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def checked(found: Evaluation) -> dict[str, object]:
    """The JSON with its envelope, valid by the published schema."""
    value = json.loads(json.dumps({"schema": 1, "command": "evaluate", **to_json(found)}))
    VALIDATOR.validate(value)
    assert isinstance(value, dict)
    return value


def scenario(make: SimpleNamespace) -> Evaluation:
    found = make.judge(
        make.given(104, make.spec(104, ["pkg/a.py", "CHANGELOG.md"]), text="**Effort**: 2 hours"),
        make.given(105, make.spec(105, ["pkg/b.py"]), text="**Effort**: 2 hours"),
        make.given(106, make.spec(106, ["pkg/b.py"], needs=["US-105"]), text="**Effort**: 2 hours"),
        make.given(107, make.spec(107, ["pkg/a.py"]), text="**Effort**: 1 hour"),
        make.given(108, None, Status.COMPLETE),
        running={"US-107": Status.IN_PROGRESS},
    )
    assert isinstance(found, Evaluation)
    return found


def test_the_schema_is_one() -> None:
    """Or nothing that it accepts would mean anything."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_json_is_the_contract(make: SimpleNamespace) -> None:
    """Every key of the contract, with the values of the verdicts; wave is absent where it does not apply."""
    value = checked(scenario(make))
    tasks = value["tasks"]
    assert tasks["US-106"] == {
        "title": "Title of US-106",
        "status": "planned",
        "spec": "docs/architecture/specs/SPEC-106-topic.md",
        "independent": False,
        "can_parallel": False,
        "blocking_on": "US-105",
        "blocked_by": ["US-105"],
        "collides_with": [],
        "scope": "declared",
        "wave": 2,
        "footprint": [{"path": "pkg/b.py", "probability": 0.97, "evidence": ["declared: SPEC-106 line 10"]}],
    }
    assert tasks["US-105"]["blocking_on"] is None
    assert "wave" not in tasks["US-107"]
    assert "wave" not in tasks["US-108"]
    assert tasks["US-108"]["spec"] is None
    assert tasks["US-104"]["footprint"][1]["evidence"][-1] == "shared by all tasks: never a reason to wait"
    assert value["selected"] == ["US-105"]
    assert value["waves"] == [["US-105"], ["US-104", "US-106"]]
    assert value["schedule"] == {"makespan": 4, "sequential": 7, "lower_bound": 4, "unit": "h"}
    assert len(value["pairs"]) == 10


def test_files_of_a_region_are_listed_up_to_a_bound(make: SimpleNamespace) -> None:
    """The folder itself, then its files, and a word on those left out; a file named by itself keeps its evidence."""
    tree = [f"pkg/f{n:04}.py" for n in range(LISTED + 5)]
    found = make.judge(make.given(1, make.spec(1, ["pkg/", "pkg/f0001.py"])), tree=tree)
    paths = checked(found)["tasks"]["US-1"]["footprint"]
    assert [entry["path"] for entry in paths[:3]] == ["pkg/", "pkg/f0000.py", "pkg/f0001.py"]
    assert len(paths) == LISTED + 1
    assert paths[0]["evidence"] == ["declared: SPEC-1 line 10", "205 files, the first 200 are listed"]
    assert (paths[2]["probability"], paths[2]["evidence"]) == (0.97, ["declared: SPEC-1 line 11"])


def test_the_table_says_who_and_why_not(make: SimpleNamespace) -> None:
    """Aligned columns, a reason with spec and line and a command for each no, the order, and what to type next."""
    assert to_text(scenario(make)).splitlines() == [
        "TASK    NOW       WAVE  SCOPE     TITLE",
        "US-104  no        2     declared  Title of US-104",
        "US-105  yes       1     declared  Title of US-105",
        "US-106  no        2     declared  Title of US-106",
        "US-107  running   -     declared  Title of US-107",
        "US-108  complete  -     unknown   Title of US-108",
        "",
        "Why not now:",
        "  US-104 collides with US-107, which is being worked on:"
        " both write pkg/a.py (SPEC-104 line 10, SPEC-107 line 10)",
        "         hint: coffee evaluate --explain US-104 US-107",
        "  US-106 waits for US-105 (SPEC-106 line 3)",
        "         hint: coffee spawn US-105",
        "",
        "Wave 1: US-105",
        "Wave 2: US-104, US-106",
        "Side by side: 4 h; one after the other: 7 h; no schedule is shorter than 4 h",
        "Next: coffee spawn US-105",
    ]


def test_what_to_type_when_nothing_starts(make: SimpleNamespace) -> None:
    """Nothing planned, everything blocked, and everything under way each have a next command."""
    assert to_text(make.judge(make.given(1, None), wanted=[])).endswith("Next: coffee evaluate --all")
    blocked = make.judge(make.given(1, None), make.given(2, None, needs=["US-1"]), wanted=["US-2"])
    assert to_text(blocked).endswith("Next: coffee evaluate US-1")
    busy = make.judge(make.given(1, make.spec(1, ["a/a.py"])), running={"US-1": Status.IN_PROGRESS})
    assert to_text(busy).endswith("Next: coffee status")


@given(st.text(max_size=30), st.text(max_size=30))
def test_hostile_texts_stay_on_their_line(make: SimpleNamespace, title: str, path: str) -> None:
    """No title and no path adds a line or a control character to the table, and the JSON stays valid."""
    found = make.judge(*(make.given(n, make.spec(n, [f"p/{path}x"])) for n in (1, 2)))
    found = replace(found, verdicts=tuple(replace(verdict, title=title) for verdict in found.verdicts))
    text = to_text(found)
    assert len(text.splitlines()) == 12
    assert not {unicodedata.category(char) for char in text.replace("\n", "")} & {"Cc", "Cs", "Zl", "Zp"}
    checked(found)
