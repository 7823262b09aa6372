"""How many processes a cleanup costs: a handful, plus a constant for each branch that goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coffee_hooks.base.git import trace
from coffee_hooks.cleanup.remove import cleanup
from coffee_hooks.cleanup.values import Outcome

if TYPE_CHECKING:
    from conftest import Yard


def cost(yard: Yard, *names: str) -> tuple[int, int]:
    """Git processes of a cleanup, and how many branches went."""
    project = yard.project
    calls: list[Sequence[str]] = []
    trace.append(calls.append)
    try:
        report = cleanup(project, names, store=yard.store)
    finally:
        trace.remove(calls.append)
    return len(calls), sum(result.outcome is Outcome.REMOVED for result in report.results)


def test_cleaning_one_of_many_costs_a_handful(yard: Yard) -> None:
    """The others cost nothing each: they are judged in the same few processes."""
    yard.landed(1)
    alone = cost(yard)
    for number in range(2, 41):
        yard.git(yard.work, "branch", f"roadmap-wt{number}", "roadmap")
        yard.claim(f"roadmap-wt{number}")
        yard.box.branch(f"roadmap-wt{number}", {f"pkg/n{number}.py": "n\n"})
    yard.git(yard.work, "worktree", "add", "-q", str(yard.tree(2)), "roadmap-wt2")
    yard.land(2, push=True)
    crowded = cost(yard)
    assert (alone[1], crowded[1]) == (1, 1)
    assert crowded[0] <= alone[0] + 4
    assert crowded[0] <= 40


def test_each_further_removal_costs_a_constant(yard: Yard) -> None:
    """Two more branches that go cost the same as the two before; the remote is asked and told once for all."""
    found = []
    for count in (1, 3, 5):
        for number in range(count):
            yard.landed(10 * count + number)
            yard.box.push(f"roadmap-wt{10 * count + number}")
        found.append(cost(yard))
    assert [removed for _, removed in found] == [1, 3, 5]
    one, three, five = (calls for calls, _ in found)
    assert five - three == three - one
    assert (three - one) / 2 <= 12
