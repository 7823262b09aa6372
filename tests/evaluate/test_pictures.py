"""Mermaid pictures and the outputs of a job."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

from coffee_hooks.base.model import Status
from coffee_hooks.evaluate.pictures import MOST_EDGES, to_gantt, to_github, to_mermaid
from coffee_hooks.evaluate.schedule import Unit


def test_the_picture(make: SimpleNamespace) -> None:
    """A box per wave with running tasks first, an arrow per dependency, a dotted line per collision."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["a/a.py"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-2"])),
        make.given(4, make.spec(4, ["d/d.py"])),
        running={"US-1": Status.IN_PROGRESS},
    )
    assert to_mermaid(found).splitlines() == [
        "flowchart LR",
        '  subgraph g0["running"]',
        '    t0["US-1: Title of US-1"]',
        "  end",
        '  subgraph g1["wave 1"]',
        '    t3["US-4: Title of US-4"]',
        "  end",
        '  subgraph g2["wave 2"]',
        '    t1["US-2: Title of US-2"]',
        "  end",
        '  subgraph g3["wave 3"]',
        '    t2["US-3: Title of US-3"]',
        "  end",
        "  t0 -. collides .- t1",
        "  t1 --> t2",
    ]


def test_tasks_that_need_each_other_are_joined_both_ways(make: SimpleNamespace) -> None:
    """A cycle is drawn as one, in the box of what cannot start."""
    found = make.judge(make.given(1, None, needs=["US-2"]), make.given(2, None, needs=["US-1"]))
    lines = to_mermaid(found).splitlines()
    assert lines[1] == '  subgraph g0["blocked"]'
    assert lines[-1] == "  t0 <--> t1"


def test_a_crowded_picture_stays_readable(make: SimpleNamespace) -> None:
    """Only so many lines are drawn, and the rest are counted."""
    found = make.judge(*(make.given(n, make.spec(n, ["a/a.py"])) for n in range(30)))
    lines = to_mermaid(found).splitlines()
    assert sum(".-" in line for line in lines) == MOST_EDGES
    assert lines[-1] == f"  %% {30 * 29 // 2 - MOST_EDGES} more pairs are not drawn"


def test_hostile_titles_add_nothing(make: SimpleNamespace) -> None:
    """Neither the picture, the table nor the outputs of a job can be extended by a title."""
    found = make.judge(make.given(1, make.spec(1, ["a/a.py"])))
    title = 'x"]\n  t9["evil"] --> t0\n``` |\r\nmatrix={} <img src=x> \u2028'
    found = replace(found, verdicts=tuple(replace(verdict, title=title) for verdict in found.verdicts))
    assert len(to_mermaid(found).splitlines()) == 4
    assert '"' not in to_mermaid(found).splitlines()[2].strip()[4:-2].replace('["', "", 1)
    outputs, summary = to_github(found)
    assert outputs.splitlines()[0] == "count=1"
    assert len(outputs.splitlines()) == 2
    assert json.loads(outputs.splitlines()[1].removeprefix("matrix="))["include"][0]["task"] == "US-1"
    assert summary.count("```") == 4
    assert "<img" not in summary


def test_the_outputs_of_a_job(make: SimpleNamespace) -> None:
    """The matrix holds what was selected; the table says why the others wait, with markup made harmless."""
    found = make.judge(make.given(1, make.spec(1, ["a/_a.py"])), make.given(2, make.spec(2, ["a/_a.py"])))
    outputs, summary = to_github(found)
    assert outputs == 'count=1\nmatrix={"include": [{"task": "US-1", "title": "Title of US-1"}]}\n'
    assert summary.splitlines()[4:6] == [
        "| US-1 | yes | 1 |  |",
        "| US-2 | no | 2 | collides with US-1: both write a/&#95;a.py &#40;SPEC-1 line 10, SPEC-2 line 10&#41; |",
    ]
    assert "```mermaid\nflowchart LR" in summary


def test_nothing_selected(make: SimpleNamespace) -> None:
    """An empty matrix is valid JSON, and there is no empty picture."""
    outputs, summary = to_github(make.judge(make.given(1, None), wanted=[]))
    assert outputs == 'count=0\nmatrix={"include": []}\n'
    assert "mermaid" not in summary


def test_the_waves_on_a_time_line(make: SimpleNamespace) -> None:
    """What runs first, then the waves; a bar is as long as its effort where all are known; no sign ends its name."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["b/b.py"])),
        make.given(3, make.spec(3, ["b/b.py"])),
        running={"US-1": Status.IN_PROGRESS},
    )
    first = replace(found.verdicts[1], title="x: a;b, #c")
    found = replace(found, verdicts=(found.verdicts[0], first, found.verdicts[2]))
    assert to_gantt(found).splitlines() == [
        "gantt", "  title Waves, in tasks", "  dateFormat X", "  axisFormat %s",
        "  section running", "  US-1 Title of US-1 :0, 1",
        "  section wave 1", "  US-2 x  a b   c :0, 1",
        "  section wave 2", "  US-3 Title of US-3 :1, 2",
    ]  # fmt: skip
    hours = replace(found.schedule, unit=Unit.HOURS)
    timed = tuple(replace(verdict, hours=number * 2.0) for number, verdict in enumerate(found.verdicts, 1))
    lines = to_gantt(replace(found, schedule=hours, verdicts=timed)).splitlines()
    assert lines[1] == "  title Waves, in hours"
    assert [line.partition(" :")[2] for line in lines if " :" in line] == ["0, 2", "0, 4", "4, 10"]
