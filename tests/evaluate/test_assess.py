"""The verdict on each task of a scenario."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from coffee_hooks.base.model import Status
from coffee_hooks.evaluate.collisions import Relation
from coffee_hooks.evaluate.footprint import Scope
from coffee_hooks.evaluate.schedule import Unit
from coffee_hooks.evaluate.verdicts import Evaluation, Standing


def summary(found: Evaluation) -> list[tuple[str, bool, bool, int | None]]:
    """(task, independent, can_parallel, wave)."""
    return [(v.task, v.independent, v.can_parallel, v.wave) for v in found.verdicts]


def test_the_three_tasks_of_the_workflow(make: SimpleNamespace) -> None:
    """Two independent ones start, the third waits for the second, which stays independent."""
    found = make.judge(
        make.given(104, make.spec(104, ["pkg/a.py"])),
        make.given(105, make.spec(105, ["pkg/b.py"])),
        make.given(106, make.spec(106, ["pkg/b.py"], needs=["US-105"])),
    )
    assert summary(found) == [
        ("US-104", True, True, 1),
        ("US-105", True, True, 1),
        ("US-106", False, False, 2),
    ]
    assert found.verdict("US-106").blocked_by == ("US-105",)
    assert found.verdict("US-106").collides_with == ()


def test_a_collision_shows_on_both_sides_and_the_earlier_task_goes_first(make: SimpleNamespace) -> None:
    """Neither is independent; the roadmap decides who starts."""
    found = make.judge(make.given(1, make.spec(1, ["pkg/a.py"])), make.given(2, make.spec(2, ["pkg/"])))
    assert summary(found) == [("US-1", False, True, 1), ("US-2", False, False, 2)]
    assert [v.collides_with for v in found.verdicts] == [("US-2",), ("US-1",)]


def test_unknown_scope_is_never_independent(make: SimpleNamespace) -> None:
    """It runs, but alone and after those that are known to fit together, with or without a spec."""
    for spec in (None, make.spec(1, mentions=["pkg/a.py"]), make.spec(1, ["pkg/a.py"], readable=False)):
        found = make.judge(
            make.given(1, spec), make.given(2, make.spec(2, ["a/b.py"])), make.given(3, make.spec(3, ["a/c.py"]))
        )
        assert summary(found) == [("US-1", False, False, 2), ("US-2", True, True, 1), ("US-3", True, True, 1)]
        assert found.verdicts[0].footprint.scope is Scope.UNKNOWN
        alone = make.judge(make.given(1, spec))
        assert summary(alone) == [("US-1", False, True, 1)]


def test_running_tasks_are_fixed(make: SimpleNamespace) -> None:
    """They are judged against, never chosen, and nothing of unknown reach starts beside them."""
    found = make.judge(
        make.given(1, make.spec(1, ["pkg/a.py"])),
        make.given(2, make.spec(2, ["pkg/a.py"])),
        make.given(3, make.spec(3, ["pkg/b.py"])),
        make.given(4, None),
        wanted=["US-2", "US-3", "US-4"],
        running={"US-1": Status.IN_PROGRESS},
    )
    assert summary(found) == [
        ("US-1", False, False, None),
        ("US-2", False, False, 2),
        ("US-3", True, True, 1),
        ("US-4", False, False, 3),
    ]
    assert found.verdicts[0].standing is Standing.RUNNING
    assert ("US-1", "US-2", Relation.COLLISION) in [(p.a, p.b, p.relation) for p in found.pairs]


def test_nothing_starts_beside_a_running_task_of_unknown_reach(make: SimpleNamespace) -> None:
    """Even a task that left the roadmap while it was being worked on holds its place."""
    found = make.judge(make.given(1, make.spec(1, ["pkg/a.py"])), running={"US-77": Status.BLOCKED})
    assert found.selected == ()
    assert summary(found) == [("US-1", True, False, 1), ("US-77", False, False, None)]
    assert found.verdicts[1].status is Status.BLOCKED


def test_landed_tasks_are_complete_whatever_the_roadmap_says(make: SimpleNamespace) -> None:
    """A landed task holds nobody up and is reported, never chosen; its file is free again."""
    found = make.judge(
        make.given(1, make.spec(1, ["pkg/a.py"])),
        make.given(2, make.spec(2, ["pkg/a.py"]), needs=["US-1"]),
        make.given(3, None),
        complete=["US-1"],
    )
    assert found.selected == ("US-2",)
    assert (found.verdicts[0].standing, found.verdicts[0].status) == (Standing.COMPLETE, Status.COMPLETE)
    assert [(p.a, p.b, p.relation) for p in found.pairs if p.a == "US-1"] == [
        ("US-1", "US-2", Relation.INDEPENDENT),
        ("US-1", "US-3", Relation.INDEPENDENT),
    ]


def test_a_complete_item_that_is_worked_on_again_is_running(make: SimpleNamespace) -> None:
    """An open claim says more than a tick."""
    found = make.judge(make.given(1, make.spec(1, ["a/b.py"]), Status.COMPLETE), running={"US-1": Status.IN_PROGRESS})
    assert found.verdicts[0].standing is Standing.RUNNING


def test_a_need_outside_the_question_blocks(make: SimpleNamespace) -> None:
    """A planned task that is not evaluated, and one that the roadmap does not have, both hold a task up."""
    given = (make.given(1, make.spec(1, ["a/a.py"])), make.given(2, make.spec(2, ["b/b.py"], needs=["US-404", "US-1"])))
    found = make.judge(*given, wanted=["US-2"])
    (verdict,) = found.verdicts
    assert (verdict.blocked_by, verdict.can_parallel, verdict.wave) == (("US-1", "US-404"), False, None)
    assert [notice.code for notice in found.warnings] == ["dependency-unknown"]


def test_a_symbol_of_a_planned_task_outside_the_question_blocks(make: SimpleNamespace) -> None:
    """Being asked about alone does not make a task ready to use a class that nobody has written."""
    given = (
        make.given(1, make.spec(1, ["a/a.py"], symbols=["introduces class Store"])),
        make.given(2, make.spec(2, ["b/b.py"], symbols=["uses class Store"])),
    )
    assert make.judge(*given, wanted=["US-2"]).verdicts[0].blocked_by == ("US-1",)
    assert make.judge(*given, wanted=["US-2"], complete=["US-1"]).selected == ("US-2",)


def test_needs_are_followed_through_other_tasks(make: SimpleNamespace) -> None:
    """A chain orders its ends as well, and says through whom."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["b/b.py"], needs=["US-1"])),
        make.given(3, make.spec(3, ["a/a.py"], needs=["US-2"])),
    )
    ends = next(pair for pair in found.pairs if (pair.a, pair.b) == ("US-1", "US-3"))
    assert (ends.relation, ends.evidence[0]) == (Relation.DEPENDENCY, "US-3 needs US-1 through US-2")
    assert found.schedule.waves == (("US-1",), ("US-2",), ("US-3",))


