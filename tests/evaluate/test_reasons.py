"""Every no has a reason and a next command."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from coffee_hooks.base.errors import UsageError
from coffee_hooks.base.model import Status
from coffee_hooks.evaluate.reasons import explain, why_not


def test_each_kind_of_no(make: SimpleNamespace) -> None:
    """Dependency, collision, unknown scope and the limit each say what stands in the way and what to type."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["a/a.py"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-1"])),
        make.given(4, None),
        make.given(5, make.spec(5, mentions=["x/y.py"])),
        make.given(6, make.spec(6, ["f/f.py"])),
        make.given(7, make.spec(7, ["g/g.py"], needs=["US-2"])),
        limit=1,
    )
    said = {task: [(reason.text, reason.hint) for reason in reasons] for task, reasons in why_not(found).items()}
    assert said == {
        "US-2": [
            (
                "collides with US-1: both write a/a.py (SPEC-1 line 10, SPEC-2 line 10)",
                "coffee evaluate --explain US-2 US-1",
            )
        ],
        "US-3": [("waits for US-1 (SPEC-3 line 3)", "coffee spawn US-1")],
        "US-4": [
            (
                "it has no spec, so it runs alone",
                "list the files it writes in a spec, or run it alone: coffee spawn US-4",
            )
        ],
        "US-5": [
            (
                "docs/architecture/specs/SPEC-5-topic.md names no file that it writes, so it runs alone",
                "list the files it writes in a spec, or run it alone: coffee spawn US-5",
            )
        ],
        "US-6": [("as many as --limit allows were chosen before it", "coffee evaluate US-6")],
        "US-7": [("waits for US-2 (SPEC-7 line 3)", "coffee evaluate US-2")],
    }


def test_running_tasks_are_named_as_such(make: SimpleNamespace) -> None:
    """Who waits for or collides with a task that is being worked on is told so."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["a/a.py"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-1"])),
        running={"US-1": Status.IN_PROGRESS},
    )
    said = {task: reasons[0] for task, reasons in why_not(found).items()}
    assert said["US-2"].text.startswith("collides with US-1, which is being worked on: both write a/a.py")
    assert said["US-3"] == ("waits for US-1 (SPEC-3 line 3), which is being worked on", "coffee status")


def test_a_known_task_beside_an_unknown_running_one(make: SimpleNamespace) -> None:
    """The reason is the other's scope, not its own."""
    found = make.judge(
        make.given(1, None), make.given(2, make.spec(2, ["a/a.py"])), running={"US-1": Status.IN_PROGRESS}
    )
    (reason,) = why_not(found)["US-2"]
    assert reason.text == "may collide with US-1, which is being worked on: nobody knows where US-1 will work"


def test_risks_that_add_up_are_a_reason(make: SimpleNamespace) -> None:
    """What was left out for the sum of its risks is told beside whom, how much, and which threshold would take it."""
    found = make.judge(*(make.given(n, make.spec(n, [f"p/{n}.py"])) for n in range(1, 9)), limit=7)

    def why(risk: float, *others: str) -> tuple[str, str]:
        pairs = [replace(pair, risk=risk) if {*others, "US-8"} >= {pair.a, pair.b} else pair for pair in found.pairs]
        (reason,) = why_not(replace(found, pairs=tuple(pairs)))["US-8"]
        return reason

    limit = ("as many as --limit allows were chosen before it", "coffee evaluate US-8")
    assert why(0.0, "US-1") == why(0.19, "US-1", "US-2", "US-3", "US-4", "US-5") == limit
    six = [f"US-{n}" for n in range(1, 7)]
    assert why(0.19, *six) == (
        "beside US-1, US-2, US-3, US-4 and 2 more its risks add up to 1.14; from 1.00 on, starting it gains nothing",
        "coffee evaluate --risk 0.23",
    )
    assert why(0.2, *six[:5]) == (
        "beside US-1, US-2, US-3, US-4 and 1 more its risks add up to 1.00; from 1.00 on, starting it gains nothing",
        "coffee evaluate --risk 0.21",
    )


def test_the_hint_about_risks_can_be_followed(make: SimpleNamespace) -> None:
    """One of seven tasks as risky as is accepted waits; at the threshold that is named it runs with the others."""
    given = [make.given(n, make.spec(n, ["a/a.py"])) for n in range(1, 8)]
    risk = make.judge(*given).pairs[0].risk
    refused = make.judge(*given, threshold=risk)
    assert "US-7" not in refused.selected
    (reason,) = why_not(refused)["US-7"]
    assert "US-6" in make.judge(*given[:6], threshold=float(reason.hint.rpartition(" ")[2])).selected


def test_explanations(make: SimpleNamespace) -> None:
    """Each relation is said as a person would, with evidence and the next command."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["a/", "b.py"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-1"])),
        make.given(4, None),
    )
    assert explain(found, "US-2", "US-1").splitlines() == [
        "US-1 and US-2 should not run at the same time: they work on the same things.",
        "  - both write in a/ and a/a.py (SPEC-2 line 10, SPEC-1 line 10)",
        "Risk 0.87, threshold 0.20.",
        "US-2 works in a/, b.py.",
        "US-1 works in a/a.py.",
        "Next: coffee spawn US-1, then US-2 once it has landed",
    ]
    assert explain(found, "US-3", "US-1").splitlines()[0] == "US-3 has to wait until US-1 has landed."
    assert explain(found, "US-3", "US-1").splitlines()[-1] == "Next: coffee spawn US-1, then US-3 once it has landed"
    assert explain(found, "US-2", "US-3").splitlines() == [
        "US-2 and US-3 can run at the same time.",
        "Risk 0.00, threshold 0.20.",
        "US-2 works in a/, b.py.",
        "US-3 works in c/c.py.",
        "Next: coffee evaluate US-2 US-3",
    ]
    assert "US-4: it has no spec." in explain(found, "US-2", "US-4")
    assert explain(found, "US-2", "US-4").startswith(
        "US-2 and US-4 should not run at the same time: too little is known"
    )


def test_explanations_of_what_is_over_or_under_way(make: SimpleNamespace) -> None:
    """A landed task is in nobody's way, a running one is waited for, a cycle is named as one."""
    given = (
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["a/a.py"])),
        make.given(3, make.spec(3, ["c/c.py"], needs=["US-4"])),
        make.given(4, make.spec(4, ["d/d.py"], needs=["US-3"])),
    )
    landed = make.judge(*given, complete=["US-1"])
    assert explain(landed, "US-1", "US-2").splitlines()[0] == "US-1 has landed and cannot be in the way."
    assert explain(landed, "US-1", "US-2").splitlines()[-1] == "Next: coffee spawn US-2"
    running = make.judge(*given, running={"US-2": Status.IN_PROGRESS})
    assert explain(running, "US-1", "US-2").splitlines()[-1] == "Next: coffee spawn US-1, once US-2 has landed"
    assert explain(landed, "US-3", "US-4").splitlines()[0] == "US-3 and US-4 need each other, so neither can start."


def test_tasks_that_were_not_compared_cannot_be_explained(make: SimpleNamespace) -> None:
    """The error says what to type."""
    found = make.judge(make.given(1, None))
    with pytest.raises(UsageError, match="US-1 and US-9 were not evaluated together") as caught:
        explain(found, "US-1", "US-9")
    assert caught.value.hint == "run: coffee evaluate US-1 US-9"


def test_a_task_is_nothing_to_itself(make: SimpleNamespace) -> None:
    """Whoever names one task twice is told so, and not to evaluate it together with itself."""
    found = make.judge(make.given(1, None))
    with pytest.raises(UsageError, match="US-1 is named twice") as caught:
        explain(found, "US-1", "US-1")
    assert caught.value.hint == "name two tasks, or run: coffee evaluate US-1"