def test_a_cycle_blocks_its_members_and_nobody_else(make: SimpleNamespace) -> None:
    """It is said once, both wait for each other, and the rest goes on."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"], needs=["US-2"])),
        make.given(2, make.spec(2, ["b/b.py"], needs=["US-1"])),
        make.given(3, make.spec(3, ["c/c.py"])),
    )
    assert found.selected == ("US-3",)
    assert [verdict.blocked_by for verdict in found.verdicts] == [("US-2",), ("US-1",), ()]
    assert [str(notice) for notice in found.warnings] == [
        "docs/roadmap/ROADMAP.md:1: US-1, US-2 need each other, so none of them can start"
    ]
    assert found.pairs[0].first is None


def test_a_running_task_does_not_hold_up_what_it_needs(make: SimpleNamespace) -> None:
    """A task that was started too early must not keep its own dependency from being done."""
    found = make.judge(
        make.given(1, make.spec(1, ["a/a.py"])),
        make.given(2, make.spec(2, ["b/b.py"], needs=["US-1"])),
        running={"US-2": Status.BLOCKED},
    )
    assert found.selected == ("US-1",)


def test_the_unit_is_hours_only_when_every_task_says_so(make: SimpleNamespace) -> None:
    """Effort comes from the item or from its spec; one task without it and tasks are counted."""
    first = make.given(1, make.spec(1, ["a/a.py"]), text="**Estimated Effort**: 3 hours")
    second = make.given(2, make.spec(2, ["b/b.py"], text="**Effort**: 1 day"))
    hours = make.judge(first, second).schedule
    assert (hours.unit, hours.makespan, hours.sequential) == (Unit.HOURS, 8, 11)
    assert make.judge(first, second, make.given(3, None)).schedule.unit is Unit.TASKS


def test_the_limit_is_kept(make: SimpleNamespace) -> None:
    """The first tasks of the roadmap are chosen."""
    given = [make.given(n, make.spec(n, [f"p/{n}.py"])) for n in (9, 3, 7)]
    assert make.judge(*given, limit=2).selected == ("US-9", "US-3")


def test_nothing_to_judge(make: SimpleNamespace) -> None:
    """No task at all is an answer too."""
    found = make.judge(make.given(1, None), wanted=[])
    assert (found.verdicts, found.pairs, found.selected) == ((), (), ())


PATHS = st.lists(st.sampled_from(["a/x.py", "a/", "b/y.py", "c/*.py", "c/z.py", "d.py"]), max_size=2)
TASK = st.tuples(PATHS, st.lists(st.integers(1, 5), max_size=2), st.sampled_from(list(Status)), st.booleans())


@given(st.lists(TASK, max_size=5), st.none() | st.integers(1, 2), st.sampled_from([0.0, 0.2, 1.0]))
def test_the_promises_hold_for_any_roadmap(
    make: SimpleNamespace, tasks: list[tuple[list[str], list[int], Status, bool]], limit: int | None, threshold: float
) -> None:
    """What the contract says of independent, selected and pairs is true whatever is asked."""
    given_tasks = [
        make.given(n, make.spec(n, paths), status, [f"US-{need}" for need in needs if need != n])
        for n, (paths, needs, status, _) in enumerate(tasks, 1)
    ]
    running = {f"US-{n}": Status.IN_PROGRESS for n, task in enumerate(tasks, 1) if task[3]}
    found = make.judge(*given_tasks, running=running, limit=limit, threshold=threshold)
    names = [verdict.task for verdict in found.verdicts]
    assert len(found.pairs) == len(names) * (len(names) - 1) // 2
    relation = {frozenset((pair.a, pair.b)): pair.relation for pair in found.pairs}
    for verdict in found.verdicts:
        rivals = {n for n in names if relation.get(frozenset((n, verdict.task))) is Relation.COLLISION}
        assert set(verdict.collides_with) == rivals
        known = verdict.footprint.scope is not Scope.UNKNOWN
        assert verdict.independent == (not rivals and known and not verdict.blocked_by)
        assert verdict.can_parallel == (verdict.task in found.selected)
        if verdict.can_parallel:
            assert verdict.standing is Standing.CANDIDATE
            assert not verdict.blocked_by
    for one in found.selected:
        for other in {*found.selected, *running} - {one}:
            assert relation[frozenset((one, other))] in (Relation.INDEPENDENT, Relation.DEPENDENCY)
    free = [v for v in found.verdicts if v.standing is Standing.CANDIDATE and not v.blocked_by]
    assert found.selected or running or not free
    assert found == make.judge(*given_tasks, running=running, limit=limit, threshold=threshold)
